"""What editors put in brackets: illustrations, footnotes and their marks, page numbers, notes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from transferset.text.books.characters import PAGE, Removed, visible

LONGEST: Final = 20_000
"""Characters of the longest bracket that is taken out; a longer one was never closed."""

_KINDS: Final = (
    (
        "illustration",
        re.compile(r"(?:Illustrations?|Frontispiece|Decoration|Map|Plate)\b *[:.\]]", re.I),
    ),
    ("footnote", re.compile(r"(?:Footnotes?|Endnote)\b *[^\W_]{0,6} *[:.]", re.I)),
    ("sidenote", re.compile(r"(?:Sidenote|Margin(?:al)? note|Headnote)\b", re.I)),
    ("transcriber_note", re.compile(r"Transcriber|Transcription|TN:|T\.N\.|Blank page\]", re.I)),
    ("page_number", re.compile(r"(?:Pg\.?|Page|p\.) *[\divxlc]{1,6}\]", re.I)),
)  # fmt: skip
_MARK: Final = re.compile(r"(?:\d{1,3}|[A-Za-z]|[*†‡§]{1,3}|\d{1,3}[a-z])\]")
_BRACES: Final = re.compile(r"\{(?:(?:Pg|p|Page)?\.? ?[\divxlc]{1,5})\}")
_STOPS: Final = frozenset(".,;:!?)")


def without_brackets(text: str, removed: Removed) -> str:
    """Take out what is no part of the running text.

    A bracket that fills its lines becomes the end of a page, across which a sentence may go on.
    One that is never closed stays, as does any bracket of another kind.
    """
    spans = _spans(text) if "[" in text else []
    if "{" in text:
        spans += [(m.start(), m.end(), "page_number") for m in _BRACES.finditer(text)]
        spans.sort()
    return _without(text, spans, removed) if spans else text


def _spans(text: str) -> list[tuple[int, int, str]]:
    """Find outermost brackets of a known kind, in order."""
    opened: list[int] = []
    found: list[tuple[int, int, str]] = []
    for at in sorted([*_places(text, "["), *_places(text, "]")]):
        if text[at] == "[":
            opened.append(at)
        elif opened and (kind := _kind(text, start := opened.pop(), at + 1)):
            while found and found[-1][0] > start:
                found.pop()
            found.append((start, at + 1, kind))
    return found


def _places(text: str, character: str) -> Iterator[int]:
    at = text.find(character)
    while at >= 0:
        yield at
        at = text.find(character, at + 1)


def _kind(text: str, start: int, end: int) -> str:
    if end - start > LONGEST:
        return ""
    if _MARK.match(text, start + 1):
        return "footnote_mark" if _marks_a_note(text, start, end) else ""
    return next((name for name, opening in _KINDS if opening.match(text, start + 1)), "")


def _marks_a_note(text: str, start: int, end: int) -> bool:
    """Whether `[1]` or `[A]` stands right behind a word, or leads a note.

    A number may have a space before it; a letter may not (`the line [A] to [B]`).
    """
    before = text[start - 1 : start]
    if not before or text[max(0, start - 2) : start] == "\n\n":
        return True
    if not before.isspace():
        return True
    return not text[start + 1].isalpha() and text[start - 2 : start - 1].strip() != ""


def _without(text: str, spans: list[tuple[int, int, str]], removed: Removed) -> str:
    out: list[str] = []
    done = 0
    for start, end, kind in spans:
        if start < done:
            continue
        removed[kind] += visible(text[start:end])
        before = text[done:start]
        alone = (before or "\n")[-1] == "\n" and text[end : end + 1] in ("", "\n")
        if alone and kind != "footnote_mark":
            out.append(before)
            if (start < 2 or text[start - 2] == "\n") and text[end : end + 2] in ("\n\n", "\n", ""):
                out.append(PAGE)
            else:
                end += 1
        else:
            spaced = before.endswith(" ") and (text[end : end + 1] in _STOPS or start - 1 < done)
            out.append(before[:-1] if spaced and text[end : end + 1] in _STOPS else before)
        done = end
    out.append(text[done:])
    return "".join(out)
