"""EPUB: a book in an archive, its chapters in XHTML. Its text, in the order in which it is read.

Left out, and counted: what `epub_rules` names; files of the spine that are not linear (notes
that pop up, covers, answers); a table of contents that the guide names; and the licence of
Project Gutenberg in the text, for files that do not mark it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import BinaryIO, Final

from transferset.errors import InputError, sentence
from transferset.sources.books.archives import Archive
from transferset.sources.books.epub_text import Extracted, extract, visible
from transferset.sources.books.opf import Package, SpineItem, read_package
from transferset.sources.books.xhtml import decoded

#: Most bytes of the content files of an EPUB, unpacked.
MOST_TEXT: Final = 64 << 20

_TEXTS: Final = ("application/xhtml+xml", "text/html", "text/x-oeb1-document")
_PICTURES: Final = "image/"

# The header was never longer than 30 kB, the licence never than 25 kB: a marker elsewhere is text.
_HEADER: Final = 40_000
_FOOTER: Final = 40_000
_START: Final = re.compile(
    r"^\*{3} ?START OF (?:THE |THIS )?PROJECT GUTENBERG[^\n]*|^\*END\*? ?THE SMALL PRINT[^\n]*",
    re.IGNORECASE | re.MULTILINE,
)
_END: Final = re.compile(
    r"^(?:\*{3} ?END OF (?:THE |THIS )?PROJECT GUTENBERG"
    r"|(?:THE )?END OF (?:THE |THIS )?PROJECT GUTENBERG)",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Epub:
    """A book read from an EPUB.

    Args:
        text: A blank line between paragraphs, headings and stanzas; each of them one line, but
            stanzas one a line of verse.
        package: What it says of itself.
        removed: Characters that are not in the text, white space aside, by what they were.
        pictures: How many pictures it has.
    """

    text: str
    package: Package
    removed: dict[str, int]
    pictures: int


def read_epub(file: BinaryIO, at: str) -> Epub:
    """Read an EPUB.

    Args:
        file: The archive, seekable.
        at: What messages call it.

    Returns:
        Its text.

    Raises:
        InputError: It is damaged, too large, encrypted, or hostile.
    """
    archive = Archive(file, at)
    package = read_package(archive)
    removed: Counter[str] = Counter()
    blocks: list[str] = []
    pictures, left = 0, MOST_TEXT
    for item in package.spine:
        if not _is_text(item, at):
            pictures += 1
            continue
        raw = archive.read(item.name, left)
        left -= len(raw)
        where = f"{at}, {item.name}"
        found = extract(decoded(raw, where), where)
        removed += found.removed
        pictures += found.pictures
        why = _left_out(item, found, package)
        if why:
            removed[why] += sum(map(visible, found.blocks))
        else:
            blocks += found.blocks
    text = _without_licence("\n\n".join(blocks), removed)
    return Epub(text, package, dict(removed), pictures)


def _is_text(item: SpineItem, at: str) -> bool:
    if item.kind not in _TEXTS and not item.kind.startswith(_PICTURES):
        found = item.kind or "no type"
        raise InputError(sentence("XHTML in the spine", found, f"{at}, {item.name}"))
    return item.kind in _TEXTS


def _left_out(item: SpineItem, found: Extracted, package: Package) -> str:
    if not item.linear:
        return "not_linear"
    # a guide may call a file so that holds the whole book: contents are mostly links
    mostly_links = 2 * found.linked > sum(map(visible, found.blocks))
    return "contents" if item.name in package.contents and mostly_links else ""


def _without_licence(text: str, removed: Counter[str]) -> str:
    """Cut at the last start marker of the header and the first end marker of the footer."""
    start, end = 0, len(text)
    for marker in _START.finditer(text, 0, min(_HEADER, len(text))):
        start = marker.end()
    marker_of_end = _END.search(text, max(start, len(text) - _FOOTER))
    if marker_of_end:
        end = marker_of_end.start()
    if (start, end) != (0, len(text)):
        removed["licence"] += visible(text[:start]) + visible(text[end:])
    return text[start:end].strip("\n")
