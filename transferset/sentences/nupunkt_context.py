r"""Where nupunkt looks for a boundary, in any text, and which words it looks at there.

The steps of nupunkt 0.8.0 for texts that the fast way of `candidates` cannot take: runs of end
characters, spaced ellipses, punctuation glued to the next word, line breaks. Linear in the text:
what belongs to a candidate is cut only when it is known that the candidate counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

ENDS = ".?!…"
CLOSERS = r"\"')\]}”’»*"
CLOSING = frozenset("\"')]}”’»*")

_OUTSIDE = r"""(?:[)";}\]*:@({\[\s?!”»]|['’](?![^\W\d_]))"""
_RUN = r"(?:-{2,}|\.{2,}|(?:\.\s+)+\.|…)"
#: The words of a line.
TOKENS = re.compile(
    rf"{_RUN}|(?![(\"`{{\[:;&#*@)}}\]\-,])\S+?"
    rf"(?=\s|$|{_OUTSIDE}|{_RUN}|,(?=$|\s|{_OUTSIDE}|{_RUN}))|\S"
).findall
#: What follows an end character that may end a sentence; of a spaced ellipsis only the last may.
FOLLOWED = rf"(?={_OUTSIDE})(?!(?<=\.)\s++\.)"
#: The number or letter of a list item at the start of a line.
ENUMERATOR = re.compile(r"[ \t]*+\(?(?:\d{1,3}|[A-Za-z]|[ivxlcIVXLC]{1,6})\)?\.")
#: An enumerator's period must stand among this many characters of its line.
ENUMERATOR_END = 13
#: `!` or `?` before a word: always a break.
CERTAIN = re.compile(r"[!?]\s(?=[^\W\d_])")

_CANDIDATE = re.compile(rf"[{ENDS}]{FOLLOWED}")
_TAIL = re.compile(rf"[{CLOSERS}]*")
_NEXT = re.compile(r"\s*\S*")
_TO_LAST_SPACE = re.compile(r".*\s", re.DOTALL)
_RUN_GOES_ON = re.compile(r"[!?]|[ \t]++[!?](?:[\s!?]|\Z)")
_QUOTATION_GOES_ON = re.compile(rf"[{CLOSERS}]++[ \t]*+(.)", re.DOTALL)


def boundaries(text: str) -> Iterator[tuple[int, str, str]]:
    """Find the places that must be judged.

    Args:
        text: Any text.

    Yields:
        Position of an end character, the words up to it with the closing punctuation behind it,
        and what follows: white space and one word.
    """
    for at, begin in _contexts(text):
        if _enumerates(text, at) or _goes_on(text, at + 1):
            continue
        tail = matched(_TAIL, text, at + 1)
        yield at, text[begin:tail], text[tail : matched(_NEXT, text, tail)]


def tokens_around(before: str, after: str) -> Iterator[tuple[str, bool, bool]]:
    """Cut the words around a place into tokens, without closing punctuation.

    Args:
        before: Words up to the place.
        after: White space and the next word.

    Yields:
        Token, whether it starts a paragraph, and whether it belongs to `before`; of `after`
        at most one.
    """
    left = sum(len(TOKENS(line)) for line in before.split("\n"))
    new_paragraph = False
    for line in (before + after).split("\n"):
        new_paragraph = new_paragraph or not line.strip()
        for token in TOKENS(line):
            left -= 1
            if CLOSING.issuperset(token):
                continue
            yield token, new_paragraph, left >= 0
            new_paragraph = False
            if left < 0:
                return


def matched(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Return where a match at `at` ends; `at` without one."""
    found = pattern.match(text, at)
    return found.end() if found else at


def _contexts(text: str) -> Iterator[tuple[int, int]]:
    """Yield end characters, the last of each word, with the start of the words to judge."""
    previous = -1
    begin = last = 0
    for match in _CANDIDATE.finditer(text):
        at = match.start()
        start = _start_of_words(text, last, begin, at)
        if previous >= 0 and last <= start:
            yield previous, begin
        previous = last = at
        begin = start
    if previous >= 0:
        yield previous, begin


def _start_of_words(text: str, last: int, begin: int, at: int) -> int:
    """Return where the word at `at` starts, or the spaced ellipsis with the word before it.

    Args:
        text: The text.
        last: Position of the candidate before this one.
        begin: Where that one's words start; they go on if no white space lies between.
        at: Position of the end character.
    """
    start = _after_space(text, last, at, begin)
    if at > 1 and text[at - 1].isspace():
        run = _start_of_ellipsis(text, at)
        if run < at:
            stop = last + len(text[last:run].rstrip())
            return min(start, _after_space(text, last, stop, begin))
    return start


def _after_space(text: str, start: int, stop: int, otherwise: int) -> int:
    found = _TO_LAST_SPACE.match(text, start, stop)
    return found.end() if found and found.end() > start + 1 else otherwise


def _start_of_ellipsis(text: str, at: int) -> int:
    """Walk back over periods that white space separates."""
    while True:
        i = at - 1
        while i >= 0 and text[i].isspace():
            i -= 1
        if not 0 <= i < at - 1 or text[i] != ".":
            return at
        at = i


def _enumerates(text: str, at: int) -> bool:
    """Whether the period at `at` ends the enumerator of its line."""
    if text[at] != ".":
        return False
    low = max(0, at + 1 - ENUMERATOR_END)
    line = text.rfind("\n", low, at)
    if line < 0 and low:
        return False
    return ENUMERATOR.fullmatch(text, line + 1, at + 1) is not None


def _goes_on(text: str, after: int) -> bool:
    """Whether the sentence goes on at `after`: `?!`, `! !`, or `?" he asked`."""
    if _RUN_GOES_ON.match(text, after):
        return True
    found = _QUOTATION_GOES_ON.match(text, after)
    return found is not None and found.group(1).islower()
