"""Where a derived set comes from: the manifests of its ancestors, in short, inside its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from blake3 import blake3

from transferset.errors import SetError, sentence
from transferset.files import write_atomic
from transferset.ledger import UNIT, Ledger
from transferset.manifest import FileEntry, Json, Manifest
from transferset.shards import REMEDY, ShardSet

#: Generations that a manifest remembers; the sources stand in it in any case.
_GENERATIONS: Final = 50

#: What an ancestor is remembered by.
_KEPT: Final = ("name", "op", "params", "seed", "recipe", "licence", "totals")

#: The files by which the tokenizer travels.
TOKENIZER_FILES: Final = ("tokenizer.json", "tokenizer_config.json")


def ancestor(manifest: Manifest, role: str) -> Json:
    """A parent as it stands in the manifest of its child, with its own ancestors.

    Args:
        manifest: The parent's.
        role: `source` (its rows), `fit` (its distributions) or `part` (of a mix).

    Returns:
        Role, digest, name, recipe, totals, ledger, sources, parents.
    """
    return {
        "role": role,
        "digest": manifest.digest,
        **{name: getattr(manifest, name) for name in _KEPT},
        "ledger": list(manifest.ledger),
        "sources": list(manifest.sources),
        "parents": [_pruned(parent, _GENERATIONS) for parent in manifest.parents],
    }


def _pruned(entry: Json, generations: int) -> Json:
    older = entry.get("parents", [])
    if not isinstance(older, list) or generations == 0:
        older = []
    kept = [_pruned(one, generations - 1) for one in older if isinstance(one, dict)]
    return {**entry, "parents": kept}


def licence_of(sets: Iterable[ShardSet]) -> str:
    """The licences of sets, as one expression."""
    found = {part for one in sets for part in one.manifest.licence.split(" AND ") if part}
    return " AND ".join(sorted(found))


def ledger_json(ledger: Ledger) -> list[Json]:
    """A ledger as it stands in a manifest."""
    return [
        {"reason": str(reason), "unit": UNIT[reason], "count": count}
        for reason, count in sorted(ledger.items())
        if count
    ]


def copy_tokenizer(src: ShardSet, root: Path) -> list[FileEntry]:
    """Give a derived set its parent's tokenizer.

    Args:
        src: The parent.
        root: The new set's directory.

    Returns:
        Manifest entries of the files.

    Raises:
        SetError: A file is not as the parent's manifest says.
    """
    return [
        _copy(src, entry, root) for entry in src.manifest.files if entry.file in TOKENIZER_FILES
    ]


def _copy(src: ShardSet, entry: FileEntry, root: Path) -> FileEntry:
    raw = read_file(src, entry.file)
    write_atomic(root / entry.file, raw)
    return entry


def read_file(src: ShardSet, name: str) -> bytes:
    """A file of a set that is not rows, checked.

    Raises:
        SetError: It is not there, or not as the manifest says.
    """
    found: Sequence[FileEntry] = [e for e in src.manifest.files if e.file == name]
    path = src.root / name
    try:
        raw = path.read_bytes() if found else b""
    except OSError as error:
        raise SetError(
            sentence("a readable file", str(error.strerror), str(path), REMEDY)
        ) from None
    if not found or blake3(raw).hexdigest() != found[0].blake3:
        raise SetError(sentence("the file as written", "other bytes", f"{path}, byte 0", REMEDY))
    return raw
