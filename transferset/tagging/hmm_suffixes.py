"""Tags of words that the lexicon does not have, from their last letters.

Brants 2000, § 2.3: the distribution of tags over the rare words with the same ending, smoothed
with that of ever shorter endings (Samuelsson 1993), apart for small and capitalised words.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from transferset.compiled import inlined, kernel
from transferset.tagging.hmm_words import LONGEST, Table, case_of, lowered

#: Words that occur at most so often tell how unknown words behave (§ 2.3: 10).
RARE: Final = 10
#: Longest ending, in bytes (§ 2.3 has 10 characters; longer ones than 7 changed nothing).
LONGEST_SUFFIX: Final = 7
#: Endings of fewer occurrences are left to shorter ones, which keeps the table small.
LEAST: Final = 5
#: What the next shorter ending weighs beside the ending itself. § 2.3 takes the variance of the
#: tags' probabilities, 0.002 here; with that, one unknown word in a hundred more is wrong.
SHORTER_WEIGHT: Final = 0.3

_CASES: Final = 3
_SEED: Final = np.uint64(0x9E3779B97F4A7C15)
_PRIME: Final = np.uint64(0xFF51AFD7ED558CCD)
_SHIFT: Final = np.uint64(33)
_NONE: Final = np.uint64(0)


class Suffixes(NamedTuple):
    """Distributions over tags by ending.

    Attributes:
        keys: Digest of an ending, by slot; 0 where there is none.
        rows: Row of its distribution, by slot.
        shares: The distributions, one a row; the first are those of the empty ending by case.
    """

    keys: NDArray[np.uint64]
    rows: NDArray[np.int32]
    shares: NDArray[np.float64]


@inlined
def longer(key: np.uint64, byte: int) -> np.uint64:
    """Digest of an ending with one more byte before it."""
    key = (key ^ np.uint64(byte)) * _PRIME
    return key ^ (key >> _SHIFT)


@inlined
def _slot(keys: NDArray[np.uint64], key: np.uint64) -> int:
    mask = keys.size - 1
    slot = np.int64(key & np.uint64(mask))
    while keys[slot] != _NONE and keys[slot] != key:
        slot = (slot + 1) & mask
    return slot


@inlined
def guess(suffixes: Suffixes, small: NDArray[np.uint8], size: int, case: int) -> int:
    """Return the row of the longest known ending of a word.

    Args:
        suffixes: The table.
        small: The word as `lowered` gives it.
        size: Its bytes.
        case: As `case_of` tells.
    """
    row = case
    key = _SEED + np.uint64(case)
    for length in range(1, min(size, LONGEST_SUFFIX) + 1):
        key = longer(key, small[size - length])
        slot = _slot(suffixes.keys, key)
        if suffixes.keys[slot] == _NONE:
            break
        row = suffixes.rows[slot]
    return row


@kernel
def _endings(
    table: Table, totals: NDArray[np.int64], keys: NDArray[np.uint64], counts: NDArray[np.int32]
) -> None:
    """Count the occurrences of each ending of a rare word."""
    small = np.empty(LONGEST, np.uint8)
    for place in range(totals.size):
        if totals[place] > RARE:
            continue
        word = table.text[table.starts[place] : table.starts[place + 1]]
        size = lowered(word, word.size, small)
        key = _SEED + np.uint64(case_of(word, word.size))
        for length in range(1, min(size, LONGEST_SUFFIX) + 1):
            key = longer(key, small[size - length])
            slot = _slot(keys, key)
            keys[slot] = key
            counts[slot] += totals[place]


@kernel
def _fill(suffixes: Suffixes, keys: NDArray[np.uint64]) -> None:
    """Give keys rows in their order, behind those of the empty endings."""
    for number in range(keys.size):
        slot = _slot(suffixes.keys, keys[number])
        suffixes.keys[slot] = keys[number]
        suffixes.rows[slot] = _CASES + number


@kernel
def _tags_of_endings(
    table: Table,
    starts: NDArray[np.int32],
    tags: NDArray[np.uint8],
    counts: NDArray[np.int32],
    totals: NDArray[np.int64],
    suffixes: Suffixes,
    parents: NDArray[np.int32],
) -> None:
    """Count tags by ending into the rows, and note each row's next shorter ending."""
    small = np.empty(LONGEST, np.uint8)
    for place in range(totals.size):
        if totals[place] > RARE:
            continue
        word = table.text[table.starts[place] : table.starts[place + 1]]
        size = lowered(word, word.size, small)
        row = case_of(word, word.size)
        key = _SEED + np.uint64(row)
        for length in range(min(size, LONGEST_SUFFIX) + 1):
            if length:
                key = longer(key, small[size - length])
                slot = _slot(suffixes.keys, key)
                if suffixes.keys[slot] == _NONE:
                    break
                parents[suffixes.rows[slot]] = row
                row = suffixes.rows[slot]
            for at in range(starts[place], starts[place + 1]):
                suffixes.shares[row, tags[at]] += counts[at]


@kernel
def _smoothed(
    shares: NDArray[np.float64],
    parents: NDArray[np.int32],
    order: NDArray[np.int64],
    whole: NDArray[np.float64],
) -> None:
    """Turn counts into distributions, each mixed with its parent's (§ 2.3)."""
    for row in order:
        above = whole if parents[row] < 0 else shares[parents[row]]
        total = shares[row].sum()
        for tag in range(whole.size):
            share = shares[row, tag] / total if total > 0 else above[tag]
            shares[row, tag] = (share + SHORTER_WEIGHT * above[tag]) / (1.0 + SHORTER_WEIGHT)


def learn(
    table: Table,
    starts: NDArray[np.int32],
    tags: NDArray[np.uint8],
    counts: NDArray[np.int32],
    tag_count: int,
) -> Suffixes:
    """Learn from the rare words of a lexicon.

    Args:
        table: Its words.
        starts: Where each word's tags begin in `tags` and `counts`, and the end.
        tags: Tags of all words.
        counts: How often the word has the tag.
        tag_count: Number of tags.
    """
    totals = np.add.reduceat(counts, starts[:-1], dtype=np.int64)
    rare = int(np.count_nonzero(totals <= RARE))
    size = _power(rare * LONGEST_SUFFIX)
    keys, occurrences = np.zeros(size, np.uint64), np.zeros(size, np.int32)
    _endings(table, totals, keys, occurrences)
    kept = keys[occurrences >= LEAST]
    size, rows = _power(kept.size), _CASES + kept.size
    empty = np.zeros((rows, tag_count))
    suffixes = Suffixes(np.zeros(size, np.uint64), np.zeros(size, np.int32), empty)
    _fill(suffixes, kept)
    parents = np.full(rows, -1, np.int32)
    _tags_of_endings(table, starts, tags, counts, totals, suffixes, parents)
    whole = np.bincount(tags, counts, tag_count) / counts.sum()
    _smoothed(suffixes.shares, parents, _from_short(parents), whole)
    return suffixes


def _power(count: int) -> int:
    """Return the size of a table of so many keys: a power of two, at most half of it used."""
    return 1 << (2 * count + 1).bit_length()


def _from_short(parents: NDArray[np.int32]) -> NDArray[np.int64]:
    """Order rows so that a parent stands before its children."""
    depth = np.zeros(parents.size, np.int64)
    above = parents
    while (inside := above >= 0).any():
        depth[inside] += 1
        above = np.where(inside, parents[above], -1)
    return np.argsort(depth, kind="stable")
