"""The tags that a word can have, and what each says for it (compiled loops)."""

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
    lowered,
    taken,
    variant,
)

#: A word has at most so many tags to choose from, the likeliest.
MOST_TAGS: Final = 16
#: The states of words that occur so often are found once; those of others whenever they are met,
#: which is seldom, while finding them all would take longer than the rest of loading.
FREQUENT: Final = 8
#: Tags less likely than the likeliest by this factor are not tried.
FAINTEST: Final = 1e-2
#: What the guess from the ending weighs, in occurrences, beside those of the word in its other
#: case, and what both weigh beside those of the word itself.
ENDING_WEIGHT: Final = 2.0
OTHER_WEIGHT: Final = 0.5


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
    """States that words can have, ascending for each word.

    Attributes:
        starts: Where each word's states begin in the next two, and the end.
        states: A state is a tag; of a word with a capital, a tag and the number of tags.
        scores: Of the word given the state.
    """

    starts: NDArray[np.int64]
    states: NDArray[np.uint8]
    scores: NDArray[np.int32]


class Space(NamedTuple):
    """Room for one word's tags."""

    word: NDArray[np.uint8]
    small: NDArray[np.uint8]
    shares: NDArray[np.float64]


@inlined
def room(tag_count: int) -> Space:
    """Make room for one word."""
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
def choose(lexicon: Lexicon, place: int, size: int, space: Space, choices: Choices, at: int) -> int:
    """Write the states that a word can have, with scores.

    Args:
        lexicon: What is known.
        place: The word's place in the lexicon, or −1.
        size: Its bytes, which stand in `space.word`.
        space: Room; the rest of it is overwritten.
        choices: Takes at most `MOST_TAGS` states.
        at: Where to write them.

    Returns:
        Where the next word's may stand.
    """
    case = case_of(space.word, size)
    small_size = lowered(space.word, size, space.small)
    shares = space.shares
    shares[:] = lexicon.suffixes.shares[guess(lexicon.suffixes, space.small, small_size, case)]
    other = variant(lexicon.table, space.word, size, space.small, small_size)
    if other >= 0:
        _add(lexicon, other, ENDING_WEIGHT, shares)
    if place >= 0:
        _add(lexicon, place, OTHER_WEIGHT, shares)
    least, shift = _bar(shares), 0 if case == SMALL else shares.size
    for tag in range(shares.size):
        if shares[tag] >= least:
            # Bayes: P(word | state) = P(tag | word) P(word) / P(state), and P(word) is the same
            odds = shares[tag] / lexicon.priors[tag + shift]
            choices.states[at] = tag + shift
            choices.scores[at] = round(np.log(odds) * lexicon.unit)
            at += 1
    return at


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


@kernel
def choose_all(lexicon: Lexicon, choices: Choices) -> None:
    """Find the states of the frequent words of the lexicon; others have none.

    Args:
        lexicon: What is known.
        choices: Written; has room for `MOST_TAGS` states a word.
    """
    space = room(lexicon.suffixes.shares.shape[1])
    table, at = lexicon.table, 0
    for place in range(table.starts.size - 1):
        size = taken(table.text, table.starts[place], table.starts[place + 1], space.word)
        choices.starts[place] = at
        own = lexicon.counts[lexicon.starts[place] : lexicon.starts[place + 1]]
        if own.sum() >= FREQUENT:
            at = choose(lexicon, place, size, space, choices, at)
    choices.starts[table.starts.size - 1] = at
