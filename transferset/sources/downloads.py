"""Files of the web into the cache, resumable and checked.

A download goes to `NAME.part`, continues there after any interruption (Range and
If-Range, RFC 9110 sections 13 and 14), is checked against size and digest, and only then
becomes `NAME`. What was checked once is not asked for again: no request at all.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

import httpx

from transferset.errors import TransfersetError, sentence
from transferset.files import lock
from transferset.sources.cache import on_disk
from transferset.sources.manners import Absent, BadAnswer, Later, OtherSize
from transferset.sources.slots import RemoteFile, Slot
from transferset.sources.web import Web, stopped

#: Called with file name, bytes there so far, and bytes in all if known.
Progress = Callable[[str, int, int | None], None]

#: An attempt that brought so many new bytes starts the count of failures anew.
_PROGRESS = 1 << 20
_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")
_PAGES = (".html", ".htm", ".xhtml")


def download_all(
    files: Sequence[RemoteFile], folder: Path, web: Web, progress: Progress | None = None
) -> list[Path]:
    """Download files, as many at a time as the manners of `web` allow.

    Args:
        files: What to fetch; names must differ.
        folder: Where they go.
        web: The polite client.
        progress: Called from the threads that download.

    Returns:
        The paths, in the order of `files`.

    Raises:
        TransfersetError: As `download`; the other transfers are stopped and kept.
    """
    with ThreadPoolExecutor(max_workers=web.manners.connections) as pool:
        futures = [pool.submit(download, file, folder, web, progress) for file in files]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            failed = [future for future in futures if future in done and future.exception()]
            return [future.result() for future in failed or futures]
        except BaseException:  # also Ctrl-C: threads would otherwise finish their files first
            web.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def download(file: RemoteFile, folder: Path, web: Web, progress: Progress | None = None) -> Path:
    """Download one file unless it is already there and right.

    Args:
        file: What to fetch.
        folder: Where it goes; made if missing.
        web: The polite client.
        progress: Told of every block.

    Returns:
        Path of the finished file.

    Raises:
        InputError: The server has no such file, or another one than expected.
        TransfersetError: Network, disk or lock; what has arrived is kept.
    """
    slot = Slot(folder, file)
    if slot.is_good():
        return slot.path
    with on_disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with lock(folder / f".{file.name}.lock"):
        if not slot.is_good():  # another process may just have finished it
            web.patiently(Transfer(slot, web, progress).attempt, file.name)
            slot.accept()
    return slot.path


class BadRange(TransfersetError):
    """An answer that continues elsewhere than where we asked it to."""


class Unchanged(Exception):
    """Internal: 304, the answer to a question that `Transfer` was given conditions for."""


class Transfer:
    """One file on its way: as many requests as it takes.

    Args:
        slot: Its place in the cache.
        web: The polite client.
        progress: Told of every block.
        conditions: Request headers to which 304 is an answer; sent while nothing has arrived.
    """

    def __init__(
        self,
        slot: Slot,
        web: Web,
        progress: Progress | None,
        conditions: Mapping[str, str] | None = None,
    ) -> None:
        self.slot = slot
        self.web = web
        self.progress = progress
        self.conditions = conditions or {}
        # Progress is measured from here, so that a server that lets us start over
        # again and again is not waited for without end.
        self.furthest = slot.arrived()

    def attempt(self) -> None:
        """Bring the part file forward by one request; return when all bytes are there.

        Raises:
            Later: It may work later.
            BadRange: The server cannot continue what it began.
            Unchanged: 304, if conditions were given.
            TransfersetError: It will not work.
        """
        slot = self.slot
        have = slot.arrived()
        if slot.is_whole(have):
            return
        try:
            asked = slot.question(have) or self.conditions
            with self.web.stream(slot.file.url, asked) as response:
                start, total = _placed(slot, response, have)
                slot.begin(response.headers, start, total)
                _check_room(slot, start, total)
                self._copy(response, start, total)
        except Later as later:
            arrived = slot.arrived()
            later.progressed = arrived - self.furthest >= _PROGRESS
            self.furthest = max(self.furthest, arrived)
            raise

    def _copy(self, response: httpx.Response, start: int, total: int | None) -> None:
        name, there = self.slot.file.name, start
        most = self.slot.file.at_most if total is None else total
        with _opened(self.slot.part, start) as handle:
            for block in response.iter_raw():
                there += len(block)
                if there > most:
                    raise _too_long(self.slot, most)
                _write(handle, block, self.slot.part)
                if self.progress is not None:
                    self.progress(name, there, total)
                if self.web.stopping.is_set():
                    raise stopped(name)
            with on_disk(self.slot.part):
                os.fsync(handle)
        if total is not None and there < total:
            raise Later(f"the connection ended after {there} of {total} bytes")


def _placed(slot: Slot, response: httpx.Response, have: int) -> tuple[int, int | None]:
    """Where the body of an answer belongs, and the size of the whole file if known."""
    status, url = response.status_code, str(response.url)
    if status in (404, 410):
        do = "name another date or another --mirror; publishers delete old files"
        found = f"{status} {response.reason_phrase}".strip()
        raise Absent(sentence("a file", found, url, do), found, status)
    if status == 304:
        raise Unchanged
    if status == 416 or (status == 206 and slot.changed(response.headers)):
        slot.start_over()
        raise Later("another file under the same address")
    _refuse_page(slot, response)
    start, total = _range(slot, response, have) if status == 206 else (0, _length(response))
    if slot.file.size is not None and total not in (None, slot.file.size):
        do = "the server has another file of this name: name another --mirror or date"
        expected, found = f"{slot.file.size} bytes", f"{total} bytes"
        raise OtherSize(sentence(expected, found, url, do), f"{found} instead of {expected}")
    if total is not None and total > (slot.file.size or slot.file.at_most):
        raise _too_long(slot, slot.file.at_most)
    return start, slot.file.size if total is None else total


def _refuse_page(slot: Slot, response: httpx.Response) -> None:
    # Throttled or not logged in: many servers answer 200 with a page that says so.
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml") and not slot.file.name.endswith(_PAGES):
        raise Later("an HTML page instead of the file")


def _length(response: httpx.Response) -> int | None:
    length = response.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 16 else None


def _range(slot: Slot, response: httpx.Response, have: int) -> tuple[int, int]:
    value = response.headers.get("content-range", "")
    match = _CONTENT_RANGE.fullmatch(value)
    first, last, total = (int(group) for group in match.groups()) if match else (-1, -1, -1)
    if first != have or last + 1 != total:
        do = f"this server cannot continue: name another --mirror, or delete {slot.part}"
        expected = f"Content-Range from byte {have} to the end"
        raise BadRange(sentence(expected, value or "none", str(response.url), do))
    return first, total


def _check_room(slot: Slot, start: int, total: int | None) -> None:
    folder = slot.part.parent
    free = shutil.disk_usage(folder).free
    if total is not None and total - start > free:
        do = "make room or name another --cache, and run the same command again to resume"
        needed = f"{total - start} bytes free"
        raise TransfersetError(sentence(needed, f"{free} bytes", str(folder), do))


@contextmanager
def _opened(path: Path, start: int) -> Iterator[int]:
    with on_disk(path):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        with on_disk(path):
            os.lseek(handle, start, os.SEEK_SET)
        yield handle
    finally:
        os.close(handle)


def _write(handle: int, block: bytes, path: Path) -> None:
    # Unbuffered, so that a kill loses nothing; a disk that fills up may take only a part.
    view = memoryview(block)
    with on_disk(path):
        while view:
            view = view[os.write(handle, view) :]


def _too_long(slot: Slot, most: int) -> BadAnswer:
    slot.start_over()
    do = "the server sends another file: name another --mirror"
    message = sentence(f"at most {most} bytes", "more", slot.file.url, do)
    return BadAnswer(message, f"more than {most} bytes")
