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
def _start(case: int) -> np.uint64:
    """Digest of the empty ending; far apart for the cases, so that no letter makes them equal."""
    return _SEED * np.uint64(2 * case + 1)


@inlined
def _longer(key: np.uint64, byte: int) -> np.uint64:
    """Digest of an ending with one more byte before it."""
    key = (key ^ np.uint64(byte)) * _PRIME
    return key ^ (key >> _SHIFT)


@inlined
def _slot(keys: NDArray[np.uint64], key: np.uint64) -> np.int64:
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
    key = _start(case)
    for length in range(1, min(size, LONGEST_SUFFIX) + 1):
        key = _longer(key, small[size - length])
        slot = _slot(suffixes.keys, key)
        if suffixes.keys[slot] == _NONE:
            break
        row = suffixes.rows[slot]
    return row


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
    whole = np.bincount(tags, counts, tag_count) / counts.sum()
    return Suffixes(*_learn(table, starts, tags, counts, np.flatnonzero(totals <= RARE), whole))


@kernel
def _learn(
    table: Table,
    starts: NDArray[np.int32],
    tags: NDArray[np.uint8],
    counts: NDArray[np.int32],
    rare: NDArray[np.int64],
    whole: NDArray[np.float64],
) -> tuple[NDArray[np.uint64], NDArray[np.int32], NDArray[np.float64]]:
    """Learn from words at these places; `whole` is the distribution over all words."""
    kept = _frequent(table, starts, counts, rare)
    size, rows = _power(kept.size), _CASES + kept.size
    empty = np.zeros((rows, whole.size), np.float64)
    suffixes = Suffixes(np.zeros(size, np.uint64), np.zeros(size, np.int32), empty)
    for number in range(kept.size):
        slot = _slot(suffixes.keys, kept[number])
        suffixes.keys[slot], suffixes.rows[slot] = kept[number], _CASES + number
    parents, lengths = np.full(rows, -1, np.int32), np.zeros(rows, np.int32)
    _count_tags(table, starts, tags, counts, rare, suffixes, parents, lengths)
    for length in range(LONGEST_SUFFIX + 1):  # what is shorter is ready when it is mixed in
        for row in range(rows):
            if lengths[row] == length:
                above = whole if length == 0 else suffixes.shares[parents[row]]
                _mix(suffixes.shares[row], above)
    return suffixes.keys, suffixes.rows, suffixes.shares


@inlined
def _power(count: int) -> int:
    """Return the size of a table of so many keys: a power of two, at most half of it used."""
    size = 2
    while size < 2 * count:
        size *= 2
    return size


@kernel
def _frequent(
    table: Table,
    starts: NDArray[np.int32],
    counts: NDArray[np.int32],
    rare: NDArray[np.int64],
) -> NDArray[np.uint64]:
    """Return the digests of the endings that occur `LEAST` times."""
    size = _power(rare.size * LONGEST_SUFFIX)
    keys, occurrences = np.zeros(size, np.uint64), np.zeros(size, np.int32)
    small = np.empty(LONGEST, np.uint8)
    for place in rare:
        word = table.text[table.starts[place] : table.starts[place + 1]]
        size = lowered(word, word.size, small)
        total = counts[starts[place] : starts[place + 1]].sum()
        key = _start(case_of(word, word.size))
        for length in range(1, min(size, LONGEST_SUFFIX) + 1):
            key = _longer(key, small[size - length])
            slot = _slot(keys, key)
            keys[slot] = key
            occurrences[slot] += total
    return keys[occurrences >= LEAST]


@kernel
def _count_tags(
    table: Table,
    starts: NDArray[np.int32],
    tags: NDArray[np.uint8],
    counts: NDArray[np.int32],
    rare: NDArray[np.int64],
    suffixes: Suffixes,
    parents: NDArray[np.int32],
    lengths: NDArray[np.int32],
) -> None:
    """Count tags by ending into the rows, and note each row's length and next shorter ending."""
    small = np.empty(LONGEST, np.uint8)
    for place in rare:
        word = table.text[table.starts[place] : table.starts[place + 1]]
        size = lowered(word, word.size, small)
        row = np.int64(case_of(word, word.size))
        key = _start(int(row))
        for length in range(min(size, LONGEST_SUFFIX) + 1):
            if length > 0:
                key = _longer(key, small[size - length])
                slot = _slot(suffixes.keys, key)
                if suffixes.keys[slot] == _NONE:
                    break
                parents[suffixes.rows[slot]] = row
                row = np.int64(suffixes.rows[slot])
                lengths[row] = length
            for at in range(starts[place], starts[place + 1]):
                suffixes.shares[row, tags[at]] += counts[at]


@inlined
def _mix(row: NDArray[np.float64], above: NDArray[np.float64]) -> None:
    """Turn counts into a distribution, mixed with that of the next shorter ending (§ 2.3)."""
    total = row.sum()
    for tag in range(row.size):
        share = row[tag] / total if total > 0 else above[tag]
        row[tag] = (share + SHORTER_WEIGHT * above[tag]) / (1.0 + SHORTER_WEIGHT)
