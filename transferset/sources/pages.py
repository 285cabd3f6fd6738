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
        self.closed = False
        self.torn = False
        self._complain, self._refuse, self._limit = complain, refuse, limit
        self._state = _State.LEAD
        self._own = True  # still in the part's own bytes
        self._done = False
        self._tail = b""
        self._base = 0  # offset of the tail
        self._page_at = 0
        self._held: list[bytes] = []
        self._held_bytes = 0

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
        at = 0
        for match in _TOKEN.finditer(data):
            start, stop = match.span()
            if base + start >= self.size and self._state is not _State.PAGE:
                self._done = True
                break
            page = self._token(match.group(), data, at, start, stop)
            if page is not None:
                yield page
            at = stop if self._state is not _State.PAGE else max(at, self._page_at - base)
        keep = max(at, len(data) - _KEEP)
        self._between(data, at, keep)
        self._tail, self._base = data[keep:], base + keep

    def _token(
        self, token: bytes, data: bytes, at: int, start: int, stop: int
    ) -> RawPage | None:
        offset = self._base + start
        if token in (b"<!", b"<?"):
            self._markup(token, offset)
            return None
        self._between(data, at, start)
        page = None
        if self._state is _State.PAGE:
            page = self._end_page(token, offset, data[at:stop])
        elif token == _SHUT:
            self._stray_end(offset)
        if self._state is _State.CLOSED:
            self._complain("nothing after </mediawiki>", "more XML", offset)
        if token == _OPEN:
            self._state, self._page_at = _State.PAGE, offset
            self._held, self._held_bytes = [], 0
        elif token == _END:
            self._state, self.closed = _State.CLOSED, True
            self.overrun = max(0, self._base + stop - self.size)
        return page

    def _end_page(self, token: bytes, offset: int, xml: bytes) -> RawPage:
        self._state = _State.BETWEEN
        if token != _SHUT:
            found = f"{token.decode()} inside a page"
            self._complain("</page>", found, offset)
            return RawPage(b"", self._page_at, Reason.DAMAGED_PAGE)
        stop = offset + len(_SHUT)
        self.overrun = max(0, stop - self.size)
        if stop - self._page_at > self._limit:
            return RawPage(b"", self._page_at, Reason.PAGE_TOO_LARGE)
        return RawPage(b"".join([*self._held, xml]), self._page_at)

    def _stray_end(self, offset: int) -> None:
        if self._state is _State.LEAD:
            self.lead = min(self.size, offset + len(_SHUT))
        else:
            self._complain("<page>", "</page> without it", offset)

    def _markup(self, token: bytes, offset: int) -> None:
        if token == b"<?" and self._state is _State.LEAD:
            return  # the declaration, which `siteinfo` reads
        raise self._refuse("escaped text", f"{token.decode()} (DTD, CDATA or comment)", offset)

    def _between(self, data: bytes, at: int, stop: int) -> None:
        """Take in the bytes `at` to `stop`, which hold no whole tag."""
        if self._state is _State.PAGE:
            ...
