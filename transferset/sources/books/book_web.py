"""The polite client of books: each host in its own lane, by its own rules, with a log.

Every request of a run passes `_ask`, also those for robots.txt and those that redirects
lead to, so that no way leads around the lane of a host.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from transferset.errors import TransfersetError, sentence
from transferset.sources.answers import ANSWERS
from transferset.sources.books.book_manners import BookManners
from transferset.sources.books.fetch_log import FetchLog, Memory
from transferset.sources.books.lanes import Clock, Lane, lane_name, origin_name
from transferset.sources.books.robots import Rules, decoded, is_page, read_rules
from transferset.sources.books.watchdog import Watchdog
from transferset.sources.manners import AskedToWait, Later, Refused, Told, retry_after
from transferset.sources.web import Web, stopped

#: Client errors mean that a host has no rules (RFC 9309, 2.3.1.3), or that nothing may be
#: read; these three only that this was the wrong moment.
_RULES_ANSWERS = frozenset({200, *range(400, 500)}) - {408, 425, 429}


class Disallowed(Told):
    """robots.txt says no."""


class BookWeb(Web):
    """A client that obeys robots.txt; use it as a context manager.

    Args:
        folder: Where rules are kept.
        log: Told of every request.
        memory: What earlier runs learned.
        contact: E-mail or web address of whoever runs this.
        named: As of `Web`.
        manners: Limits.
        clock: What time it is.
        transport: As of `Web`.
        lookup: As of `Web`.
        sleep: As of `Web`.
    """

    trust = "if you trust this server, name its scheme and host as --mirror"

    def __init__(
        self,
        folder: Path,
        log: FetchLog,
        memory: Memory,
        *,
        contact: str,
        named: tuple[str, ...],
        manners: BookManners,
        clock: Clock,
        transport: httpx.BaseTransport | None = None,
        lookup: Callable[[str], list[str]] | None = None,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        super().__init__(
            contact=contact,
            named=named,
            manners=manners,
            transport=transport,
            lookup=lookup,
            sleep=sleep,
        )
        self.limits = manners
        self.clock = clock
        self.requests = 0
        self._folder = folder / "robots"
        self._log = log
        self._memory = memory
        self._lanes: dict[str, Lane] = {}
        self._rules: dict[str, Rules] = {}
        self._lock = threading.Lock()

    def lane(self, url: httpx.URL) -> Lane:
        """The lane to the host of an address."""
        name = lane_name(url)
        with self._lock:
            if name not in self._lanes:
                self._lanes[name] = self._remembered(name)
            return self._lanes[name]

    def _remembered(self, name: str) -> Lane:
        lane = Lane(self.limits.pause)
        wall, steady = self.clock.wall(), self.clock.steady()
        if name in self._memory.left:
            lane.left = steady - (wall - self._memory.left[name])
        if name in self._memory.not_before:
            lane.not_before = steady - (wall - self._memory.not_before[name])
        return lane

    @contextmanager
    def stream(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        answers: Collection[int] = ANSWERS,
        check: Callable[[httpx.URL], None] | None = None,
    ) -> Iterator[httpx.Response]:
        """As `Web.stream`; robots.txt is the check unless another is given."""
        with super().stream(url, headers, answers, check or self.check) as response:
            yield response

    def check(self, url: httpx.URL) -> None:
        """Refuse an address that the rules of its origin do not allow.

        Raises:
            Disallowed: They do not.
            TransfersetError: The rules cannot be had, so nothing may be asked.
        """
        lane = self.lane(url)
        with lane.ruling:
            rules = self._rules_of(url)
            lane.pause = max(lane.pause, rules.pause)
        denial = rules.denial(str(url))
        if denial is not None:
            raise Disallowed(sentence("leave to read", denial, str(url)), denial)

    def _rules_of(self, url: httpx.URL) -> Rules:
        name, now = origin_name(url), self.clock.wall()
        rules = self._rules.get(name)
        if rules is None or not 0 <= now - rules.retrieved < self.limits.memory:
            rules = read_rules(self._folder, name, now, self.limits.memory)
            rules = rules or self._ask_rules(name)
            self._rules[name] = rules
        return rules

    def _ask_rules(self, name: str) -> Rules:
        url = f"{name}/robots.txt"
        try:
            rules = self.patiently(lambda: self._read_rules(url, name), url)
        except AskedToWait:
            raise
        except Told as told:
            do = "without its rules nothing is asked of this server: run the same command later"
            expected = "a robots.txt that says what may be read"
            raise TransfersetError(sentence(expected, told.reason, url, do)) from told
        rules.save(self._folder)
        return rules

    def _read_rules(self, url: str, name: str) -> Rules:
        most = self.limits.most_rules
        with self.stream(url, answers=_RULES_ANSWERS, check=lambda _: None) as response:
            body = self._beginning(response, most) if response.status_code == 200 else b""
        text = decoded(body[:most], len(body) <= most)
        if is_page(text):
            raise Later("an HTML page instead of robots.txt", status=200)
        return Rules(name, self.clock.wall(), response.status_code, text)

    def _beginning(self, response: httpx.Response, most: int) -> bytes:
        """The body of an answer, or its beginning if that is longer than `most` bytes."""
        body, start = bytearray(), self.clock.steady()
        for block in response.iter_raw():
            body += block
            if len(body) > most:
                break
            if self.clock.steady() - start > self.limits.longest_head:
                raise Later("an answer that takes too long")
            if self.stopping.is_set():
                raise stopped(str(response.url))
        return bytes(body)

    def _ask(self, here: httpx.URL, headers: Mapping[str, str], first: str) -> httpx.Response:
        lane = self.lane(here)
        lane.asking.acquire()
        try:
            waited = self._wait(lane, str(here))
        except BaseException:
            lane.asking.release()
            raise
        line = {
            "url": str(here),
            "from": first if first != str(here) else None,
            "waited": round(waited, 3),
            "range": int(headers["Range"][6:-1]) if "Range" in headers else None,
        }
        started = self.clock.wall()
        with self._lock:
            self.requests += 1
        try:
            request = self._client.build_request("GET", here, headers=headers)
            with Watchdog(self.limits.longest_head, request, lane.sockets, origin_name(here)):
                response = self._client.send(request, stream=True)
        except BaseException as error:
            self._done(lane, started, line | {"error": type(error).__name__})
            raise
        response.extensions["lane"] = (lane, started, line)
        return response

    def _wait(self, lane: Lane, url: str) -> float:
        """Give a host its rest; how many seconds that took."""
        if lane.ended is not None:
            raise lane.ended
        seconds = lane.wait(self.clock.steady())
        most = self.limits.longest_asked_wait
        if seconds > most:
            do = f"run the same command again in {seconds:.0f} s; what is there is kept"
            found = f"{seconds:.0f} s"
            message = sentence(f"to wait at most {most:.0f} s before a request", found, url, do)
            raise AskedToWait(message, found)
        if seconds:
            self._sleep(seconds)
        if self.stopping.is_set():
            raise stopped(url)
        return seconds

    def _leave(self, response: httpx.Response) -> None:
        lane, started, line = response.extensions.pop("lane")
        status = response.status_code
        asked = retry_after(response.headers.get("retry-after")) if status >= 400 else None
        if asked is not None:
            lane.not_before = max(lane.not_before, self.clock.steady() + asked)
        told = {"status": status, "bytes": response.num_bytes_downloaded, "retry_after": asked}
        try:
            response.close()
        finally:
            self._done(lane, started, line | told)

    def _done(self, lane: Lane, started: float, line: Mapping[str, object]) -> None:
        lane.left = self.clock.steady()
        try:
            self._log.write(started, line)
        finally:
            lane.asking.release()

    def refuse(self, told: Refused) -> TransfersetError:
        """End the lane to a server that said no; the error to raise."""
        do = "nothing more is asked of this server: write to its owner, or leave its books out"
        error = TransfersetError(sentence("to be allowed to read", told.reason, told.url, do))
        self.lane(httpx.URL(told.url)).ended = error
        return error
