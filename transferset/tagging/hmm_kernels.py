"""Compiled loops of the lexicon tagger: the tags that a word can have, and Viterbi over a text.

All scores are integers (see `hmm_scores.UNIT`): sums are exact, so the best path is the same on
every machine and in every order of adding.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from transferset.compiled import inlined, kernel
from transferset.tagging.hmm_suffixes import Suffixes, guess
from transferset.tagging.hmm_words import (
    LONGEST,
    SMALL,
    Table,
    case_of,
    find,
    lowered,
    taken,
    variant,
)

#: A word has at most so many tags to choose from, the likeliest.
MOST_TAGS: Final = 16
#: Tags less likely than the likeliest by this factor are not tried.
FAINTEST: Final = 1e-3
#: What the guess from the ending weighs, in occurrences, beside those of the word in its other
#: case, and what both weigh beside those of the word itself.
ENDING_WEIGHT: Final = 2.0
OTHER_WEIGHT: Final = 0.5

_LOWEST: Final = -(1 << 60)


class Lexicon(NamedTuple):
    """What is known of words.

    Attributes:
        table: The words.
        starts: Where each word's tags begin in `tags` and `counts`, and the end.
        tags: Tags of all words, ascending for each.
        counts: How often the word has the tag.
        suffixes: For words that are not there.
        priors: Probability of each state (tag, then tag with a capital).
        unit: Scores a nat.
    """

    table: Table
    starts: NDArray[np.int32]
    tags: NDArray[np.uint8]
    counts: NDArray[np.int32]
    suffixes: Suffixes
    priors: NDArray[np.float64]
    unit: float


class Choices(NamedTuple):
    """Tags that words can have, with the scores of the word given the tag."""

    starts: NDArray[np.int32]
    tags: NDArray[np.uint8]
    scores: NDArray[np.int32]


class Space(NamedTuple):
    """Room for one word's tags."""

    word: NDArray[np.uint8]
    small: NDArray[np.uint8]
    shares: NDArray[np.float64]


@inlined
def _room(tag_count: int) -> Space:
    return Space(
        np.empty(LONGEST, np.uint8), np.empty(LONGEST, np.uint8), np.empty(tag_count, np.float64)
    )


@inlined
def _add(lexicon: Lexicon, place: int, weight: float, shares: NDArray[np.float64]) -> None:
    """Mix a word's own counts into shares that weigh so many occurrences."""
    total = weight
    for tag in range(shares.size):
        shares[tag] *= weight
    for at in range(lexicon.starts[place], lexicon.starts[place + 1]):
        shares[lexicon.tags[at]] += lexicon.counts[at]
        total += lexicon.counts[at]
    for tag in range(shares.size):
        shares[tag] /= total


@kernel
def choose(
    lexicon: Lexicon,
    place: int,
    size: int,
    case: int,
    space: Space,
    tags: NDArray[np.uint8],
    scores: NDArray[np.int32],
) -> int:
    """Write the tags that a word can have, ascending, with scores; returns how many.

    Args:
        lexicon: What is known.
        place: The word's place in the lexicon, or −1.
        size: Its bytes, which stand in `space.word`.
        case: As `case_of` tells.
        space: Room; `shares` is overwritten.
        tags: At least `MOST_TAGS`.
        scores: As many.
    """
    small_size = lowered(space.word, size, space.small)
    shares = space.shares
    shares[:] = lexicon.suffixes.shares[guess(lexicon.suffixes, space.small, small_size, case)]
    other = variant(lexicon.table, space.word, size, space.small, small_size)
    if other >= 0:
        _add(lexicon, other, ENDING_WEIGHT, shares)
    if place >= 0:
        _add(lexicon, place, OTHER_WEIGHT, shares)
    return _likeliest(lexicon, case, shares, tags, scores)


@kernel
def _bar(shares: NDArray[np.float64]) -> float:
    """Return the least share that makes a tag worth trying."""
    most = 0.0
    for share in shares:
        most = max(most, share)
    least, over = FAINTEST * most, MOST_TAGS + 1
    while over > MOST_TAGS:
        over = 0
        for share in shares:
            over += share >= least
        if over > MOST_TAGS:
            least *= 2.0
    return least


@inlined
def _likeliest(
    lexicon: Lexicon,
    case: int,
    shares: NDArray[np.float64],
    tags: NDArray[np.uint8],
    scores: NDArray[np.int32],
) -> int:
    least = _bar(shares)
    first_state = 0 if case == SMALL else shares.size
    count = 0
    for tag in range(shares.size):
        if shares[tag] >= least:
            # Bayes: P(word | state) = P(tag | word) P(word) / P(state), and P(word) is the same
            odds = shares[tag] / lexicon.priors[first_state + tag]
            tags[count] = tag
            scores[count] = round(np.log(odds) * lexicon.unit)
            count += 1
    return count


@kernel
def choose_all(lexicon: Lexicon, choices: Choices) -> int:
    """Find the tags of every word of the lexicon; returns how many in all.

    Args:
        lexicon: What is known.
        choices: Written; `tags` and `scores` have room for `MOST_TAGS` a word.
    """
    space = _room(lexicon.suffixes.shares.shape[1])
    table, at = lexicon.table, 0
    for place in range(table.starts.size - 1):
        size = taken(table.text, table.starts[place], table.starts[place + 1], space.word)
        choices.starts[place] = at
        case = case_of(space.word, size)
        tags, scores = choices.tags[at:], choices.scores[at:]
        at += choose(lexicon, place, size, case, space, tags, scores)
    choices.starts[table.starts.size - 1] = at
    return at


