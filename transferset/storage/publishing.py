"""Publishing what was made in a place: rows as they are done, the commit file last.

The recipe goes up first and claims the address: of two writers the second one finds it, and either
makes the very same bytes or is refused. What commits a set goes up last, and only if there is none.
So a set at a URL is there whole, or not at all.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from transferset.errors import SetError, TransfersetError, sentence
from transferset.manifest import MOST_BYTES, FileEntry, differences
from transferset.shapes import INNER
from transferset.storage import cache, mounts, stores
from transferset.storage.urls import Url

#: Folder of receipts and unfinished work, and the file in it that claims an address.
RUN: Final = "_run"
CLAIM: Final = f"{RUN}/recipe.json"

#: Uploads at once.
_TOGETHER: Final = 2

#: Endings of what a place may do without once it is published: it is large, and comes again.
_ROWS: Final = (".arrow", ".parquet", ".jsonl", ".tsv", ".bin", ".idx", ".mds")

_ANOTHER: Final = "choose another --out, or --force to replace it"


@dataclass(slots=True)
class _Outbox:
    """Uploads of one place that are under way."""

    pool: ThreadPoolExecutor
    waiting: list[Future[None]] = field(default_factory=list)


_outboxes: dict[Path, _Outbox] = {}

#: What this process has written to URLs that it has claimed first.
_claimed: dict[Path, list[Url]] = {}


def claim(root: Path, commit: str, foreign: Sequence[str], word: str, *, force: bool) -> None:
    """Claim the URL of a place for the recipe in it; nothing is done elsewhere.

    Args:
        root: The place, with its recipe written.
        commit: Name of the file that will make it finished.
        foreign: Names of those that would mean that something of another kind is there.
        word: What is made: `set`, `model`.
        force: What is there of that kind is given up.

    Raises:
        SetError: Another recipe has claimed it, or something else is there.
        TransfersetError: There is no such bucket, or the store cannot be asked.
    """
    url = mounts.remote(root)
    if url is None:
        return
    stores.require_bucket(url)
    there = stores.entries(url)
    _require_ours(there, url, commit, foreign, word)
    if commit in there and not force:
        do = "run the same command again"
        raise SetError(sentence(f"no {word} there", "one finished meanwhile", str(url), do))
    mine = (root / CLAIM).read_bytes()
    if force:
        stores.delete(url / commit)
        stores.put_bytes(mine, url / CLAIM)
    elif stores.put_new(mine, url / CLAIM):
        _claimed[root] = [url / CLAIM]
    else:
        _require_mine(mine, url, word)


def withdraw(root: Path) -> None:
    """Give up the claim of this process on a URL, since nothing came of it."""
    with contextlib.suppress(TransfersetError):  # what went wrong before is to be told
        for url in reversed(_claimed.pop(root, [])):
            stores.delete(url)


def _require_ours(
    there: dict[str, stores.Entry], url: Url, commit: str, foreign: Sequence[str], word: str
) -> None:
    do = "choose another --out"
    for name in foreign:
        if name in there:
            raise SetError(sentence(f"no {name} there", "one", str(url), do))
    if there and commit not in there and CLAIM not in there:
        found = "files that are not transferset's"
        raise SetError(sentence(f"an empty place for a {word}", found, str(url), do))


def _require_mine(mine: bytes, url: Url, word: str) -> None:
    theirs = stores.read(url / CLAIM, MOST_BYTES)
    if theirs == mine:
        return
    try:
        changed = differences(json.loads(theirs or b""), json.loads(mine))
    except (ValueError, RecursionError):
        changed = ["its recipe cannot be read"]
    expected = f"no unfinished {word} of another recipe"
    raise SetError(sentence(expected, f"one where {', '.join(changed[:4])}", str(url), _ANOTHER))


def offer(root: Path, files: Sequence[str]) -> None:
    """Begin to upload what a task has finished; nothing is done outside of places.

    Args:
        root: The place.
        files: Names relative to it; unfinished work in `_run` stays here.

    Raises:
        TransfersetError: An upload that was begun before has failed.
    """
    url = mounts.remote(root)
    final = [name for name in files if not name.startswith(f"{RUN}/") and (root / name).is_file()]
    if url is None or not final:
        return
    box = _outboxes.get(root)
    if box is None:
        box = _outboxes[root] = _Outbox(ThreadPoolExecutor(_TOGETHER, "publishing"))
    for one in [future for future in box.waiting if future.done()]:
        one.result()
        box.waiting.remove(one)
    box.waiting += [box.pool.submit(_send, root / name, url / name) for name in final]
    _claimed.get(root, []).extend(url / name for name in final)


def _send(path: Path, url: Url) -> None:
    stores.put(path, url)
    if _may_go(path.name):
        cache.settle(path)
    cache.make_room(cache.folder() / mounts.REMOTE, 0)


def abandon(root: Path) -> None:
    """End the uploads of a place; those that have not begun are not begun."""
    box = _outboxes.pop(root, None)
    if box is not None:
        box.pool.shutdown(cancel_futures=True)


def publish(
    root: Path, commit: str, own: Sequence[str], expected: Sequence[FileEntry], word: str
) -> None:
    """Upload what is not there yet, then what commits it; nothing is done outside of places.

    Args:
        root: The place, finished.
        commit: Name of the file that makes it finished.
        own: Patterns of other names that are transferset's: objects of an earlier one are removed.
        expected: Files that must be there or at the URL.
        word: What was made: `set`, `model`.

    Raises:
        SetError: Another recipe has taken the URL meanwhile.
        TransfersetError: The store cannot be asked, or refuses.
    """
    url = mounts.remote(root)
    if url is None or cache.settled(root / commit):
        return
    if (root / CLAIM).is_file():
        _require_mine((root / CLAIM).read_bytes(), url, word)
    box = _outboxes.get(root)
    for future in box.waiting if box is not None else ():
        future.result()
    there = stores.entries(url)
    rows = {entry.file for entry in expected if _may_go(entry.file)}
    files = _files(root, own, {entry.file for entry in expected} - {commit})
    _require_all(root, url, expected, there)
    for name in files:
        if not (cache.settled(root / name) and _size(there, name) == _local(root / name)):
            stores.put(root / name, url / name)
            if name in rows:
                cache.settle(root / name)
    _remove_stale(url, there, {*files, *(entry.file for entry in expected), commit, CLAIM}, own)
    _commit(root / commit, url / commit, word)


def _files(root: Path, own: Sequence[str], expected: set[str]) -> list[str]:
    paths = {path for pattern in own for path in root.glob(pattern)}
    paths |= {root / name for name in expected}
    return [p.relative_to(root).as_posix() for p in sorted(paths) if p.is_file()]


def _may_go(name: str) -> bool:
    return name.endswith(_ROWS) and name.partition("/")[0] not in INNER


def _size(there: dict[str, stores.Entry], name: str) -> int:
    return there[name].bytes if name in there else -1


def _local(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _require_all(
    root: Path, url: Url, expected: Sequence[FileEntry], there: dict[str, stores.Entry]
) -> None:
    for entry in expected:
        if entry.bytes not in (_local(root / entry.file), _size(there, entry.file)):
            found = f"{max(_local(root / entry.file), _size(there, entry.file)):,}"
            raise TransfersetError(sentence(f"{entry.bytes:,} bytes", found, str(url / entry.file)))


def _remove_stale(
    url: Url, there: dict[str, stores.Entry], kept: set[str], own: Sequence[str]
) -> None:
    """Remove work, and what an earlier set had more, so that nobody takes it for rows."""
    for name in there.keys() - kept:
        if name.startswith(f"{RUN}/") or any(fnmatchcase(name, pattern) for pattern in own):
            stores.delete(url / name)


def _commit(path: Path, url: Url, word: str) -> None:
    raw = path.read_bytes()
    if not stores.put_new(raw, url) and stores.read(url, MOST_BYTES) != raw:
        found = f"another {word} published meanwhile"
        raise SetError(sentence(f"no {word} there", found, str(url), _ANOTHER))
    cache.settle(path)
