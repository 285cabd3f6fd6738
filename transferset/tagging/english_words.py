r"""The word rule of the lexicon tagger: English words about as the Penn Treebank has them.

Nothing that the rule looks at reaches across a space, so what stands between two spaces (here a
*run*) is cut once, however often it occurs, and linear time is a matter of short patterns. It
follows the Treebank where a tagger depends on it (`ca|n't`, `dog|'s`, `can|not`, brackets, quotes,
sentence punctuation apart, `U.S.` and `Mr.` whole) and departs from it where words are going to be
replaced: hyphenated words, web and mail addresses, emoji and numbers with their marks are one word
each, `and/or` is three, and so is every character of scripts without spaces (Han and kana).

A full stop stays with an initial, an abbreviation of the list or letters with stops between;
otherwise it is a word, also inside a text, as nobody cuts the texts of tasks into sentences first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transferset.tagging.words import MARKS, Cut, ends

#: Changes whenever a text may be cut in another way.
RULE: Final = "english-1"

_ALONE: Final = r"\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_JOINT: Final = rf"{MARKS}\u00ad\u200c\u200d"
_LETTER: Final = rf"[^\W\d_{_ALONE}]"
_WORD: Final = rf"(?:[^\W{_ALONE}]++|[{_JOINT}]++)++"
_END: Final = rf"(?![\w{_JOINT}])"
_PICTURE: Final = r"[\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]"
_DRESS: Final = r"[\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*+"
_NOT: Final = rf"n['’]t{_END}"
_SUFFIX: Final = rf"['’](?:s|re|ve|ll|d|m){_END}"
_SHORT: Final = (
    "adm apr aug ave blvd bros capt cmdr co col corp dec dept dr esq etc feb ft gen gov hon inc jan"
    " jr lt ltd maj messrs mr mrs ms mt nov oct ph.d pres prof rep rev sen sept sgt sr st vs"
)

# The first that fits at a place; every character fits the last one. Where one that begins anywhere
# in a run could read on to its end, its length is limited or it takes what it has read: so no run
# takes more than linear time.
_PATTERNS: Final = (
    r"(?:(?:https?|ftp)://|www\.)\S*[\w/=&#%+-]",
    r"[\w.+-]{1,64}@[\w-]++(?:\.[\w-]++)+|@\w+",  # 64: RFC 5321, § 4.5.3.1.1
    r"-[lr][rcs]b-",
    rf"[{_ALONE}][{MARKS}]*",
    rf"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3"
    rf"|{_PICTURE}{_DRESS}(?:\u200d{_PICTURE}{_DRESS})*",
    rf"{_SUFFIX}|{_NOT}|['’](?:em|til|tis|twas|cause|bout|n|\d0s){_END}",
    rf"(?:{_LETTER}\.)+{_LETTER}{_END}\.?",
    rf"(?:(?:{'|'.join(map(re.escape, _SHORT.split()))})|(?-i:[A-HJ-Z]))\.{_END}",
    rf"can(?=not{_END})|gon(?=na{_END})|got(?=ta{_END})",
    rf"[^\W{_ALONE}]+(?={_NOT})",
    # a word with hyphens, ampersands, apostrophes and stops inside, or a number with its marks
    rf"(?:\.(?=\d))?{_WORD}"
    rf"(?:(?:[-‐‑&]|(?<=\d)[.,:/](?=\d)|\.(?=(?-i:[a-z0-9]))|(?!{_SUFFIX})['’]){_WORD})*",
    r"[:;=][-o']?[()DP/\\|](?!\w)",
    r"``|''|\.{2,}|-{2,}|={2,}|~{2,}|\*{2,}|#{2,}",
    rf"[\s\S][{MARKS}\ufe0f]*",
)

#: Runs kept with their words: as many as most tasks have, some 10 MB.
_MOST: Final = 1 << 16
_LONGEST: Final = 60


class _Runs(dict[str, list[str]]):
    """The words of runs, cut when first asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._cut = re.compile("|".join(_PATTERNS), re.IGNORECASE).findall

    def __missing__(self, run: str) -> list[str]:
        words: list[str] = self._cut(run)
        if len(run) <= _LONGEST:
            if len(self) >= _MOST:
                self.clear()
            self[run] = words
        return words


class EnglishWords:
    """Cuts normal texts by the rule above."""

    def __init__(self) -> None:
        self._runs = _Runs()

    def __call__(self, texts: Sequence[str]) -> Cut:
        """Cut texts.

        Args:
            texts: Normal texts.
        """
        if not texts:
            return Cut([], np.empty(0, np.bool_), np.zeros(1, np.int64))
        split = pc.split_pattern(pa.array(texts, pa.large_string()), " ")
        runs = split.flatten().dictionary_encode()
        cut = [self._runs[run] for run in runs.dictionary.to_pylist()]
        return _spread(cut, runs.indices.to_numpy(), split.offsets.to_numpy())


def _spread(
    cut: list[list[str]], runs: npt.NDArray[np.int32], starts: npt.NDArray[np.int64]
) -> Cut:
    """Put the words of each different run wherever it stands.

    Args:
        cut: Words of the different runs.
        runs: Which of them stands where, flat over all texts.
        starts: Where the runs of each text begin, and the last ends.
    """
    places = ends(np.fromiter(map(len, cut), np.int64, len(cut)))
    after = ends(np.diff(places)[runs])
    shift = np.repeat(places[runs] - after[:-1], np.diff(after))
    words = np.array(list(chain.from_iterable(cut)), object)
    space = np.zeros(after[-1], np.bool_)
    offsets = after[starts]
    space[after[1:][np.diff(after) > 0] - 1] = True
    space[offsets[1:][np.diff(offsets) > 0] - 1] = False
    return Cut(words[np.arange(len(shift)) + shift].tolist(), space, offsets)