@kernel
def tag_texts(
    lexicon: Lexicon,
    known: Choices,
    moves: NDArray[np.int32],
    text: NDArray[np.uint8],
    words: NDArray[np.int64],
    offsets: NDArray[np.int64],
    out: NDArray[np.uint8],
) -> None:
    """Tag texts, each alone.

    Args:
        lexicon: What is known of words.
        known: Tags of the lexicon's words.
        moves: Score of a state after two others, `[before, last, next]`; the last state of all
            is the boundary of a text.
        text: Bytes of the words.
        words: Where each word begins in `text`, and the end of the last.
        offsets: Where each text begins in the words, and the end of the last.
        out: A tag for each word.
    """
    space = _room(lexicon.suffixes.shares.shape[1])
    longest = 0
    for number in range(offsets.size - 1):
        longest = max(longest, offsets[number + 1] - offsets[number])
    choices = Choices(
        np.empty(longest + 1, np.int32),
        np.empty((longest + 1) * MOST_TAGS, np.uint8),
        np.empty((longest + 1) * MOST_TAGS, np.int32),
    )
    shifts = np.empty(longest, np.int32)
    for number in range(offsets.size - 1):
        first, stop = offsets[number], offsets[number + 1]
        if first < stop:
            _look_up(lexicon, known, text, words[first : stop + 1], space, choices, shifts)
            _best_path(choices, shifts[: stop - first], moves, out[first:stop])


@inlined
def _look_up(
    lexicon: Lexicon,
    known: Choices,
    text: NDArray[np.uint8],
    words: NDArray[np.int64],
    space: Space,
    choices: Choices,
    shifts: NDArray[np.int32],
) -> None:
    """Write the tags that each word of a text can have, and its first state less its first tag."""
    at = 0
    for number in range(words.size - 1):
        size = taken(text, words[number], words[number + 1], space.word)
        case = case_of(space.word, size)
        place = find(lexicon.table, space.word, size)
        choices.starts[number] = at
        shifts[number] = 0 if case == SMALL else lexicon.suffixes.shares.shape[1]
        if place >= 0:
            for entry in range(known.starts[place], known.starts[place + 1]):
                choices.tags[at], choices.scores[at] = known.tags[entry], known.scores[entry]
                at += 1
        else:
            tags, scores = choices.tags[at:], choices.scores[at:]
            at += choose(lexicon, -1, size, case, space, tags, scores)
    choices.starts[words.size - 1] = at


@kernel
def _best_path(
    choices: Choices, shifts: NDArray[np.int32], moves: NDArray[np.int32], out: NDArray[np.uint8]
) -> None:
    """Viterbi over pairs of tags; of equal paths the lowest tags, from the last word back."""
    size, edge = shifts.size, moves.shape[0] - 1
    starts, tags = choices.starts, choices.tags
    # one choice, the boundary, stands before the text
    pairs = starts[1] - starts[0]
    for number in range(1, size):
        pairs += (starts[number] - starts[number - 1]) * (starts[number + 1] - starts[number])
    back = np.empty(pairs, np.uint8)
    best = np.zeros((MOST_TAGS, MOST_TAGS), np.int64)
    after = np.empty((MOST_TAGS, MOST_TAGS), np.int64)
    at, befores, lasts = 0, 1, 1
    for number in range(size):
        first, nexts = starts[number], starts[number + 1] - starts[number]
        for last in range(lasts):
            last_state = edge
            if number > 0:
                last_state = tags[starts[number - 1] + last] + shifts[number - 1]
            for new in range(nexts):
                state = tags[first + new] + shifts[number]
                top, chosen = _LOWEST, 0
                for before in range(befores):
                    before_state = edge
                    if number > 1:
                        before_state = tags[starts[number - 2] + before] + shifts[number - 2]
                    score = best[before, last] + moves[before_state, last_state, state]
                    if score > top:
                        top, chosen = score, before
                after[last, new] = top + choices.scores[first + new]
                back[at + last * nexts + new] = chosen
        at += lasts * nexts
        best, after = after, best
        befores, lasts = lasts, nexts
    _trace(choices, shifts, moves, best, back, befores, out)


@inlined
def _trace(
    choices: Choices,
    shifts: NDArray[np.int32],
    moves: NDArray[np.int32],
    best: NDArray[np.int64],
    back: NDArray[np.uint8],
    befores: int,
    out: NDArray[np.uint8],
) -> None:
    """Choose the best end and follow the path back."""
    size, edge = shifts.size, moves.shape[0] - 1
    starts, tags = choices.starts, choices.tags
    lasts = starts[size] - starts[size - 1]
    top, before, last = _LOWEST, 0, 0
    for new in range(lasts):
        state = tags[starts[size - 1] + new] + shifts[size - 1]
        for old in range(befores):
            old_state = edge
            if size > 1:
                old_state = tags[starts[size - 2] + old] + shifts[size - 2]
            score = best[old, new] + moves[old_state, state, edge]
            if score > top:
                top, before, last = score, old, new
    at = back.size
    for number in range(size - 1, -1, -1):
        out[number] = tags[starts[number] + last]
        nexts = starts[number + 1] - starts[number]
        befores = starts[number] - starts[number - 1] if number > 0 else 1
        at -= befores * nexts
        earlier = back[at + before * nexts + last]
        before, last = earlier, before
