"""Inputs and outputs that are URLs: for every one a path on this machine.

What is no URL passes through as it is. A place in the cache that is named by its path, as the sets
of a recipe are, is treated as its URL.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from transferset.errors import InputError, sentence
from transferset.exported import EXPORT, ExportRecord, is_export
from transferset.files import writing
from transferset.holding import EXPORTED, SET, Kind
from transferset.manifest import MANIFEST, digest_json
from transferset.models import RECORD, Record, is_model
from transferset.storage import cache, mounts, stores
from transferset.storage.clients import SNAPSHOT
from transferset.storage.mirrors import Contents, Reader, forget, mirror, set_contents
from transferset.storage.urls import Url, parse

#: A path, a name of something else, or nothing: what an input may be besides a URL.
Where = TypeVar("Where", bound="str | Path | None")

#: Files of one folder that are brought.
_MOST_FILES: Final = 10_000

#: Downloads at once.
_TOGETHER: Final = 8


def model_contents(raw: bytes, at: str) -> Contents:
    """What the record of a model says is there.

    Raises:
        SetError: It is damaged.
    """
    return Contents(Record.from_bytes(raw, at).files, ())


def export_contents(raw: bytes, at: str) -> Contents:
    """What the record of an export says is there.

    Raises:
        SetError: It is damaged.
    """
    return Contents(ExportRecord.from_bytes(raw, at).files, ())


#: What reads the file that commits a kind.
_READERS: Final[dict[str, Reader]] = {
    MANIFEST: set_contents,
    RECORD: model_contents,
    EXPORT: export_contents,
}


def local(where: Where) -> Where:
    """An input on this machine: of a URL, what is there is brought.

    A set comes with its small files, a model whole, so does any other file or folder.

    Args:
        where: A path, a URL, or whatever else an input may be, which is given back.

    Returns:
        A path; a text if a text was given.

    Raises:
        InputError: Nothing is there, or too much.
        SetError: A set or model is damaged.
        TransfersetError: The store cannot be asked, or the disk is full.
    """
    url = None if where is None else parse(where)
    if url is None:
        return where
    path = _brought(url)
    return path if isinstance(where, Path) else str(path)  # type: ignore[return-value]


def _brought(url: Url) -> Path:
    one = stores.find(url)
    if one is not None:
        return _snapshot(url, {"": one})
    found = stores.entries(url)
    for commit, contents in _READERS.items():
        if commit in found:
            return mirror(url, commit, contents)
    if not found:
        raise InputError(sentence("a file or a folder", "nothing", str(url)))
    if len(found) > _MOST_FILES:
        raise InputError(sentence(f"at most {_MOST_FILES:,} files", f"{len(found):,}", str(url)))
    return _snapshot(url, found)


def _snapshot(url: Url, found: dict[str, stores.Entry]) -> Path:
    """Files as they are now; another state of them has another place."""
    # a store that does not tell times is asked anew each time
    state = [[n, e.bytes, e.written or time.time_ns()] for n, e in sorted(found.items())]
    options = (*url.options, (SNAPSHOT, digest_json(state)[:16]))
    named = replace(url, options=tuple(sorted(options)))
    root = mounts.place(named)

    def bring(name: str) -> None:
        path, at = (root / name, named / name) if name else (root, named)
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            stores.fetch(at, path, found[name].bytes, None)

    with (
        writing(root, cache.FOLDER),
        cache.waiting_lock(mounts.locks(), root),
        ThreadPoolExecutor(_TOGETHER) as pool,
    ):
        list(pool.map(bring, found))
    return root


def holds_model(path: Path) -> bool:
    """Whether a finished model of transferset's is there."""
    url = parse(path)
    return is_model(path) if url is None else stores.find(url / RECORD) is not None


def holds_export(path: Path) -> bool:
    """Whether a finished export is there."""
    url = parse(path)
    return is_export(path) if url is None else stores.find(url / EXPORT) is not None


def output(out: str | Path, kind: Kind = SET, *, force: bool = False) -> Path:
    """Where a command makes a set or a model: of a URL its place, as the store has it now.

    Args:
        out: A path or a URL.
        kind: What is made.
        force: What is there will be replaced, whatever it is.

    Returns:
        The directory; `holding.building` publishes what is made in a place.

    Raises:
        SetError: What is at the URL is damaged.
        TransfersetError: There is no such bucket, or the store cannot be asked.
    """
    url = parse(out) or mounts.remote(Path(out))
    if url is None:
        return Path(out)
    stores.require_bucket(url)
    root = mounts.place(url)
    if not force:
        return mirror(url, kind.commit, _files_later if kind is EXPORTED else _READERS[kind.commit])
    if cache.settled(root / kind.commit):
        with writing(root, cache.FOLDER):
            forget(root, kind.commit)
    return root


def folder_of(out: str | Path) -> Path:
    """Where a folder of outputs is: of a URL its place; each output is published by itself."""
    url = parse(out)
    return Path(out) if url is None else mounts.place(url)


def _files_later(raw: bytes, at: str) -> Contents:
    """Of an export that is there already, nothing is read."""
    return Contents((), export_contents(raw, at).now)


@contextmanager
def written(out: str | Path) -> Iterator[Path]:
    """Where a command writes a file: of a URL its place, from where it is put there in the end.

    Args:
        out: A path or a URL.

    Yields:
        The path; an earlier file is there, if the store has one.
    """
    url = parse(out) or mounts.remote(Path(out))
    if url is None:
        yield Path(out)
        return
    stores.require_bucket(url)
    path = mounts.place(url)
    with writing(path, cache.FOLDER):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if stores.find(url) is not None:
            stores.fetch(url, path, None, None)
    yield path
    if path.is_file():
        stores.put(path, url)


@contextmanager
def written_folder(out: str | Path, names: tuple[str, ...] = ()) -> Iterator[Path]:
    """Where a command writes a folder of files: of a URL its place, put there in the end.

    Args:
        out: A path or a URL.
        names: Files that the command looks for there before it writes.

    Yields:
        The path.
    """
    url = parse(out) or mounts.remote(Path(out))
    if url is None:
        yield Path(out)
        return
    stores.require_bucket(url)
    root = mounts.place(url)
    with writing(root, cache.FOLDER):
        root.mkdir(parents=True, exist_ok=True)
        for name in names:
            (root / name).unlink(missing_ok=True)
            if stores.find(url / name) is not None:
                stores.fetch(url / name, root / name, None, None)
    yield root
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        stores.put(path, url / path.relative_to(root).as_posix())
