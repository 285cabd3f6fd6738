"""What a single line of a book looks like: a heading, the end of a sentence, a new beginning."""

from __future__ import annotations

import re
from typing import Final

_OPENERS: Final = " \"'“”‘’«»„([{_=~*—–-¿¡"
_CLOSERS: Final = " \"'“”‘’«»)]}_=~*"
_ITEM: Final = re.compile(r" *+(?:\d{1,3}[.)]|[IVXLC]{1,8}\.|[•*-]) ")
_NUMERAL: Final = re.compile(r"[IVXLC]{1,8}\.?")
_ROMAN: Final = r"[IVXLCivxlc]{1,8}"
_NUMBERED: Final = re.compile(
    r"(?:(?i:chapter|book|volume|vol\.|part|act|scene|canto|letter|stave|section|epilogue|prologue"
    r"|appendix|preface|introduction|adventure|lecture|sonnet))"
    rf"(?: (?:(?i:the )?\w{{3,12}}|\d{{1,4}}|{_ROMAN}))?(?: ?[.:)—–-].{{0,80}})?"
)
_ABBREVIATIONS: Final = frozenset(
    ["mr", "mrs", "ms", "dr", "st", "messrs", "mme", "mlle", "rev", "hon", "col", "capt", "gen",
     "lt", "sgt", "prof", "esq", "jr", "sr", "no", "vol", "viz", "maj"]
)  # fmt: skip
_ENDINGS: Final = tuple(".!?…。！？।॥؟۔")
_PAUSES: Final = (*_ENDINGS, ",", ":", ";", "-", "—", "–")


def opens(line: str) -> bool:
    """Whether a line begins like a sentence, a line of verse or an item of a list."""
    return line.lstrip(_OPENERS)[:1].isupper() or is_item(line)


def is_item(line: str) -> bool:
    """Whether a line begins with a number or a bullet."""
    return _ITEM.match(line) is not None


def ends_sentence(line: str) -> bool:
    """Whether a full stop or its kin ends a line, and not an abbreviation such as `Mr.`."""
    end = line.rstrip(_CLOSERS)
    return end.endswith(_ENDINGS) and not abbreviated(end)


def pauses(line: str) -> bool:
    """Whether a line ends with a mark of punctuation, and not with an abbreviation."""
    end = line.rstrip(_CLOSERS)
    return (end != line.rstrip() or end.endswith(_PAUSES)) and not abbreviated(end)


def abbreviated(line: str) -> bool:
    """Whether a line ends with an abbreviation that a name follows, or with an initial."""
    if not line.endswith("."):
        return False
    word = line[-12:-1].rpartition(" ")[2].lstrip(_OPENERS)
    return (len(word) == 1 and word.isupper() and word != "I") or word.lower() in _ABBREVIATIONS


def is_numbered_heading(line: str) -> bool:
    """Whether a line is `CHAPTER I`, `Book the First. Of Morals`, or a numeral alone."""
    line = line.strip(" _=~*")
    return bool((_NUMBERED.fullmatch(line) and line[:1].isupper()) or _NUMERAL.fullmatch(line))


def is_heading(line: str) -> bool:
    """Whether a line is a heading: numbered, or in capitals throughout."""
    return (line.isupper() and sum(map(str.isalpha, line)) > 2) or is_numbered_heading(line)
