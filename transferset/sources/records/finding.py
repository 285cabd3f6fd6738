"""What a user writes as SOURCE → files that can be read now.

SOURCE is a file, a folder of files of one kind, a folder that `datasets` or transferset wrote, or
the name of a data set on the Hugging Face hub.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from transferset.errors import UsageError, sentence
from transferset.sources.records.lines import COMPRESSIONS

#: Kinds of files by the end of their names.
SUFFIXES: Final = {
    ".txt": "txt",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".arrow": "arrow",
}

#: What `format` may be.
KINDS: Final = ("txt", "jsonl", "parquet", "arrow")

#: A name on the hub that needs no `hub:` before it.
_ON_HUB: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w.-]+)?", re.ASCII)
_HUB: Final = "hub:"

_FORMS: Final = "a file ({}), a folder, or a hub name (hub:owner/name)"

#: Files that say that a folder is one of `datasets`.
STATE: Final = "state.json"
SPLITS: Final = "dataset_dict.json"


@dataclass(frozen=True, slots=True)
class LocalRecords:
    """A file of documents: its path, its name in recipes, its kind, and where it is from."""

    path: Path
    name: str
    kind: str
    origin: Mapping[str, str | None] = field(default_factory=dict)


def find(
    source: str,
    format: str | None,
    split: str | None,
    cache: Path | None,
    suffixes: Mapping[str, str] = SUFFIXES,
) -> list[LocalRecords]:
    """Find the files of a source.

    Args:
        source: See the module's text.
        format: See `files.open_records`.
        split: See `files.open_records`.
        cache: See `files.open_records`.
        suffixes: Kinds of files by the end of their names.

    Returns:
        At least one file.

    Raises:
        UsageError: There is no such source, or it is not clear what to read of it.
        InputError: A description of the source is damaged.
        SetError: A shard set is damaged or unfinished.
        TransfersetError: The hub did not answer.
    """
    path = Path(source)
    if source.startswith(_HUB) or (not _exists(path) and _is_hub_name(source, suffixes)):
        from transferset.sources.records import hub

        if format not in (None, "parquet"):
            raise UsageError(sentence("--format parquet of a hub name", format, source))
        return hub.find(source.removeprefix(_HUB), split, cache)
    forms = _FORMS.format(", ".join(suffixes))
    if not _exists(path):
        raise UsageError(sentence(forms, "no such file", source, "check the spelling"))
    if path.is_dir():
        return _folder(path, format, split, suffixes)
    if not path.is_file():  # a pipe would be waited for, a device has no end
        raise UsageError(sentence(forms, "neither a file nor a folder", source))
    _no_splits(split, "a file", source)
    kind = format or _kind(path, None, suffixes)
    if kind is None:
        raise UsageError(sentence(forms, "another name", source, "say --format what it is"))
    return [LocalRecords(path, _name(path.name), kind)]


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # longer than a name can be
        return False


def _is_hub_name(source: str, suffixes: Mapping[str, str]) -> bool:
    named = Path(source.partition("@")[0])
    return _ON_HUB.fullmatch(source) is not None and _kind(named, "jsonl", suffixes) is None


def _no_splits(split: str | None, found: str, at: str) -> None:
    if split is not None:
        do = "leave --split out"
        raise UsageError(sentence(f"a source with the split {split}", found, at, do))


def _kind(path: Path, format: str | None, suffixes: Mapping[str, str]) -> str | None:
    """The kind of a file by its name; `.json` is only lines of JSON when `format` says so."""
    name = path.name.lower()
    packed = path.suffix.lower() in COMPRESSIONS
    suffix = Path(Path(name).stem).suffix if packed else Path(name).suffix
    kind = "jsonl" if (suffix, format) == (".json", "jsonl") else suffixes.get(suffix)
    return kind if kind == "jsonl" or not packed else None


def _name(name: str) -> str:
    # a name may be any bytes, recipes are UTF-8
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _folder(
    root: Path, format: str | None, split: str | None, suffixes: Mapping[str, str]
) -> list[LocalRecords]:
    from transferset.sources.records import folders

    found = folders.described(root, split)
    if found is not None:
        if format not in (None, "arrow"):
            raise UsageError(sentence("--format arrow of this folder", format, str(root)))
        return [LocalRecords(p, _name(p.name), "arrow", origin) for p, origin in found]
    _no_splits(split, "a folder without splits", str(root))
    files = [(path, _kind(path, format, suffixes)) for path in _walk(root)]
    kinds = sorted({kind for _, kind in files if kind is not None})
    if format is None and len(kinds) > 1:
        do = "choose one with --format"
        raise UsageError(sentence("files of one kind", ", ".join(kinds), str(root), do))
    wanted = format or (kinds[0] if kinds else None)
    chosen = [
        LocalRecords(path, _name(path.relative_to(root).as_posix()), kind)
        for path, kind in files
        if kind is not None and kind == wanted
    ]
    if not chosen:
        what = f"files of {format}" if format else "files of documents"
        forms = _FORMS.format(", ".join(suffixes))
        raise UsageError(sentence(what, "none", str(root), f"name {forms}"))
    return chosen


def _walk(root: Path) -> list[Path]:
    """Files below a folder, in the order of their names' bytes; none that are hidden.

    Links to files are followed (the hub's cache is made of them), links to folders are not.
    """
    found = []
    for folder, inner, names in os.walk(root, followlinks=False):
        inner[:] = [name for name in inner if not name.startswith(".")]
        here = Path(folder)
        if here != root and (STATE in names or SPLITS in names):
            do = "name the folder itself"
            raise UsageError(sentence("files", "a folder of datasets", str(here), do))
        found += [here / name for name in names if not name.startswith(".")]
    files = [path for path in found if path.is_file()]
    return sorted(files, key=lambda path: os.fsencode(path.relative_to(root).as_posix()))
