"""The merge loop against its definition."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transferset.tokens.merges import Symbols


def naive(words: dict[str, int], alphabet: list[str], merges: int, min_count: int) -> list[str]:
    """Count all pairs anew for every merge."""
    pieces = list(alphabet)
    spelt = {word: [word[0], *("##" + c for c in word[1:])] for word in words}
    for _ in range(merges):
        pairs: Counter[tuple[int, int]] = Counter()
        for word, symbols in spelt.items():
            for left, right in itertools.pairwise(symbols):
                pairs[pieces.index(left), pieces.index(right)] += words[word]
        best = min(pairs, key=lambda pair: (-pairs[pair], pair), default=None)
        if best is None or pairs[best] < min_count:
            break
        left, right = pieces[best[0]], pieces[best[1]]
        if (merged := left + right.removeprefix("##")) not in pieces:
            pieces.append(merged)
        spelt = {word: replaced(symbols, [left, right], merged) for word, symbols in spelt.items()}
    return pieces


def replaced(symbols: list[str], pair: list[str], merged: str) -> list[str]:
    if len(symbols) < 2:
        return symbols
    if symbols[:2] == pair:
        return [merged, *replaced(symbols[2:], pair, merged)]
    return [symbols[0], *replaced(symbols[1:], pair, merged)]


def fast(words: dict[str, int], alphabet: list[str], merges: int, min_count: int) -> list[str]:
    number = {piece: i for i, piece in enumerate(alphabet)}
    symbols = Symbols(
        list(alphabet),
        np.array([number["##" * (i > 0) + c] for w in words for i, c in enumerate(w)], np.int64),
        np.array([len(word) for word in words], np.int64),
        np.array(list(words.values()), np.int64),
    )
    for _ in range(merges):
        if not symbols.merge_most_frequent(min_count):
            break
    return symbols.pieces


ALPHABET = sorted({*"abc", "##a", "##b", "##c"})


@given(
    st.dictionaries(st.text("abc", min_size=1, max_size=12), st.integers(1, 5), min_size=1),
    st.integers(1, 40),
    st.integers(1, 3),
)
def test_pieces_are_those_of_counting_anew(
    words: dict[str, int], merges: int, min_count: int
) -> None:
    assert fast(words, ALPHABET, merges, min_count) == naive(words, ALPHABET, merges, min_count)


def test_the_classic_example_is_learnt_as_by_hand() -> None:
    # Sennrich et al. 2016, algorithm 1, with ##: es, est, then lo and low.
    words = {"low": 5, "lower": 2, "newest": 6, "widest": 3}
    alphabet = sorted({*"lnw", *("##" + c for c in "owerstid")})
    learnt = fast(words, alphabet, 4, 2)[len(alphabet) :]
    assert learnt == ["##es", "##est", "##ow", "low"]


def test_of_three_equal_symbols_the_first_two_become_one() -> None:
    # a ##a ##a ##a → a ##aa ##a → aaa ##a → aaaa
    assert fast({"aaaa": 3}, ["a", "##a"], 9, 1)[2:] == ["##aa", "aaa", "aaaa"]
