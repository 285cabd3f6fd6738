"""Folders that say themselves what they hold: of `datasets` (`save_to_disk`) and of transferset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from transferset import shapes
from transferset.errors import InputError, UsageError, sentence
from transferset.holding import RUN
from transferset.manifest import MANIFEST
from transferset.shards import ShardSet
from transferset.sources.records.finding import SPLITS, STATE

#: What `datasets` knows of its files.
_INFO: Final = "dataset_info.json"

#: No description of a folder is larger.
_MOST_BYTES: Final = 64 << 20

_SAVE: Final = "write it again with save_to_disk"

#: Files in order, each with its origin.
Described = list[tuple[Path, dict[str, str | None]]]


def described(root: Path, split: str | None) -> Described | None:
    """The files of a folder that says which they are; None for any other folder.

    Args:
        root: The folder.
        split: Which split of it is read.

    Raises:
        UsageError: It has other splits, or no text.
        InputError: Its description is damaged.
        SetError: It is a shard set that is damaged or unfinished.
    """
    if (root / SPLITS).is_file():
        return described(_split(root, split), None)
    if not (root / STATE).is_file() and not (root / RUN).is_dir():
        return None
    if split is not None:
        do = "leave --split out"
        raise UsageError(sentence(f"a folder with the split {split}", "no splits", str(root), do))
    if (root / MANIFEST).is_file() or (root / RUN).is_dir():
        return _shard_set(root)
    return _saved(root)


def _split(root: Path, split: str | None) -> Path:
    stated = _json(root / SPLITS, {"splits": [shapes.file_name], ...: shapes.anything})["splits"]
    if split is None and len(stated) == 1:
        return root / str(stated[0])
    if split is None or split not in stated:
        names, found = ", ".join(stated), split or "no --split"
        raise UsageError(sentence(f"--split out of {names}", found, str(root), "name one"))
    return root / split


def _shard_set(root: Path) -> Described:
    found = ShardSet.open(root)
    if "text" not in found.manifest.schema:
        columns = ", ".join(found.manifest.schema)
        do = "build it with --keep-text"
        raise UsageError(sentence("a set with the column text", columns, str(root), do))
    origin = {
        "url": None,
        "revision": found.manifest.digest,
        "licence": found.manifest.licence or None,
    }
    return [(root / shard.file, origin) for shard in found.manifest.shards]


def _saved(root: Path) -> Described:
    files = {"_data_files": [{"filename": shapes.file_name, ...: shapes.anything}]}
    state = _json(root / STATE, {**files, ...: shapes.anything})
    if state.get("_indices_data_files"):  # rows are chosen by other files: datasets before 2.0
        found = "rows chosen by indices"
        raise InputError(sentence("rows in the order of their files", found, str(root), _SAVE))
    paths = [root / file["filename"] for file in state["_data_files"]]
    missing = [path.name for path in paths if not path.is_file()]
    if missing or not paths:
        found = f"no {missing[0]}" if missing else "none"
        raise InputError(sentence(f"the files that {STATE} names", found, str(root), _SAVE))
    info = root / _INFO
    stated = _json(info, {...: shapes.anything}).get("license") if info.is_file() else None
    licence = stated if isinstance(stated, str) and stated else None
    return [(path, {"url": None, "revision": None, "licence": licence}) for path in paths]


def _json(path: Path, shape: shapes.Shape) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"more than {_MOST_BYTES:,} bytes")
        value = json.loads(path.read_text(encoding="utf-8"))
        shapes.check(value, shape)
    except (OSError, ValueError, RecursionError) as error:
        found = str(error).partition("\n")[0]
        raise InputError(sentence("a description by datasets", found, str(path), _SAVE)) from None
    return dict(value)
