"""Texts as words, each with or without a space after it: put together again they are the texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

#: What a word is for replacement, in lower case and as a whole: TinyBERT's rule (Jiao et al. 2019,
#: `data_augmentation.py`), which leaves punctuation, numbers and `n't` alone.
ENGLISH_WORD: Final = "[a-z]+"

#: Marks that are part of the letter or syllable before them, which `\w` does not know.
MARKS: Final = (
    "\\u0300-\\u036f\\u0483-\\u0489\\u0591-\\u05bd\\u05bf-\\u05c5\\u05c7\\u0610-\\u061a"
    "\\u064b-\\u065f\\u0670\\u06d6-\\u06ed\\u0711\\u0730-\\u074a\\u07a6-\\u07b0\\u07eb-\\u07f3"
    "\\u0816-\\u082d\\u0859-\\u085b\\u08d3-\\u0963\\u0971-\\u0df3\\u0e31-\\u0e3a\\u0e47-\\u0e4e"
    "\\u0eb1-\\u0ebc\\u0ec8-\\u0ece\\u0f71-\\u0f84\\u0f86-\\u0fbc\\u102b-\\u103e\\u1056-\\u109d"
    "\\u135d-\\u135f\\u17b4-\\u17d3\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20f0\\u3099\\u309a"
    "\\ufe20-\\ufe2f"
)

#: The same for every other language: letters of any script, with their marks.
ANY_WORD: Final = rf"[^\W\d_](?:[^\W\d_]|[{MARKS}])*"

# Control characters that are no white space. BERT drops them as well; a word of nothing else would
# have no piece, and a terminal would obey it.
_CONTROL: Final = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]+")


class Cut(NamedTuple):
    """Words of some texts.

    Attributes:
        words: Flat over all texts; none is empty or holds a space.
        space: bool[words], whether a space follows; False for the last word of a text.
        offsets: int64[texts + 1]: text i has the words offsets[i] to offsets[i + 1].
    """

    words: list[str]
    space: npt.NDArray[np.bool_]
    offsets: npt.NDArray[np.int64]


#: A rule that cuts normal texts.
Cutter = Callable[[Sequence[str]], Cut]


def normal_text(text: str) -> str:
    r"""Make white space plain, so that words and single spaces are all that a text is.

    Args:
        text: Any text.

    Returns:
        The text without control characters (C0, C1 and DEL, deleted as BERT does), each run of
        white space one space, none at the ends. White space is what Unicode and `str.isspace`
        call so, with no-break spaces, tabs, line ends and U+001C to U+001F; zero-width spaces and
        joiners are none and stay.
    """
    if _CONTROL.search(text):
        text = _CONTROL.sub("", text)
    return " ".join(text.split())


def on_spaces(texts: Sequence[str]) -> Cut:
    """Cut texts that are already tokenised, as SST-2 is: a word is what stands between spaces.

    Args:
        texts: Normal texts.
    """
    # an empty text has no words, but splits into one
    words = " ".join(filter(None, texts)).split(" ") if any(texts) else []
    sizes = (text.count(" ") + 1 if text else 0 for text in texts)
    offsets = ends(np.fromiter(sizes, np.int64, len(texts)))
    return Cut(words, inside(offsets), offsets)


def ends(sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where each text ends if these are the numbers of words, after a 0: int64[texts + 1]."""
    offsets = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=offsets[1:])
    return offsets


def inside(offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which words are not the last of their text: bool[words]."""
    found = np.ones(int(offsets[-1]), np.bool_)
    found[offsets[1:][np.diff(offsets) > 0] - 1] = False
    return found


def gathered(texts: Iterable[tuple[list[str], list[bool]]]) -> Cut:
    """Put the words of texts that were cut one by one into one `Cut`.

    Args:
        texts: Of each text, the words and whether a space follows.
    """
    pairs = list(texts)
    words = list(chain.from_iterable(pair[0] for pair in pairs))
    space = np.fromiter(chain.from_iterable(pair[1] for pair in pairs), np.bool_, len(words))
    sizes = np.fromiter((len(pair[0]) for pair in pairs), np.int64, len(pairs))
    return Cut(words, space, ends(sizes))
