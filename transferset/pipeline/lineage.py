"""Where a derived set comes from: the manifests of its ancestors, in short, inside its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from blake3 import blake3

from transferset.errors import SetError, sentence
from transferset.files import write_atomic
from transferset.ledger import UNIT, Ledger
from transferset.manifest import FileEntry, Json, Manifest
from transferset.pipeline.generations import known_generation
from transferset.shards import REMEDY, ShardSet

#: Ancestors above the parents that a manifest remembers, so that none doubles with every mix; the
#: sources stand in it in any case.
MOST_ANCESTORS: Final = 1000

#: Generations that stand below each other: readers of JSON go no deeper than some hundred.
_DEEPEST: Final = 50

#: What an ancestor is remembered by.
_KEPT: Final = ("name", "op", "params", "seed", "recipe", "licence", "totals")

#: What is repeated of it where it is named again.
_SHORT: Final = ("digest", "name", "op", "generation")

#: The files by which the tokenizer travels.
TOKENIZER_FILES: Final = ("tokenizer.json", "tokenizer_config.json")


def ancestors(parents: Sequence[tuple[Manifest, str]]) -> list[Json]:
    """The parents of a set as they stand in its manifest, with their own ancestors.

    Each ancestor stands there in full once, where a reader who goes depth first meets it first;
    from then on it is only named, without parents. Nearer ones are kept before those farther away.

    Args:
        parents: Manifests with their roles: `source` (its rows), `fit` (its distributions), `part`
            (of a mix).

    Returns:
        For each role, digest, name, recipe, generation, totals, ledger, sources, parents.
    """
    entries = [_entry(manifest, role) for manifest, role in parents]
    family = _Family(entries)
    return [family.told(entry) for entry in entries]


def _entry(manifest: Manifest, role: str) -> Json:
    return {
        "role": role,
        "digest": manifest.digest,
        **{name: getattr(manifest, name) for name in _KEPT},
        "generation": known_generation(manifest),
        "ledger": list(manifest.ledger),
        "sources": list(manifest.sources),
        "parents": _parents({"parents": manifest.parents}),
    }


def _parents(entry: Mapping[str, Any]) -> list[Json]:
    found = entry.get("parents", ())
    return (
        [one for one in found if isinstance(one, dict)] if isinstance(found, list | tuple) else []
    )


@dataclass(slots=True)
class _Family:
    """All ancestors of some sets, each once.

    Attributes:
        entries: The parents themselves.
        fullest: For each ancestor the entry that tells the most.
        kept: For each ancestor its parents that are told of.
        done: Ancestors that stand in full already.
    """

    entries: Sequence[Json]
    fullest: dict[object, Json] = field(default_factory=dict)
    kept: dict[object, list[Json]] = field(default_factory=dict)
    done: set[object] = field(default_factory=set)

    def __post_init__(self) -> None:
        for entry in _everyone(self.entries):
            known = self.fullest.setdefault(_key(entry), entry)
            if _fullness(entry) > _fullness(known):
                self.fullest[_key(entry)] = entry
        # a parent is here itself: what others' manifests say of it does not count
        self.fullest |= {_key(entry): entry for entry in self.entries}
        self._choose()

    def _choose(self) -> None:
        """Keep the nearest ancestors."""
        room = MOST_ANCESTORS
        waiting = deque(map(_key, self.entries))
        while waiting:
            key = waiting.popleft()
            if key not in self.kept:
                self.kept[key] = _parents(self.fullest[key])[:room]
                room -= len(self.kept[key])
                waiting.extend(map(_key, self.kept[key]))

    def told(self, entry: Json, depth: int = 0) -> Json:
        """An entry with its ancestors, as deep as may be."""
        key = _key(entry)
        if key in self.done:
            return {**(_short(entry) if depth else entry), "parents": []}
        full = {**self.fullest[key], **({"role": entry["role"]} if "role" in entry else {})}
        if depth == _DEEPEST:
            return {**full, "parents": []}
        self.done.add(key)
        return {**full, "parents": [self.told(one, depth + 1) for one in self.kept[key]]}


def _everyone(entries: Iterable[Json]) -> Iterator[Json]:
    waiting = deque(entries)
    while waiting:
        entry = waiting.popleft()
        yield entry
        waiting.extend(_parents(entry))


def _key(entry: Json) -> object:
    digest = entry.get("digest")
    return digest if isinstance(digest, str) else id(entry)  # of strangers: nobody knows who


def _fullness(entry: Json) -> tuple[bool, int]:
    return "params" in entry, len(_parents(entry))


def _short(entry: Json) -> Json:
    return {name: entry[name] for name in ("role", *_SHORT) if name in entry}


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
