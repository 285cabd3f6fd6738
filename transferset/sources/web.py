"""One polite way to ask a web server for something.

Everything that goes over the network passes here: who we say we are, which addresses
may be asked, how often, and when to stop asking. The seam is `httpx.BaseTransport`, so
a test plays any server with `httpx.MockTransport`.

Rules kept (Wikimedia's user-agent and robot policies, RFC 9110):
at most two connections at a time; a User-Agent that names the program and a contact;
`Retry-After` obeyed, never undercut; 403 is final; every redirect is vetted; no proxy,
netrc or certificate settings are taken from the environment.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TypeVar

import httpx

from transferset.errors import InputError, TransfersetError, UsageError, printable, sentence
from transferset.sources.answers import ANSWERS, allowed, judged
from transferset.sources.hosts import addresses, is_private, origin
from transferset.sources.manners import (
    AskedToWait,
    BadAnswer,
    Exhausted,
    Later,
    Manners,
    Unreached,
    user_agent,
)

T = TypeVar("T")

REDIRECTS = 5
_BY_HAND = "get the file by another way and give its path"


class Web:
    """A polite client; use it as a context manager.

    Args:
        contact: E-mail or web address of whoever runs this, sent in the User-Agent.
        named: URLs whose scheme, host and port the user named himself (a mirror): the only
            ones that may be a private or loopback address.
        manners: Limits.
        transport: The network; a fake in tests.
        lookup: Host name to addresses; the system's resolver unless given.
        sleep: Waits so many seconds; interruptible by `stop` unless given.

    Raises:
        UsageError: The contact cannot stand in a header.
    """

    #: What a user can do about an address that is refused.
    trust = "if you trust this server, name its scheme and host as --mirror"

    def __init__(
        self,
        *,
        contact: str | None = None,
        named: tuple[str, ...] = (),
        manners: Manners | None = None,
        transport: httpx.BaseTransport | None = None,
        lookup: Callable[[str], list[str]] | None = None,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self.manners = manners or Manners()
        self.stopping = threading.Event()
        self._sleep = sleep or self.stopping.wait
        self._lookup = lookup or addresses
        self._named = {origin(parsed(url)) for url in named}
        self._reached = False
        self._pace_lock = threading.Lock()
        self._next_start = 0.0
        asked = self.manners
        self._client = httpx.Client(
            transport=transport,
            trust_env=False,
            follow_redirects=False,
            headers={"User-Agent": user_agent(contact), "Accept-Encoding": "identity"},
            # Two connections in all are also at most two a host.
            limits=httpx.Limits(max_connections=asked.connections),
            timeout=httpx.Timeout(asked.read_timeout, connect=asked.connect_timeout, pool=None),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stop()
        self._client.close()

    def stop(self) -> None:
        """End all waiting, and the transfers of other threads at their next block."""
        self.stopping.set()

    def text(self, url: str, at_most: int) -> str | None:
        """Get a small UTF-8 document.

        Args:
            url: Absolute address.
            at_most: Most bytes that are read.

        Returns:
            The text, or None when the server says that there is no such document.

        Raises:
            InputError: The document is too long, not UTF-8, or behind a bad redirect.
            TransfersetError: The server refused, or did not answer in the tries allowed.
        """
        body = self.patiently(lambda: self._body(url, at_most), url)
        try:
            return None if body is None else body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(sentence("UTF-8", str(error), url, _BY_HAND)) from None

    def _body(self, url: str, at_most: int) -> bytes | None:
        with self.stream(url) as response:
            if response.status_code != 200:
                return None
            body = bytearray()
            for block in response.iter_raw():
                body += block
                if len(body) > at_most:
                    raise InputError(sentence(f"at most {at_most} bytes", "more", url, _BY_HAND))
            return bytes(body)

    @contextmanager
    def stream(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        answers: Collection[int] = ANSWERS,
        check: Callable[[httpx.URL], None] | None = None,
    ) -> Iterator[httpx.Response]:
        """Make one attempt at GET, following vetted redirects; the body is not yet read.

        Args:
            url: Absolute address.
            headers: Further request headers.
            answers: Statuses that the caller decides upon.
            check: Called with each address before it is asked; raises what forbids that.

        Yields:
            A response of one of `answers`; to a Range also 206 or 416, to a condition 304.

        Raises:
            Later: It may work later; call this inside `patiently`.
            InputError: A bad redirect, or an encoding that was not asked for.
            TransfersetError: The server refused.
        """
        try:
            asked = headers or {}
            response = self._follow(url, asked, check)
            try:
                yield judged(response, allowed(answers, asked))
            finally:
                self._leave(response)
        except httpx.TransportError as error:
            unreached = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            reason = f"{type(error).__name__} {error}".strip()
            raise Later(reason, unreached=unreached) from error

    def _follow(
        self,
        url: str,
        headers: Mapping[str, str],
        check: Callable[[httpx.URL], None] | None,
    ) -> httpx.Response:
        before: httpx.URL | None = None
        here = parsed(url)
        for _ in range(REDIRECTS + 1):
            self._vet(here, before)
            if check is not None:
                check(here)
            response = self._ask(here, headers, url)
            self._reached = True
            self._vet_peer(response)
            if not response.has_redirect_location:
                return response
            self._leave(response)
            before, here = here, _next_hop(here, response.headers["location"])
        message = sentence(f"at most {REDIRECTS} redirects", "more", url, "name another --mirror")
        raise BadAnswer(message, f"more than {REDIRECTS} redirects")

    def _ask(self, here: httpx.URL, headers: Mapping[str, str], first: str) -> httpx.Response:
        """Make one request; `first` is the address that led here."""
        self._pace()
        request = self._client.build_request("GET", here, headers=headers)
        return self._client.send(request, stream=True)

    def _leave(self, response: httpx.Response) -> None:
        """Called once for every answer of `_ask`."""
        response.close()

    def _pace(self) -> None:
        with self._pace_lock:
            wait = self._next_start - time.monotonic()
            if wait > 0:
                self._sleep(wait)
            self._next_start = time.monotonic() + self.manners.pause

    def _vet(self, url: httpx.URL, before: httpx.URL | None) -> None:
        """Refuse a hop to another protocol, down to plain http, or into a private net."""
        complete = url.host and not url.userinfo and 0 < origin(url)[2] < 65536
        if url.scheme not in ("http", "https") or not complete:
            raise _refused("an http or https address without a password", url, before, self.trust)
        if before is not None and before.scheme == "https" and url.scheme == "http":
            raise _refused("a redirect that stays on https", url, before, self.trust)
        if origin(url) not in self._named and any(map(is_private, self._resolve(url.host))):
            raise _refused("a public address", url, before, self.trust)

    def _resolve(self, host: str) -> list[str]:
        try:
            return self._lookup(host)
        except OSError as error:
            raise Later(f"no address for the host ({error})", unreached=True) from None

    def _vet_peer(self, response: httpx.Response) -> None:
        # The name may resolve to another address than a moment ago: look at who answered.
        stream = response.extensions.get("network_stream")
        peer = stream.get_extra_info("server_addr") if stream is not None else None
        if peer and origin(response.url) not in self._named and is_private(str(peer[0])):
            self._leave(response)
            raise _refused("a public address", response.url, response.url, self.trust)

    def patiently(self, attempt: Callable[[], T], what: str) -> T:
        """Call `attempt` until it returns, waiting longer after each failure in a row.

        Args:
            attempt: Raises `Later` when it is worth trying again; sets its `progressed`
                when the attempt brought the work forward, which starts the count anew.
            what: Name for messages.

        Returns:
            What `attempt` returned.

        Raises:
            TransfersetError: Too many failures, too long a wait asked for, or stopped.
        """
        failures = 0
        while True:
            try:
                return attempt()
            except Later as later:
                failures = 1 if later.progressed else failures + 1
                self._give_up(later, failures, what)
                self._sleep(max(self.manners.backoff(failures), later.seconds or 0.0))
            if self.stopping.is_set():
                raise stopped(what)

    def _give_up(self, later: Later, failures: int, what: str) -> None:
        asked = later.seconds or 0.0
        if asked > self.manners.longest_asked_wait:
            do = f"run the same command again in {asked:.0f} s; what is there is kept"
            message = sentence("an answer", later.reason, what, do)
            raise AskedToWait(message, later.reason, later.status)
        # With no network at all there is nothing to be patient about.
        if failures >= self.manners.tries or (later.unreached and not self._reached):
            tried = "1 try" if failures == 1 else f"{failures} tries"
            do = "check the network, or name another --mirror, and run the same command again"
            message = sentence(f"an answer within {tried}", later.reason, what, do)
            kind = Unreached if later.unreached else Exhausted
            raise kind(message, f"{later.reason} ({tried})", later.status)


def parsed(url: str) -> httpx.URL:
    """An address, taken apart.

    Raises:
        UsageError: It is not an address.
    """
    try:
        return httpx.URL(url)
    except httpx.InvalidURL as error:
        raise UsageError(sentence("an http or https address", f"{url} ({error})")) from None


def stopped(what: str) -> TransfersetError:
    """The error of a transfer that was told to stop."""
    do = "run the same command again to resume"
    return TransfersetError(sentence("to finish", "a stop", what, do))


def _next_hop(here: httpx.URL, location: str) -> httpx.URL:
    try:
        return here.join(location)
    except httpx.InvalidURL as error:
        message = sentence("a redirect to an address", str(error), str(here))
        raise BadAnswer(message, "a redirect to no address") from None


def _refused(
    expected: str, url: httpx.URL, before: httpx.URL | None, trust: str
) -> TransfersetError:
    if before is None:
        return UsageError(sentence(expected, str(url), do=trust))
    message = sentence(expected, str(url), str(before), "name another --mirror")
    return BadAnswer(message, f"a redirect to {printable(str(url))} instead of {expected}")
