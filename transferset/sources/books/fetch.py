"""Books of a manifest → files in a folder, asked for politely, resumable, checked.

See docs/books-fetch.md for how servers are treated. What is in the folder already is not
asked for again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from transferset.errors import UsageError, sentence
from transferset.files import lock
from transferset.sources.books.book_manners import POLITE, BookManners
from transferset.sources.books.book_web import BookWeb
from transferset.sources.books.fetch_log import FetchLog, remember
from transferset.sources.books.kept import Entry, FetchedBook, at_hand, slots_of, stem_of
from transferset.sources.books.lanes import Clock, lane_name
from transferset.sources.books.reading_one import Reader
from transferset.sources.cache import on_disk
from transferset.sources.downloads import Progress
from transferset.sources.manners import user_agent
from transferset.sources.slots import Slot
from transferset.sources.web import parsed, stopped


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A book that could not be had.

    Args:
        index: Its place among the entries.
        url: Its first address.
        reason: Why, in a few words.
    """

    index: int
    url: str
    reason: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of it.

    Args:
        files: One an entry, in their order; None for those that could not be had.
        unavailable: Why those could not be had.
        requests: Requests made, also for robots.txt and along redirects.
    """

    files: tuple[FetchedBook | None, ...]
    unavailable: tuple[Unavailable, ...]
    requests: int


@dataclass(frozen=True, slots=True)
class _Wanted:
    index: int
    slots: list[Slot]
    kept: FetchedBook | None


def fetch_books(
    entries: Sequence[Entry],
    folder: Path,
    *,
    contact: str,
    named: tuple[str, ...] = (),
    manners: BookManners = POLITE,
    transport: httpx.BaseTransport | None = None,
    sleep: Callable[[float], object] | None = None,
    lookup: Callable[[str], list[str]] | None = None,
    progress: Progress | None = None,
    offline: bool = False,
    revalidate: bool = False,
    clock: Clock | None = None,
) -> Fetched:
    """Make books local.

    Args:
        entries: What to fetch.
        folder: Where files, their records, rules of hosts and the log go.
        contact: E-mail or web address of whoever runs this, sent with every request.
        named: Servers that may have private addresses.
        manners: Limits.
        transport: The network; a fake in tests.
        sleep: Waits so many seconds; interruptible unless given.
        lookup: Host name to addresses.
        progress: Told of every block, from several threads.
        offline: Ask nothing; what is not there is unavailable.
        revalidate: Ask whether books without a stated digest have changed.
        clock: What time it is.

    Returns:
        What is there now, and why the rest is not.

    Raises:
        UsageError: No contact, or an address that may not be asked.
        InputError: A file has another digest than the manifest states.
        TransfersetError: A server refused or is to be left alone for now; network, disk,
            or another run in this folder. What has arrived is kept: run again to resume.
    """
    if not contact:
        do = "write --contact you@example.org"
        raise UsageError(sentence("a contact for the owners of the servers", "none", do=do))
    user_agent(contact)
    wanted = _wanted(entries, folder, manners.at_most)
    found: dict[int, FetchedBook | str] = {
        one.index: one.kept for one in wanted if one.kept is not None
    }
    questions = [one for one in wanted if _is_open(one, entries[one.index], revalidate)]
    requests = 0
    if offline:
        missing = "not in the cache, and nothing is asked offline"
        found |= {one.index: missing for one in questions if one.kept is None}
    elif questions:
        clock = clock or Clock()
        with _alone(folder), FetchLog(folder) as log:
            memory = remember(folder, _host_of, clock.wall(), manners.memory)
            with BookWeb(
                folder,
                log,
                memory,
                contact=contact,
                named=named,
                manners=manners,
                clock=clock,
                transport=transport,
                lookup=lookup,
                sleep=sleep,
            ) as web:
                reader = Reader(web, progress, {} if revalidate else memory.gone)
                found |= _in_lanes(questions, web, reader)
                requests = web.requests
    return _fetched(entries, found, requests)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    # Two runs at once would be two connections to a host, each with pauses of its own.
    with on_disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with lock(folder / ".fetch.lock"):
        yield


def _host_of(url: str) -> str:
    return lane_name(parsed(url))


def _is_open(one: _Wanted, entry: Entry, revalidate: bool) -> bool:
    return one.kept is None or (revalidate and entry.sha256 is None)


def _wanted(entries: Sequence[Entry], folder: Path, at_most: int) -> list[_Wanted]:
    # The same address twice is the same file, so that it is fetched once.
    stems: dict[str, str] = {}
    wanted = []
    for index, entry in enumerate(entries):
        stem = stems.setdefault(entry.url, stem_of(entry))
        slots = slots_of(entry, folder, stem, at_most)
        wanted.append(_Wanted(index, slots, at_hand(slots)))
    return wanted


def _in_lanes(wanted: list[_Wanted], web: BookWeb, reader: Reader) -> dict[int, FetchedBook | str]:
    lanes: dict[str, list[_Wanted]] = {}
    for one in wanted:
        lanes.setdefault(_host_of(one.slots[0].file.url), []).append(one)
    found: dict[int, FetchedBook | str] = {}
    with ThreadPoolExecutor(min(len(lanes), web.limits.connections)) as pool:
        futures = [pool.submit(_one_lane, lane, web, reader) for lane in lanes.values()]
        try:
            for future in _finished(futures):
                found |= future.result()
        except BaseException:  # also Ctrl-C
            web.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found


def _finished(
    futures: list[Future[dict[int, FetchedBook | str]]],
) -> list[Future[dict[int, FetchedBook | str]]]:
    """All of them, or those that failed first."""
    done, _ = wait(futures, return_when=FIRST_EXCEPTION)
    failed = [future for future in futures if future in done and future.exception()]
    return failed or futures


def _one_lane(lane: list[_Wanted], web: BookWeb, reader: Reader) -> dict[int, FetchedBook | str]:
    found: dict[int, FetchedBook | str] = {}
    for one in lane:
        if web.stopping.is_set():
            raise stopped(one.slots[0].file.url)
        found[one.index] = _one_book(one, web, reader)
    return found


def _one_book(one: _Wanted, web: BookWeb, reader: Reader) -> FetchedBook | str:
    if one.kept is not None:
        slot = next(slot for slot in one.slots if slot.is_good())
        return reader.revalidate(slot)
    size, most = one.slots[0].file.size, web.limits.at_most
    if size is not None and size > most:
        return f"the manifest states {size} bytes, more than {most}"
    # An entry of the same address may have brought it a moment ago.
    return at_hand(one.slots) or reader.read(one.slots)


def _fetched(
    entries: Sequence[Entry], found: dict[int, FetchedBook | str], requests: int
) -> Fetched:
    files: list[FetchedBook | None] = []
    unavailable = []
    for index, entry in enumerate(entries):
        outcome = found[index]
        if isinstance(outcome, str):
            unavailable.append(Unavailable(index, entry.url, outcome))
        files.append(None if isinstance(outcome, str) else outcome)
    return Fetched(tuple(files), tuple(unavailable), requests)
