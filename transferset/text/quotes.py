"""Runs of apostrophes: `''italic''`, `'''bold'''`, and those that are apostrophes after all."""

from __future__ import annotations

import re

_RUN = re.compile("''+")


def _apostrophes(length: int) -> int:
    """How many of a run of apostrophes are text: 4 is one and bold, more than 5 is the rest and both."""
    if length == 4:
        return 1
    return max(0, length - 5)


def _balanced(line: str) -> str:
    """A line with an odd number of bold and of italic marks: one bold is an apostrophe and italics.

    As in MediaWiki's quote pass: `l'''amour''` is l’, then italics. The first bold mark that
    follows a single-letter word is taken, else one behind a longer word, else one behind a space.
    """
    best, rank = -1, 9
    for match in _RUN.finditer(line):
        if match.end() - match.start() not in (3, 4):
            continue
        before = line[max(0, match.start() - 2) : match.start()]
        found = 2 if before[-1:] in ("", " ") else 0 if before[:1] == " " or len(before) == 1 else 1
        if found < rank:
            best, rank = match.start(), found
    return line if best < 0 else f"{line[:best]}’{line[best + 1 :]}"


def _is_odd(line: str) -> bool:
    bold = italic = 0
    for run in _RUN.findall(line):
        bold += len(run) != 2
        italic += len(run) == 2 or len(run) >= 5
    return bold % 2 == 1 and italic % 2 == 1


def without_quotes(text: str) -> str:
    """Take bold and italic marks out of a text, line by line."""
    if "''" not in text:
        return text
    if "'''" not in text:
        return text.replace("''", "")
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if "'''" in line:
            lines[at] = _line(line)
    return "\n".join(lines).replace("''", "").replace("’\x00", "'")


def _line(line: str) -> str:
    if _is_odd(line):
        line = _balanced(line).replace("’''", "'\x00''", 1)
    return _RUN.sub(lambda m: "'" * _apostrophes(m.end() - m.start()), line).replace("\x00", "")
