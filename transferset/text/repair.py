"""Spaces and punctuation, put right where something was taken out, and nowhere else."""

from __future__ import annotations

import re

from transferset.text.marks import GAP, SOUND

_CLOSING = {
    "(": ")",
    "[": "]",
    "{": "}",
    "“": "”",
    "‘": "’",
    "«": "»",
    "„": "“",
    "‚": "‘",
    "‹": "›",
}
_STOPS = frozenset(",;:.!?)]}”»›…")
_WEAK = " ,;:"
_MAX_NESTED = 8

_SOUND = re.compile(f"{SOUND}([^{SOUND}]*+){SOUND}")
_PARENTHESIS = re.compile(r"[()]")
_SAYS = re.compile(
    r"(?:\b(?:(?:also|usually|often|sometimes|commonly|correctly|locally|or|and|[A-Z][a-z]+) ){0,2}"
    r"(?:pronounced|pronunciation|pronounciation|named)(?: (?:as|like|either|in|or|roughly))?:?"
    r"|\b[A-Z][a-z]+(?: [A-Z]?[a-z]+)?:|\b(?:UK|US|RP|GA|IPA):?|\b(?:or|and)) ?$"
)
_ONLY_SAYS = re.compile(
    rf"\((?:[\s,;:/{GAP}]++|(?:or|and|also|occasionally|usually|often|sometimes|commonly|rarely"
    r"|formerly|locally|traditionally|officially|originally|stress on|in|UK|US|RP|GA|IPA)\b)*+\)"
)
_SAYS_LENGTH = 60
_LEADS_TO = re.compile(r"\((?:e\.g\.|i\.e\.|[Ss]ee|[Ss]ee also|cf\.|for example|note)[,:]?$")


def _without_sounds(text: str) -> str:
    """Keep a pronunciation in a sentence; cut one in parentheses with what leads to it."""
    out: list[str] = []
    done = depth = 0
    for match in _SOUND.finditer(text):
        before = text[done : match.start()]
        for bracket in _PARENTHESIS.findall(before):
            depth = depth + 1 if bracket == "(" else max(0, depth - 1)
        if match[1] and not depth:
            out += (before, match[1])
        else:
            at = max(0, len(before) - _SAYS_LENGTH)
            out += (before[:at], _SAYS.sub("", before[at:]), GAP)
        done = match.end()
    out.append(text[done:])
    return _ONLY_SAYS.sub(GAP, "".join(out).replace(SOUND, ""))


class _Joiner:
    """Puts pieces together whose ends now meet."""

    def __init__(self, first: str) -> None:
        self.out = [first]

    def last(self) -> tuple[str, bool]:
        """The piece that the text so far ends with, and whether a space ended it."""
        spaced = False
        while self.out:
            piece = self.out[-1].rstrip(" ")
            spaced = spaced or piece != self.out[-1]
            self.out[-1] = piece
            if piece:
                return piece, spaced
            self.out.pop()
        return "", spaced

    def append(self, right: str, spaced: bool) -> None:
        """Append `right` across a gap that had spaces or not."""
        for _ in range(_MAX_NESTED):
            left, space = self.last()
            spaced = spaced or space or right[:1] == " "
            right = right.lstrip(_WEAK if not left or left[-1] in "([{" else " ")
            if (
                not left
                or not right
                or _CLOSING.get(left[-1], left[-1] * (left[-1] == '"')) != right[0]
            ):
                break
            self.out[-1], right, spaced = left[:-1], right[1:], False
        left, _ = self.last()
        if right[:1] == ")" and left[-1:] in ".,:enor" and (lead := _LEADS_TO.search(left[-14:])):
            self.out[-1] = left[: lead.start() - min(14, len(left))]
            self.append(right[1:], False)
            return
        self.out.append(self.fitted(left, right, spaced))

    def fitted(self, left: str, right: str, spaced: bool) -> str:
        """What follows `left`; of two marks of punctuation that meet the weaker one goes."""
        if not left or not right or left[-1] in _CLOSING:
            return right
        if right[0] not in _STOPS:
            # digits meet only where a fraction follows its whole number
            apart = spaced or (left[-1].isdigit() and right[0].isdigit())
            return f" {right}" if apart else right
        if left[-1] in ",;:":
            if right[0] == ",":
                return right[1:]
            self.out[-1] = left.rstrip(_WEAK)
        return right


def repaired(text: str) -> str:
    """Repair one paragraph around its gaps.

    `( , x)` becomes `(x)`; `()` goes with one of the spaces around it; `word , word` becomes
    `word, word`; `; )` becomes `)`. The work for each gap is bounded by the pieces beside it.
    """
    if SOUND in text:
        text = _without_sounds(text)
    if text[:1] == GAP:
        text = text.lstrip(GAP + _WEAK)
    if GAP not in text:
        return text
    first, *pieces = text.split(GAP)
    joiner = _Joiner(first)
    spaced = False
    for piece in pieces:
        if piece and not piece.isspace():
            joiner.append(piece, spaced)
            spaced = False
        else:  # gaps with nothing but spaces between them are one
            spaced = spaced or piece != ""
    if not pieces[-1].strip(" "):
        joiner.append("", spaced)
    return "".join(joiner.out)
