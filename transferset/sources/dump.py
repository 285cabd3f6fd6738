"""A MediaWiki dump as parts that are read independently of each other.

A part is a range of bytes of the file as it is stored. It owns the blocks that begin in its range
and the pages that begin in those blocks, so any cut of the file gives the same pages in the same
order, for plain XML, one bzip2 stream and many alike. `Dump.check` joins what the parts saw.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from transferset.errors import InputError, UsageError, sentence
from transferset.ledger import Ledger
from transferset.sources.blocks import REMEDY, BlockReader
from transferset.sources.bzip2 import decode, last_blocks
from transferset.sources.coverage import check_coverage
from transferset.sources.formats import check_text, is_bzip2, stored_file, wrong
from transferset.sources.pages import PAGE_LIMIT
from transferset.sources.parts import Part, PartReader
from transferset.sources.ranges import Gap, PlainReader, read_at
from transferset.sources.revisions import Malformed, Page, Wanted
from transferset.sources.siteinfo import SiteInfo, parse_siteinfo

__all__ = ["Dump", "Page", "Part", "PartReader", "SiteInfo"]

_BZIP2_PART = 2 << 20
_PLAIN_PART = 8 << 20
_MOST_PARTS = 4000
_FIRST_BYTES = 4096
_HEAD_LIMIT = 1 << 20
_ROOT_END = b"</mediawiki>"
_HEAD_END = re.compile(rb"</siteinfo>|(?=<page>)|(?=</mediawiki>)")


@dataclass(frozen=True, slots=True)
class Dump:
    """A dump on disk; opened with `Dump.open`, which reads its head and its tail only.

    Attributes:
        path: The file.
        size: Its bytes, as stored.
        bzip2: Whether it is compressed.
        site: What its header says.
        head: Bytes of XML up to the end of the header.
    """

    path: Path
    size: int
    bzip2: bool
    site: SiteInfo
    head: int

    @classmethod
    def open(cls, path: str | Path, *, skip_damaged: bool = False) -> Dump:
        """Recognise a dump and read its header.

        Args:
            path: A `.xml` or `.xml.bz2` file (told by its bytes, not by its name), or the index
                of a multistream dump that lies beside the dump.
            skip_damaged: Accept a file that does not end as a dump should.

        Raises:
            InputError: It is not a dump, or its head or tail is damaged.
        """
        path = stored_file(Path(path))
        bzip2 = is_bzip2(path)
        size = path.stat().st_size
        head = _read_head(path, size, bzip2=bzip2, skip_damaged=skip_damaged)
        try:
            site = parse_siteinfo(head)
        except Malformed as error:
            at = f"{path}, in its first {len(head):,} bytes of text"
            raise InputError(sentence(error.expected, error.found, at=at)) from error
        if not skip_damaged:
            _check_tail(path, size, bzip2=bzip2)
        return cls(path, size, bzip2, site, len(head))

    def parts(self, part_bytes: int | None = None) -> list[Part]:
        """Cut the file into parts of nearly equal size.

        Args:
            part_bytes: Largest part, in stored bytes (≥ 1). The default is 2 MiB of bzip2 or
                8 MiB of XML, more where that would make more than 4,000 parts.
        """
        if part_bytes is not None and part_bytes < 1:
            raise UsageError(sentence("part_bytes of 1 or more", str(part_bytes)))
        default = max(_BZIP2_PART if self.bzip2 else _PLAIN_PART, -(-self.size // _MOST_PARTS))
        count = -(-self.size // (part_bytes or default))
        cuts = [self.size * n // count for n in range(count + 1)]
        return [Part(n, cuts[n], cuts[n + 1]) for n in range(count)]

    def read(
        self,
        part: Part,
        ledger: Ledger,
        *,
        skip_damaged: bool = False,
        namespaces: Iterable[int] = (0,),
        page_limit: int = PAGE_LIMIT,
    ) -> PartReader:
        """Read the pages of a part.

        Args:
            part: One of `parts` or `locate`.
            ledger: Takes a count for each page that is not given.
            skip_damaged: Count damage and go on, instead of raising.
            namespaces: Keys of the namespaces to read.
            page_limit: Largest page, in bytes of XML.

        Returns:
            An iterator of `Page`; its `summary` goes to `check` when it is exhausted.

        Raises:
            InputError: While iterating: something is damaged; the message names file and byte.
        """
        wanted = Wanted(frozenset(namespaces), self.site.namespaces, self.site.version)
        return PartReader(
            self.path,
            part,
            ledger,
            wanted,
            page_limit=page_limit,
            bzip2=self.bzip2,
            skip_damaged=skip_damaged,
        )

    def locate(
        self, pages: int, part_bytes: int | None = None, *, skip_damaged: bool = False
    ) -> list[Part]:
        """Find the parts that give exactly the first pages, by reading up to there.

        Args:
            pages: How many pages (≥ 0) are to be given; all parts if there are fewer.
            part_bytes: As for `parts`.
            skip_damaged: As for `read`.

        Returns:
            Parts from the first on; the last has `max_pages` set, so that the pages given and
            those counted in the ledger do not depend on how the file is cut.
        """
        found: list[Part] = []
        for part in self.parts(part_bytes):
            left = replace(part, max_pages=pages)
            pages -= sum(1 for _ in self.read(left, Ledger(), skip_damaged=skip_damaged))
            found.append(part if pages else left)
            if not pages:
                break
        return found

    def check(
        self, summaries: Sequence[dict[str, Any]], *, skip_damaged: bool = False
    ) -> list[tuple[int, int]]:
        """Verify that the parts which were read make one whole, sound file.

        Args:
            summaries: Of all parts, or of those that `locate` gave, in order.
            skip_damaged: Return damage instead of raising.

        Returns:
            Ranges of stored bytes that are damaged, empty unless `skip_damaged`.

        Raises:
            InputError: A stream's CRC, the file's end or a border between parts is wrong.
        """
        found = check_coverage(summaries, self.head, self.size, bzip2=self.bzip2)
        problems = [(start, stop) for s in summaries for start, stop in s["damage"]]
        for expected, what, at in found:
            if not skip_damaged:
                raise InputError(sentence(expected, what, f"{self.path}, byte {at}", REMEDY))
            problems.append((at, at))
        return sorted(set(problems))


def _read_head(path: Path, size: int, *, bzip2: bool, skip_damaged: bool) -> bytes:
    """Return the XML up to the end of the header."""
    reader = (
        BlockReader(path, 0, size, skip_damaged=skip_damaged, fast=False)
        if bzip2
        else PlainReader(path, 0, size)
    )
    head = b""
    with reader:
        for piece in reader.own():
            if isinstance(piece, Gap):
                raise _cut("an undamaged header", "damage", path, piece.at)
            head += piece.data
            if len(head) >= _FIRST_BYTES:
                check_text(head[:_FIRST_BYTES], path)
            stop = _HEAD_END.search(head)
            if stop is not None:
                return head[: stop.end()]
            if len(head) > _HEAD_LIMIT:
                break
    check_text(head[:_FIRST_BYTES], path)
    raise wrong("no page and no <siteinfo>", f"{path}, byte 0", "fetch the file again")


def _check_tail(path: Path, size: int, *, bzip2: bool) -> None:
    """Fail early, at the price of one block, on a file that was cut off."""
    with path.open("rb") as file:
        if bzip2:
            blocks, stop = last_blocks(file, size)
            if stop != size or not blocks:
                found = "bytes after it" if stop and stop < size else "the end of the file"
                raise _cut("the end of a bzip2 stream", found, path, stop or size)
            tail = _last_text(file, blocks)
        else:
            tail = read_at(file, max(0, size - _FIRST_BYTES), _FIRST_BYTES)
    tail = tail.rstrip(b" \t\r\n")
    if len(tail) >= len(_ROOT_END) and not tail.endswith(_ROOT_END):
        found = tail[-40:].decode("utf-8", "backslashreplace")
        raise _cut("</mediawiki>", found, path, size)


def _last_text(file: BinaryIO, blocks: list[tuple[int, int]]) -> bytes:
    """Return the end of the text, or less where a block is damaged, as `check` will find."""
    text = b""
    for start, stop in reversed(blocks):
        data = decode(file, start, stop)
        if data is None:
            return b""
        text = data + text
        if len(text.rstrip()) >= len(_ROOT_END):
            break
    return text


def _cut(expected: str, found: str, path: Path, at: int) -> InputError:
    return InputError(sentence(expected, found, f"{path}, byte {at}", REMEDY))
