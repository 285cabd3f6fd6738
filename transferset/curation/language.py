"""The language of a book, by vote of its passages.

One classification of a whole book would be cheap to fool: by a licence in English around a French
novel, or by long quotations. So pieces from all over the book are classified one by one (py3langid,
whose model is in its package; Lui & Baldwin 2012, "langid.py"), and most votes win.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any, Final

from transferset.errors import UsageError, sentence

#: Pieces of a book that vote, and the characters of each; a shorter text has fewer pieces.
PIECES: Final = 32
PIECE: Final = 500

#: A piece votes if its best language is e^MARGIN times as likely as the next. Pieces of English
#: novels have margins of 194 and more; other processors' sums of float32 moved them by 0.0007. So
#: a machine can matter only to whether a piece within that of MARGIN votes.
MARGIN: Final = 3.0

#: py3langid's class of what is no language: numbers, tables, markup.
_NOT_A_LANGUAGE: Final = "zxx"

# One code for a language that has several: ISO 639-2 and retired codes; and a macrolanguage for
# those of its members that books do not tell apart.
_OTHER_CODES: Final = {
    "en": ("eng",),
    "fr": ("fre", "fra"),
    "de": ("ger", "deu"),
    "it": ("ita",),
    "es": ("spa",),
    "pt": ("por",),
    "nl": ("dut", "nld"),
    "fi": ("fin",),
    "sv": ("swe",),
    "da": ("dan",),
    "la": ("lat",),
    "el": ("gre", "ell"),
    "hu": ("hun",),
    "pl": ("pol",),
    "cs": ("cze", "ces"),
    "ru": ("rus",),
    "zh": ("chi", "zho", "cmn"),
    "ja": ("jpn",),
    "ko": ("kor",),
    "eo": ("epo",),
    "ca": ("cat",),
    "ar": ("ara", "arb", "arz", "ary"),
    "he": ("heb", "iw"),
    "id": ("ind", "in"),
    "no": ("nor", "nob", "nno", "nb", "nn"),
    "ro": ("ron", "rum", "mo"),
    "tr": ("tur",),
    "uk": ("ukr",),
    "bg": ("bul",),
    "cy": ("wel", "cym"),
    "ga": ("gle",),
    "yi": ("yid", "ji"),
    "is": ("ice", "isl"),
    "eu": ("baq", "eus"),
    "sr": ("srp",),
    "hr": ("hrv",),
}
_SAME: Final = {other: code for code, others in _OTHER_CODES.items() for other in others}
_CODE: Final = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True, slots=True)
class Vote:
    """How the pieces of a text voted.

    Args:
        language: With most votes; empty if none voted, or if the first two have equally many.
        share: Of the votes, those for the first; 0 if none voted.
        votes: Pieces that voted.
        uncertain: Pieces that did not: mostly no letters, no language, or one hardly likelier than
            the next.
    """

    language: str
    share: float
    votes: int
    uncertain: int = 0


def vote_language(passages: Sequence[str]) -> Vote:
    """Let pieces from all over a text vote on its language.

    Args:
        passages: The text.

    Returns:
        The outcome.
    """
    asked = [_language(piece) for piece in pieces(passages)]
    counts = Counter(language for language in asked if language)
    votes = counts.total()
    if not votes:
        return Vote("", 0.0, 0, len(asked))
    # by name where votes are equal: the order in which they came is no reason
    (first, most), *others = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    tied = bool(others) and others[0][1] == most
    return Vote("" if tied else first, most / votes, votes, len(asked) - votes)


def pieces(passages: Sequence[str]) -> list[str]:
    """Cut pieces out of a text, at even distances.

    Args:
        passages: The text; neighbours are joined where they are short.

    Returns:
        Up to `PIECES` pieces of up to `PIECE` characters that do not overlap; of a text shorter
        than they are together, all of it.
    """
    ends = list(accumulate(len(passage) + 1 for passage in passages))
    total = ends[-1] if ends else 0
    count = min(PIECES, -(-total // PIECE))
    size = min(PIECE, -(-total // max(count, 1)))
    found = []
    for number in range(count):
        middle = total * (2 * number + 1) // (2 * count)
        piece = _cut(passages, ends, max(middle - size // 2, 0), size)
        if piece.strip():
            found.append(piece)
    return found


def _cut(passages: Sequence[str], ends: Sequence[int], start: int, size: int) -> str:
    """Characters of the passages as if they were joined by spaces."""
    number = bisect_right(ends, start)
    at = start - (ends[number - 1] if number else 0)
    parts: list[str] = []
    while size > 0 and number < len(passages):
        parts.append(passages[number][at : at + size])
        size -= len(parts[-1]) + 1
        number, at = number + 1, 0
    return " ".join(parts)


def _language(piece: str) -> str:
    # tables of numbers are likelier to be Volapük than `zxx`, by the model
    if 2 * sum(unicodedata.category(c)[0] in "LM" for c in piece) < len("".join(piece.split())):
        return ""
    (first, score), (_, next_score), *_ = _identifier().rank(piece)
    if first == _NOT_A_LANGUAGE or score - next_score < MARGIN:
        return ""
    return normal_code(first)


@lru_cache(maxsize=1)
def _identifier() -> Any:
    """The model: a second to load and 77 MB, once in each process that votes."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE)


def normal_code(code: str) -> str:
    """One code for each language, whatever its catalogue writes.

    Args:
        code: As `en`, `eng`, `en-GB`, `EN_us`.

    Returns:
        Two letters where the language has such a code; empty if this is no code.
    """
    found = _CODE.fullmatch(re.split(r"[-_]", code.strip().lower())[0])
    return _SAME.get(found[0], found[0]) if found else ""


def check_language(code: str) -> str:
    """Make sure that books can be chosen by a language.

    Args:
        code: As the user gave it; `any` is fine.

    Returns:
        The code as `Vote` has it.

    Raises:
        UsageError: The model does not know it.
    """
    known = sorted({normal_code(label) for label in _identifier().labels} - {"", _NOT_A_LANGUAGE})
    if code != "any" and normal_code(code) not in known:
        expected = f"the code of a language that can be told from text ({', '.join(known)}) or any"
        raise UsageError(sentence(expected, code, "--language"))
    return code if code == "any" else normal_code(code)
