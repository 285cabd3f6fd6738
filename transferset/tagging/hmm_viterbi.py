"""The likeliest tags of texts (compiled loops).

All scores are integers (see `hmm_scores.UNIT`): sums are exact, so the best path is the same on
every machine and in every order of adding.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from transferset.compiled import inlined, kernel
from transferset.tagging.hmm_choices import MOST_TAGS, Choices, Lexicon, Space, choose, room
from transferset.tagging.hmm_words import find, taken

#: The boundary stands twice before a text and once behind it.
_BEFORE, _AROUND = 2, 3
_LOWEST: Final = -(1 << 60)


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
        known: States of the lexicon's frequent words.
        moves: Score of a state after two others, `[before, last, next]`; the last state of all
            is the boundary of a text.
        text: Bytes of the words.
        words: Where each word begins in `text`, and the end of the last.
        offsets: Where each text begins in the words, and the end of the last.
        out: A tag for each word.
    """
    tag_count = lexicon.suffixes.shares.shape[1]
    space = room(tag_count)
    longest = 0
    for number in range(offsets.size - 1):
        longest = max(longest, offsets[number + 1] - offsets[number])
    most = (longest + _AROUND) * MOST_TAGS
    choices = Choices(
        np.empty(longest + _AROUND + 1, np.int64),
        np.empty(most, np.uint8),
        np.empty(most, np.int32),
    )
    for number in range(offsets.size - 1):
        first, stop = offsets[number], offsets[number + 1]
        if first < stop:
            _look_up(lexicon, known, text, words[first : stop + 1], space, choices)
            _best_path(choices, moves, tag_count, out[first:stop])


@inlined
def _look_up(
    lexicon: Lexicon,
    known: Choices,
    text: NDArray[np.uint8],
    words: NDArray[np.int64],
    space: Space,
    choices: Choices,
) -> None:
    """Write the states that each word of a text can have, between boundaries."""
    edge = 2 * lexicon.suffixes.shares.shape[1]
    at = 0
    for number in range(_BEFORE):
        at = _boundary(choices, number, at, edge)
    for number in range(words.size - 1):
        size = taken(text, words[number], words[number + 1], space.word)
        place = find(lexicon.table, space.word, size)
        choices.starts[number + _BEFORE] = at
        if place < 0 or known.starts[place] == known.starts[place + 1]:
            at = choose(lexicon, place, size, space, choices, at)
            continue
        for entry in range(known.starts[place], known.starts[place + 1]):
            choices.states[at], choices.scores[at] = known.states[entry], known.scores[entry]
            at += 1
    at = _boundary(choices, words.size - 1 + _BEFORE, at, edge)
    choices.starts[words.size + _BEFORE] = at


@inlined
def _boundary(choices: Choices, number: int, at: int, edge: int) -> int:
    choices.starts[number], choices.states[at], choices.scores[at] = at, edge, 0
    return at + 1


@kernel
def _best_path(
    choices: Choices, moves: NDArray[np.int32], tag_count: int, out: NDArray[np.uint8]
) -> None:
    """Viterbi over pairs of states; of equal paths the lowest tags, from the last word back."""
    starts, states = choices.starts, choices.states
    back = np.empty(_pairs(starts, out.size + _AROUND), np.uint8)
    best = np.zeros((MOST_TAGS, MOST_TAGS), np.int64)
    after = np.empty((MOST_TAGS, MOST_TAGS), np.int64)
    at = 0
    for number in range(_BEFORE, out.size + _AROUND):
        a, b, c, d = starts[number - 2], starts[number - 1], starts[number], starts[number + 1]
        for last in range(b, c):
            for new in range(c, d):
                top, chosen = _LOWEST, 0
                for before in range(a, b):
                    move = moves[states[before], states[last], states[new]]
                    score = best[before - a, last - b] + move
                    if score > top:
                        top, chosen = score, before - a
                after[last - b, new - c] = top + choices.scores[new]
                back[at] = chosen
                at += 1
        best, after = after, best
    _trace(choices, best, back, tag_count, out)


@inlined
def _pairs(starts: NDArray[np.int64], size: int) -> int:
    """Count the pairs of states of neighbours that Viterbi looks at."""
    pairs = 0
    for number in range(_BEFORE, size):
        pairs += (starts[number] - starts[number - 1]) * (starts[number + 1] - starts[number])
    return pairs


@inlined
def _trace(
    choices: Choices,
    best: NDArray[np.int64],
    back: NDArray[np.uint8],
    tag_count: int,
    out: NDArray[np.uint8],
) -> None:
    """Follow the best path back from the boundary behind the text."""
    starts, states = choices.starts, choices.states
    number = out.size + _BEFORE
    last, new = 0, 0
    for state in range(starts[number] - starts[number - 1]):
        if best[state, 0] > best[last, 0]:
            last = state
    at = back.size
    while number > _BEFORE:
        news = starts[number + 1] - starts[number]
        at -= (starts[number] - starts[number - 1]) * news
        last, new = int(back[at + last * news + new]), last
        number -= 1
        state = states[starts[number] + new]
        out[number - _BEFORE] = state if state < tag_count else state - tag_count
