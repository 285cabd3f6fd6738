"""One part of a dump: which pages are its own, and a summary from which parts are joined."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transferset.errors import InputError, sentence
from transferset.ledger import Ledger, Reason
from transferset.sources.blocks import REMEDY, BlockReader
from transferset.sources.pages import PageScanner, RawPage
from transferset.sources.ranges import Gap, Piece, PlainReader
from transferset.sources.revisions import Malformed, Page, Wanted, read_page


@dataclass(frozen=True, slots=True)
class Part:
    """A range of bytes of a stored dump.

    Attributes:
        ordinal: Its place among the dump's parts.
        start: First byte.
        stop: First byte after it.
        max_pages: Read no more pages than this; None reads all.
    """

    ordinal: int
    start: int
    stop: int
    max_pages: int | None = None


class PartReader(Iterator[Page]):
    """The pages of one part, in order; made by `Dump.read`.

    Args:
        path: The file.
        part: The range to read.
        ledger: Takes a count for each page that is not given.
        wanted: Which pages are given.
        page_limit: Largest page, in bytes of XML.
        bzip2: Whether the file is compressed.
        skip_damaged: Count damage and go on, instead of raising.
    """

    def __init__(
        self,
        path: Path,
        part: Part,
        ledger: Ledger,
        wanted: Wanted,
        *,
        page_limit: int,
        bzip2: bool,
        skip_damaged: bool,
    ) -> None:
        self._path, self._part, self._ledger, self._wanted = path, part, ledger, wanted
        self._skip = skip_damaged
        self._scanner = PageScanner(self._complain, self._error, page_limit)
        self._reader: BlockReader | PlainReader = (
            BlockReader(path, part.start, part.stop, skip_damaged=skip_damaged)
            if bzip2
            else PlainReader(path, part.start, part.stop)
        )
        self._offsets: list[int] = []  # of each piece in the XML, and its stored byte
        self._bytes: list[int] = []
        self._fed = self._given = 0
        self._damage: list[tuple[int, int]] = []
        self._complete = False
        self._pages = self._read()

    def __next__(self) -> Page:
        """Return the next page."""
        return next(self._pages)

    @property
    def summary(self) -> dict[str, Any]:
        """What `Dump.check` needs to know of this part, as JSON; once all pages are read."""
        scanner, trace = self._scanner, self._reader.trace
        damage = [*self._damage, *(trace.damage if trace else ())]
        return {
            "part": self._part.ordinal,
            "start": self._part.start,
            "stop": self._part.stop,
            "complete": self._complete,
            "pages": self._given,
            "begun": scanner.begun,
            "xml_bytes": scanner.size,
            "lead": None if scanner.torn else scanner.lead,
            "overrun": None if scanner.torn else scanner.overrun,
            "closed": scanner.closed,
            "blocks": trace.as_json() if trace else None,
            "damage": [list(span) for span in damage],
        }

    def _read(self) -> Iterator[Page]:
        if self._part.max_pages == 0:
            return
        for raw in self._raw_pages():
            page = self._page(raw)
            if page is not None:
                self._given += 1
                yield page
                if self._given == self._part.max_pages:
                    break
        else:
            self._complete = True
        trace = self._reader.trace
        if trace and trace.damaged_blocks:
            self._ledger[Reason.DAMAGED_BLOCK] += trace.damaged_blocks

    def _raw_pages(self) -> Iterator[RawPage]:
        scanner = self._scanner
        with self._reader as reader:
            for piece in reader.own():
                yield from self._feed(piece, owned=True)
            ahead = iter(reader.ahead())
            while scanner.hungry and (more := next(ahead, None)):
                yield from self._feed(more, owned=False)
        yield from scanner.finish()

    def _feed(self, piece: Piece | Gap, *, owned: bool) -> Iterator[RawPage]:
        if isinstance(piece, Gap):
            return self._scanner.skip(owned=owned)
        self._offsets.append(self._fed)
        self._bytes.append(piece.at)
        self._fed += len(piece.data)
        return self._scanner.feed(piece.data, owned=owned)

    def _page(self, raw: RawPage) -> Page | None:
        found: Page | Reason
        try:
            found = raw.lost or read_page(raw.xml, self._wanted, self._ledger)
        except Malformed as error:
            self._complain(error.expected, error.found, raw.offset)
            found = Reason.DAMAGED_PAGE
        if isinstance(found, Page):
            return found
        self._ledger[found] += 1
        return None

    def _complain(self, expected: str, found: str, offset: int) -> None:
        if not self._skip:
            raise self._error(expected, found, offset)
        at = self._byte(offset)
        self._damage.append((at, at))

    def _error(self, expected: str, found: str, offset: int) -> InputError:
        at = f"{self._path}, {'block at ' if self._reader.trace else ''}byte {self._byte(offset)}"
        return InputError(sentence(expected, found, at, REMEDY))

    def _byte(self, offset: int) -> int:
        """Return the stored byte of an offset in the XML: of its block, where there are blocks."""
        piece = max(0, bisect_right(self._offsets, offset) - 1)
        if not self._offsets:
            return self._part.start
        inside = 0 if self._reader.trace else offset - self._offsets[piece]
        return self._bytes[piece] + inside
