"""Spaces and punctuation, put right where something was taken out, and nowhere else."""

from __future__ import annotations

import re

from transferset.text.marks import GAP, SOUND

_OPENING = "([{“‘«„‚‹"
_CLOSING = {"(": ")", "[": "]", "{": "}", "“": "”", "‘": "’", "«": "»", "„": "“", "‚": "‘", "‹": "›"}
_STOPS = ",;:.!?)]}”»›…"
_WEAK = ",;:"

_SOUND = re.compile(rf"{SOUND}([^{SOUND}]*+){SOUND}")
_PARENTHESIS = re.compile(r"[()]")
_SAYS = re.compile(
    r"(?:\b(?:(?:American|British|Australian|Canadian|Irish|Scottish|local|locally|also|usually|often|"
    r"sometimes|commonly|correctly|or|and|[A-Z][a-z]+) )?(?:pronounced|pronunciation|pronounciation|IPA)"
    r"(?: (?:as|like|either|in|or|roughly))?:?|\b(?:UK|US|RP|GA|IPA):?|\b(?:or|and)) ?$"
)


def _sounds(text: str) -> str:
    """Keep a pronunciation that stands in a sentence, cut one that stands in parentheses."""
    out: list[str] = []
    done = depth = 0
    for match in _SOUND.finditer(text):
        before = text[done : match.start()]
        for bracket in _PARENTHESIS.findall(before):
            depth = depth + 1 if bracket == "(" else max(0, depth - 1)
        if depth or not match[1]:
            before = _SAYS.sub("", before[-60:]).rjust(0) if len(before) <= 60 else (
                before[:-60] + _SAYS.sub("", before[-60:])
            )
        out += (before, GAP if depth or not match[1] else match[1])
        done = match.end()
    out.append(text[done:])
    return "".join(out).replace(SOUND, "")


def _joined(left: str, right: str) -> tuple[str, str]:
    """Make two ends that now meet fit each other."""
    spaced = left[-1:] == " " or right[:1] == " "
    left, right = left.rstrip(" "), right.lstrip(" ")
    if not left or left[-1] in _OPENING:
        right = right.lstrip(" ,;:")
        if left and right[:1] == _CLOSING[left[-1]]:
            return _joined(left[:-1], right[1:])
        return left, right
    if not right:
        return left, right
    if right[0] in _STOPS:
        if left[-1] in _WEAK and right[0] not in _OPENING:
            return _weaker(left, right)
        return left, right
    return left, (f" {right}" if spaced else right)


def _weaker(left: str, right: str) -> tuple[str, str]:
    """Of two marks of punctuation that meet, keep the one that ends more."""
    if right[0] == ",":
        return left, right[1:]
    return left.rstrip(" ,;:"), right


def repaired(text: str) -> str:
    """Repair one paragraph around its gaps.

    `( , x)` becomes `(x)`, `()` goes with one of the spaces around it, `word , word` becomes
    `word, word`, `; )` becomes `)`. Work is constant for each gap, so linear in the text.
    """
    if SOUND in text:
        text = _sounds(text)
    if GAP not in text:
        return text
    pieces = text.split(GAP)
    out = [pieces[0]]
    for piece in pieces[1:]:
        left, right = _joined(out.pop(), piece)
        while out and not left:
            left, right = _joined(out.pop(), right)
        out += (left, right)
    return "".join(out)
