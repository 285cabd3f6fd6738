"""Pages found by scanning bytes: no XML parser, no entity, no memory beyond one page.

In a MediaWiki export (mediawiki.org, "Help:Export"; schema export-0.3 to export-0.11) all text is
escaped, so that a raw `<page>` or `</page>` is always a tag.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from transferset.errors import InputError
from transferset.ledger import Reason

#: Largest page that is read, in bytes of XML.
PAGE_LIMIT = 32 << 20

_TOKEN = re.compile(rb"<(?:/?page>|/mediawiki>|[!?])")
_OPEN, _SHUT, _END = b"<page>", b"</page>", b"</mediawiki>"
_KEEP = len(_END) - 1  # a tag that begins in the last bytes may go on in the next piece
_SPACE = b" \t\r\n"

#: Raises or records: (expected, found, offset in the part's XML).
Complaint = Callable[[str, str, int], None]


@dataclass(frozen=True, slots=True)
class RawPage:
    """One `<page>` element.

    Attributes:
        xml: From `<page>` to `</page>`; empty when it is lost.
        offset: Where it begins in the part's XML, in bytes.
        lost: Why the page cannot be read, if it cannot.
    """

    xml: bytes
    offset: int
    lost: Reason | None = None


class _State(Enum):
    LEAD = auto()  # in what may be the end of the part before
    BETWEEN = auto()
    PAGE = auto()
    CLOSED = auto()  # after </mediawiki>


class PageScanner:
    """Cuts the XML of one part into the pages that it owns: those whose tag begins in it.

    Feed it the part's pieces, then what follows the part while `hungry`, then `finish`.

    Args:
        complain: Called for what is wrong; a scanner goes on if it returns.
        refuse: Makes the error for what is never accepted, whatever is skipped.
        limit: Largest page, in bytes of XML.

    Attributes:
        lead: Bytes up to the last one that is not space before the first page.
        size: Bytes of the part's own XML.
        overrun: Bytes after the part's own up to the end of its last element.
        begun: How many pages begin in the part.
        closed: Whether `</mediawiki>` begins in the part.
        torn: Whether damage was skipped, so that the numbers above mean nothing.
    """

    def __init__(
        self,
        complain: Complaint,
        refuse: Callable[[str, str, int], InputError],
        limit: int = PAGE_LIMIT,
    ) -> None:
        self.lead = 0
        self.size = 0
        self.overrun = 0
        self.begun = 0
        self.closed = False
        self.torn = False
        self._complain, self._refuse, self._limit = complain, refuse, limit
        self._state = _State.LEAD
        self._done = False
        self._tail, self._base = b"", 0  # bytes not yet taken in, and their offset
        self._page_at = 0
        self._held: list[bytes] = []

    @property
    def hungry(self) -> bool:
        """Whether bytes after the part are needed to finish its last element."""
        if self._done:
            return False
        if self._state is _State.PAGE:
            return True
        cut = self._tail[self._tail.rfind(b"<") :] if b"<" in self._tail else b""
        return bool(cut) and (_OPEN.startswith(cut) or _END.startswith(cut))

    def feed(self, piece: bytes, *, owned: bool) -> Iterator[RawPage]:
        """Give the pages that end in the next piece."""
        if owned:
            self.size += len(piece)
        data, base = self._tail + piece, self._base
        at = last = 0  # first byte not taken in, end of the last tag
        for match in _TOKEN.finditer(data):
            start, last = match.span()
            if base + start >= self.size and self._state is not _State.PAGE:
                self._done = True
                break
            if match.group() in (b"<!", b"<?"):
                self._markup(match.group(), base + start)
                continue
            if self._state is _State.PAGE:
                yield self._end_page(match.group(), base + start, data[at:last])
            else:
                self._pass(data, at, start)
                if match.group() == _SHUT and self._state is _State.BETWEEN:
                    self._complain("<page> or </mediawiki>", "</page>", base + start)
            self._enter(match.group(), base + start)
            at = start if self._state is _State.PAGE else last
        keep = max(last, len(data) - _KEEP)
        self._hold(data, at, keep)
        self._tail, self._base = data[keep:], base + keep

    def skip(self, *, owned: bool) -> Iterator[RawPage]:
        """Go on after damaged bytes; gives the page that they tore, if one was begun."""
        if self._state is _State.PAGE:
            yield RawPage(b"", self._page_at, Reason.DAMAGED_PAGE)
        if self._state is not _State.CLOSED:
            self._state = _State.LEAD
        self.torn = True
        self._done = not owned
        self._base += len(self._tail)
        self._tail = b""

    def finish(self) -> Iterator[RawPage]:
        """Check what is left when no more bytes come; gives a page that was cut off."""
        if self._state is _State.PAGE:
            self._complain("</page>", "the end of the file", self._page_at)
            yield RawPage(b"", self._page_at, Reason.DAMAGED_PAGE)
        else:
            self._pass(self._tail, 0, len(self._tail))

    def _end_page(self, token: bytes, offset: int, xml: bytes) -> RawPage:
        """Leave a page at any tag; only `</page>` ends it well."""
        self._state = _State.BETWEEN
        if token != _SHUT:
            self._complain("</page>", f"{token.decode()} inside a page", offset)
            return RawPage(b"", self._page_at, Reason.DAMAGED_PAGE)
        stop = offset + len(_SHUT)
        self.overrun = max(0, stop - self.size)
        if stop - self._page_at > self._limit:
            return RawPage(b"", self._page_at, Reason.PAGE_TOO_LARGE)
        return RawPage(b"".join([*self._held, xml]), self._page_at)

    def _markup(self, token: bytes, offset: int) -> None:
        if token == b"<!" or self._state is not _State.LEAD:  # `siteinfo` reads the declaration
            found = f"{token.decode()} (a DTD, CDATA, comment or instruction)"
            raise self._refuse("escaped text", found, offset)

    def _enter(self, token: bytes, offset: int) -> None:
        """Take in a tag outside of pages, or the `</page>` that has just ended one."""
        if self._state is _State.CLOSED:
            self._complain("nothing after </mediawiki>", token.decode(), offset)
        if token == _OPEN:
            self._state, self._page_at, self._held = _State.PAGE, offset, []
            self.begun += 1
        elif token == _END:
            self._state, self.closed = _State.CLOSED, True
            self.overrun = max(0, offset + len(_END) - self.size)
        elif self._state is _State.LEAD:
            self.lead = min(self.size, offset + len(_SHUT))

    def _hold(self, data: bytes, at: int, stop: int) -> None:
        """Take in bytes without a tag."""
        if self._state is not _State.PAGE:
            self._pass(data, at, stop)
        elif self._base + stop - self._page_at > self._limit:
            self._held = []
        else:
            self._held.append(data[at:stop])

    def _pass(self, data: bytes, at: int, stop: int) -> None:
        """Take in bytes outside of pages, which must be space but before the first page."""
        own = max(0, self.size - self._base)
        rest = data[at : min(stop, own)].rstrip(_SPACE)
        if not rest:
            return
        if self._state is _State.LEAD:
            self.lead = self._base + at + len(rest)
            return
        found = rest.lstrip(_SPACE)[:40].decode("utf-8", "backslashreplace")
        self._complain("<page> or </mediawiki>", found, self._base + at)
