"""One book from the web: its addresses one after the other, until one of them has it."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import httpx

from transferset.errors import InputError, TransfersetError, sentence
from transferset.sources.books.book_web import BookWeb, Disallowed
from transferset.sources.books.kept import FetchedBook, fetched
from transferset.sources.books.looks import not_a_book
from transferset.sources.books.pace import TooSlow, Watch
from transferset.sources.cache import Record, digest_of, on_disk, remove
from transferset.sources.downloads import BadRange, Progress, Transfer, Unchanged
from transferset.sources.manners import (
    Absent,
    AskedToWait,
    Exhausted,
    Later,
    OtherSize,
    Refused,
    Told,
    Unreached,
)
from transferset.sources.slots import Slot

_NEW = "revalidating"


class Reader:
    """Reads one book after the other.

    Args:
        web: The polite client.
        progress: Told of every block.
        gone: Addresses that are known to be gone; nothing is asked of them.
    """

    def __init__(self, web: BookWeb, progress: Progress | None, gone: dict[str, float]) -> None:
        self.web = web
        self.progress = progress
        self.gone = gone

    def read(self, slots: list[Slot]) -> FetchedBook | str:
        """Get a book.

        Args:
            slots: Its places.

        Returns:
            The book, or in a few words why it cannot be had.

        Raises:
            TransfersetError: The run has to end: a refusal, a wrong digest, disk, stopped.
        """
        reasons = []
        for slot in slots:
            lane = self.web.lane(httpx.URL(slot.file.url))
            try:
                book = self._read(slot)
            except Absent as told:
                self.gone[slot.file.url] = self.web.clock.wall()
                reasons.append(told.reason)
            except Disallowed as told:
                reasons.append(told.reason)  # another address may be allowed
            except Told as told:
                return self._failed(told, slot)
            else:
                lane.failed = 0
                return book
        counted = {reason: reasons.count(reason) for reason in reasons}
        return "; ".join(
            reason + (f" ({count} addresses)" if count > 1 else "")
            for reason, count in counted.items()
        )

    def _failed(self, told: Told, slot: Slot) -> str:
        """The reason why this book cannot be had, unless the run has to end."""
        url = slot.file.url
        if isinstance(told, Refused):
            raise self.web.refuse(told) from told
        if isinstance(told, AskedToWait):
            raise told
        if isinstance(told, OtherSize) and slot.file.digests:
            do = "the manifest states a digest too: correct the manifest or its address"
            raise InputError(sentence("the file of the manifest", told.reason, url, do)) from told
        if self._is_end(told, url):
            do = "nothing more is asked now: run the same command later to resume"
            raise TransfersetError(sentence("a book", told.reason, url, do)) from told
        return told.reason

    def _is_end(self, told: Told, url: str) -> bool:
        # One bad book is a bad book; a second one in a row, or a server that says that it
        # is busy, means that the others would only be a burden to it.
        if not isinstance(told, Exhausted | TooSlow):
            return False
        lane = self.web.lane(httpx.URL(url))
        lane.failed += 1
        busy = isinstance(told, Unreached) or told.status in (429, 503)
        return busy or lane.failed >= self.web.limits.failures_in_a_row

    def _read(self, slot: Slot) -> FetchedBook:
        if slot.file.url in self.gone:
            day = datetime.fromtimestamp(self.gone[slot.file.url], UTC).isoformat(" ", "minutes")
            reason = f"404 or 410 on {day[:16]} UTC, not asked again for a day"
            raise Absent(sentence("a file", reason, slot.file.url), reason, 404)
        return self._transfer(slot, {})

    def _transfer(self, slot: Slot, conditions: dict[str, str]) -> FetchedBook:
        watch = Watch(self.web.limits, self.web.clock.steady, self.progress)
        transfer = Transfer(slot, self.web, watch.block, conditions)

        def attempt() -> None:
            watch.begin()
            try:
                transfer.attempt()
            except BadRange:
                slot.start_over()
                raise Later("an answer that continues elsewhere") from None
            problem = not_a_book(slot.part)
            if problem is not None:
                slot.start_over()
                raise Later(problem, status=200)

        with on_disk(slot.part):
            slot.part.parent.mkdir(parents=True, exist_ok=True)
        _forget_others(slot)
        self.web.patiently(attempt, slot.file.url)
        accept(slot)
        return fetched(slot)

    def revalidate(self, slot: Slot) -> FetchedBook:
        """Ask whether a book without a stated digest has changed, and get it if so.

        What is there is kept when the answer is anything but a new book.

        Raises:
            TransfersetError: The run has to end.
        """
        record = Record.load(slot.sidecar) or Record(slot.file.url)
        stated = {"If-None-Match": record.etag, "If-Modified-Since": record.last_modified}
        conditions = {name: value for name, value in stated.items() if value}
        new = Slot(slot.path.parent / _NEW, slot.file)
        try:
            self._transfer(new, conditions)
        except Unchanged:
            new.start_over()
        except (Absent, Disallowed):
            pass
        except Told as told:
            self._failed(told, slot)
        else:
            self.web.lane(httpx.URL(slot.file.url)).failed = 0
            remove(slot.sidecar)
            with on_disk(slot.path):
                new.path.replace(slot.path)
                new.sidecar.replace(slot.sidecar)
        with contextlib.suppress(OSError):  # other books may still be in it
            new.path.parent.rmdir()
        return fetched(slot)


def _forget_others(slot: Slot) -> None:
    # Another address may have the same text in other bytes: pieces must not be joined, even
    # where a digest would tell.
    record = Record.load(slot.sidecar)
    if record is not None and record.url != slot.file.url:
        slot.start_over()


def accept(slot: Slot) -> None:
    """Check what arrived and give it its name.

    Raises:
        InputError: It is not what the manifest states; both digests are named.
    """
    expected = slot.file.digests.get("sha256", "").lower()
    found = digest_of(slot.part, "sha256")
    if expected and found != expected:
        with on_disk(slot.bad):
            slot.part.replace(slot.bad)
        remove(slot.sidecar)
        do = f"the file was set aside as {slot.bad.name}: correct the manifest or its address"
        raise InputError(sentence(f"sha256 {expected}", found, slot.file.url, do))
    slot.accept()
