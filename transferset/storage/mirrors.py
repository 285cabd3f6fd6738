"""Bringing what is finished at a URL to its place: small files at once, rows when asked for.

What commits a set or a model, its manifest or record, is brought last, and marked as known to the
store. If the store has another one by then, what it no longer answers for goes.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from transferset.errors import InputError, SetError, sentence
from transferset.files import Held, digest_file, lock, write_atomic, writing
from transferset.manifest import MANIFEST, MOST_BYTES, FileEntry, Manifest
from transferset.shapes import INNER
from transferset.storage import cache, mounts, stores
from transferset.storage.urls import Url

#: Files beside those that a manifest lists, which nothing relies on, and the most bytes of one.
_BESIDE: Final = ("README.md", "croissant.json", "log.jsonl", "_run/recipe.json")
_MOST_BESIDE: Final = 1 << 24


@dataclass(frozen=True, slots=True)
class Contents:
    """What a manifest or record says is there.

    Attributes:
        now: Files that are brought at once.
        later: Files that are brought when they are asked for.
    """

    now: Sequence[FileEntry]
    later: Sequence[FileEntry]


#: What a commit file says, given its bytes and its address.
Reader = Callable[[bytes, str], Contents]


def set_contents(raw: bytes, at: str) -> Contents:
    """What a set's manifest says is there.

    Raises:
        SetError: It is damaged.
    """
    manifest = Manifest.from_bytes(raw, at)
    shards = [FileEntry(s.file, s.bytes, s.blake3) for s in manifest.shards]
    return Contents(manifest.files, shards)


def mirror(url: Url, commit: str = MANIFEST, contents: Reader = set_contents) -> Path:
    """Bring the small files of a finished set, or all of a model.

    Args:
        url: Of its directory.
        commit: The file that makes it finished.
        contents: What reads that.

    Returns:
        Its place; nothing was brought if nothing finished is there.

    Raises:
        SetError: What is there is damaged, or its place is being written.
        TransfersetError: The store cannot be asked, or the disk is full.
    """
    root = mounts.place(url)
    with writing(root, cache.FOLDER), cache.waiting_lock(mounts.locks(), root):
        raw = stores.read(url / commit, MOST_BYTES)
        if raw is None:
            if cache.settled(root / commit):  # what was published has been removed
                forget(root, commit)
            stores.require_bucket(url)
            return root
        if not _is(root / commit, raw):
            with _nobody_writing(root, url):
                _bring(url, root, commit, raw, contents(raw, str(url / commit)))
        else:
            _complete(url, root, contents(raw, str(url / commit)))
            cache.settle(root / commit)
    return root


def _is(path: Path, raw: bytes) -> bool:
    try:
        return path.read_bytes() == raw
    except OSError:
        return False


def _bring(url: Url, root: Path, commit: str, raw: bytes, found: Contents) -> None:
    stored = stores.entries(url)
    for entry in (*found.now, *found.later):
        size = stored[entry.file].bytes if entry.file in stored else None
        if size != entry.bytes:
            told = "no such object" if size is None else f"{size:,}"
            raise SetError(sentence(f"{entry.bytes:,} bytes", told, str(url / entry.file)))
    root.mkdir(parents=True, exist_ok=True)
    (root / commit).unlink(missing_ok=True)
    _drop_others(root, {entry.file: entry for entry in (*found.now, *found.later)})
    _complete(url, root, found)
    for name in _BESIDE:
        (root / name).unlink(missing_ok=True)
        if name in stored and stored[name].bytes <= _MOST_BESIDE:
            _fetch(url / name, root / name, stored[name].bytes, None)
    write_atomic(root / commit, raw)
    cache.settle(root / commit)


def _complete(url: Url, root: Path, found: Contents) -> None:
    for entry in found.now:
        if not (root / entry.file).is_file():
            _fetch(url / entry.file, root / entry.file, entry.bytes, entry.blake3)


def _fetch(url: Url, path: Path, size: int, digest: str | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        stores.fetch(url, path, size, digest)
    except InputError as error:
        raise SetError(str(error)) from None


def _drop_others(root: Path, entries: dict[str, FileEntry]) -> None:
    """Remove files of an earlier set or model; what has the right bytes stays."""
    known = {Path(name).parent.as_posix() for name in entries} | {".", *INNER}
    for folder in (root / name for name in sorted(known)):
        for path in folder.iterdir() if folder.is_dir() else ():
            entry = entries.get(path.relative_to(root).as_posix())
            if path.is_file() and (entry is None or not _has(path, entry)):
                path.unlink()
    run = root / "_run"
    for path in run.iterdir() if run.is_dir() else ():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "lock":  # which is held
            path.unlink()


def _has(path: Path, entry: FileEntry) -> bool:
    return path.stat().st_size == entry.bytes and digest_file(path) == entry.blake3


@contextmanager
def _nobody_writing(root: Path, url: Url) -> Iterator[None]:
    held = root / "_run" / "lock"
    if not held.is_file():
        yield
        return
    try:
        with lock(held):
            yield
    except Held as error:
        found = f"{error.holder} writing it"
        raise SetError(sentence("a set that nobody writes", found, str(url))) from None


def forget(root: Path, commit: str) -> None:
    """Remove what a place has of a set that is no longer at its URL; its commit file goes first."""
    (root / commit).unlink(missing_ok=True)
    _drop_others(root, {})
