"""Texts that word rules stumble over."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from transferset.tagging import normal_text
from transferset.tagging.words import Cut

PIECES = (
    *"aBéßЖक中あ한ิ́ __007\"'’`“»([<{)]>}.,:;!?/\\-–—&@#$%*+=~|^",
    *("n't", "'s", "’ll", "cannot", "gonna", "Mr.", "U.S.", "e.g", "...", "--", "``", "''", ":)"),
    *("http://", "www.", "a@b.c", "3.14", "1/2", "\u200b", "\u200d", "\ufeff", "\u00ad", "\ufe0f"),
    *("👩", "🏽", "🇩", "🇪", "\U000e0067", "\u20e3", "\U00020000", "\ufffd", "\ud7ff", "d'ye"),
    *(
        " ",
        " ",
        " ",
        "\u00a0",
        "\n",
        "\x00",
        "\x1c",
        "\x85",
        "\u2028",
        "\u3000",
        "\\g<0>",
        "[MASK]",
    ),
)

#: Normal texts, most of them short and strange.
texts = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=25).map("".join),
    st.text(st.characters(codec="utf-8"), max_size=25),
).map(normal_text)


def together(found: Cut) -> list[str]:
    """The texts that words and spaces make."""
    spaces = found.space.tolist()
    marked = [word + " " * space for word, space in zip(found.words, spaces, strict=True)]
    ends = found.offsets.tolist()
    return ["".join(marked[a:b]) for a, b in pairwise(ends)]


def check(found: Cut, given: Sequence[str]) -> None:
    """What holds of any tagger's words."""
    assert together(found) == list(given)
    assert all(found.words)
    assert not any(" " in word for word in found.words)
    assert found.space.dtype == np.bool_
    assert found.offsets.dtype == np.int64
