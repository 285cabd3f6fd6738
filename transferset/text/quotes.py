"""Runs of apostrophes: `''italic''`, `'''bold'''`, and those that are apostrophes after all."""

from __future__ import annotations

import re

_RUN = re.compile("''+")


def _text_of(run: re.Match[str]) -> str:
    """What is text in a run: of 4 one apostrophe, above 5 what exceeds bold and italics."""
    length = run.end() - run.start()
    return "'" if length == 4 else "'" * (length - 5)


def _apostrophe_at(line: str) -> int:
    """Where a line with odd numbers of bold and of italic marks has an apostrophe before italics.

    MediaWiki's rule: the first bold mark behind a one-letter word (`l'''amour''`), else the first
    behind a longer word, else the first behind a space; -1 when all marks pair up.
    """
    bold = italic = 0
    best, rank = -1, 3
    for match in _RUN.finditer(line):
        start, length = match.start(), match.end() - match.start()
        bold += length != 2
        italic += length == 2 or length >= 5
        if length not in (3, 4):
            continue
        before = line[max(0, start - 2) : start]
        found = 2 if before[-1:] in ("", " ") else 0 if len(before) == 1 or before[0] == " " else 1
        if found < rank:
            best, rank = match.end() - 3, found
    return best if bold % 2 and italic % 2 else -1


def _line(line: str) -> str:
    if "''''" not in line and not line.count("'''") % 2:  # marks only, as nearly always
        return line.replace("'''", "").replace("''", "")
    at = _apostrophe_at(line)
    if at < 0:
        return _RUN.sub(_text_of, line)
    return f"{_RUN.sub(_text_of, line[:at])}'{_RUN.sub(_text_of, line[at + 1 :])}"


def without_quotes(text: str) -> str:
    """Take bold and italic marks out of a text, line by line."""
    out: list[str] = []
    done, bold = 0, text.find("'''")
    while bold >= 0:  # few lines have bold text, and only those need to be looked at
        start = text.rfind("\n", done, bold) + 1 or done
        stop = text.find("\n", bold)
        stop = len(text) if stop < 0 else stop
        out += (text[done:start].replace("''", ""), _line(text[start:stop]))
        done, bold = stop, text.find("'''", stop)
    out.append(text[done:].replace("''", ""))
    return "".join(out)
