"""Which tokens or words noise is applied to, and what becomes of them.

Each id of a row has words of its own: word i decides whether the i-th id is chosen, words n + 2i
and n + 2i + 1 of a row of n ids decide what comes in its place. So a token is chosen or not
whatever is then done with the chosen.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import uint64

from transferset.compiled import kernel
from transferset.transforms.draws import address, bounded
from transferset.transforms.pieces import begins_word, is_content
from transferset.transforms.unigram import draw_token

#: Words for each id if only a choice is made, and if the chosen are also replaced by draws.
CHOOSE: Final = 1
CHOOSE_AND_DRAW: Final = 3

#: The label of a place that is not to be predicted: PyTorch's cross-entropy passes over it.
NO_LABEL: Final = -100

_1, _2, _3 = uint64(1), uint64(2), uint64(3)


def threshold(p: float) -> np.uint64:
    """The number of 32-bit words that mean yes, so that a random word does with probability `p`.

    Args:
        p: 0 ≤ p ≤ 1; kept to 2**-33.
    """
    return np.uint64(round(p * 2.0**32))


#: Devlin et al. 2019, § 3.1: 80 % of the chosen become [MASK], 10 % another piece, 10 % stay.
BECOMES_MASK: Final = threshold(0.8)
BECOMES_OTHER: Final = threshold(0.9)


@kernel
def choose(
    ids: Any, offsets: Any, draws: Any, specials: Any, table: Any, below: Any, chosen: Any
) -> None:
    """Choose each content token, or each word with all its pieces, independently.

    Args:
        ids: uint16 or int32, shape [tokens].
        offsets: int32, shape [rows + 1].
        draws: See `draws.Draws`.
        specials: See `pieces.Specials`.
        table: Where words begin, see `pieces.word_table`; empty chooses tokens.
        below: See `threshold`.
        chosen: bool[tokens], written for the rows of `draws`.
    """
    words = draws.words
    for r in range(uint64(draws.first), uint64(draws.stop)):
        start, stop = uint64(offsets[r]), uint64(offsets[r + _1])
        shift = draws.starts[r - uint64(draws.first)] - start
        inside, yes = False, False
        for i in range(start, stop):
            content = is_content(ids[i], specials)
            if not inside or begins_word(ids[i], table):
                yes = uint64(words[shift + i]) < below
            chosen[i] = content & yes
            inside = content


@kernel
def mask_rule(ids: Any, chosen: Any, mask: Any, out: Any) -> None:
    """Put [MASK] in the place of the chosen.

    Args:
        ids: uint16 or int32, shape [tokens].
        chosen: bool[tokens].
        mask: Id of [MASK].
        out: As `ids`, is written.
    """
    for i in range(uint64(len(ids))):
        out[i] = mask if chosen[i] else ids[i]


@kernel
def bert_rule(
    ids: Any, offsets: Any, draws: Any, chosen: Any, mask: Any, pieces: Any, out: Any
) -> None:
    """Put [MASK] or another piece in the place of the chosen, or leave them.

    Args:
        ids: uint16 or int32, shape [tokens].
        offsets: int32, shape [rows + 1].
        draws: `CHOOSE_AND_DRAW` words an id, see `draws.Draws`.
        chosen: bool[tokens].
        mask: Id of [MASK].
        pieces: Ids of which the other piece is one, each equally likely.
        out: As `ids`, where the rows of `draws` are written.
    """
    words, count = draws.words, uint64(len(pieces))
    for r in range(uint64(draws.first), uint64(draws.stop)):
        start, stop = uint64(offsets[r]), uint64(offsets[r + _1])
        first, spare = draws.starts[r - uint64(draws.first)], _3 * (stop - start)
        where = address(draws, r)
        for i in range(start, stop):
            out[i] = ids[i]
            if not chosen[i]:
                continue
            word = first + (stop - start) + _2 * (i - start)
            if words[word] < BECOMES_MASK:
                out[i] = mask
            elif words[word] < BECOMES_OTHER:
                other, spare = bounded(words[word + _1], count, spare, where)
                out[i] = pieces[other]


@kernel
def label(ids: Any, chosen: Any, labels: Any) -> None:
    """Note the ids of the chosen, where there is no label yet.

    Args:
        ids: uint16 or int32, shape [tokens], before they were masked.
        chosen: bool[tokens].
        labels: int32[tokens], is changed.
    """
    for i in range(uint64(len(ids))):
        if chosen[i] and labels[i] == NO_LABEL:
            labels[i] = ids[i]


@kernel
def replace(
    ids: Any, offsets: Any, draws: Any, chosen: Any, columns: Any, bits: Any, out: Any
) -> None:
    """Put a draw from a unigram distribution in the place of each of the chosen.

    Args:
        ids: uint16 or int32, shape [tokens].
        offsets: int32, shape [rows + 1].
        draws: `CHOOSE_AND_DRAW` words an id, see `draws.Draws`.
        chosen: bool[tokens].
        columns: Of a `unigram.AliasTable`.
        bits: Of the same table.
        out: As `ids`, where the rows of `draws` are written.
    """
    words = draws.words
    for r in range(uint64(draws.first), uint64(draws.stop)):
        start, stop = uint64(offsets[r]), uint64(offsets[r + _1])
        first = draws.starts[r - uint64(draws.first)] + (stop - start)
        for i in range(start, stop):
            word = first + _2 * (i - start)
            out[i] = (
                draw_token(words[word], words[word + _1], columns, bits) if chosen[i] else ids[i]
            )


@kernel
def delete(
    ids: Any, offsets: Any, chosen: Any, specials: Any, out: Any, ends: Any, alive: Any
) -> Any:
    """Leave the chosen out, and rows in which they leave nothing.

    Args:
        ids: uint16 or int32, shape [tokens].
        offsets: int32, shape [rows + 1].
        chosen: bool[tokens].
        specials: See `pieces.Specials`.
        out: As `ids`, is filled from the front.
        ends: int32[rows + 1], is filled with the offsets of the rows that are left.
        alive: bool[rows], whether a content token is left in the row, and in each of its segments
            that had one.

    Returns:
        The number of rows that are left.
    """
    rows = uint64(0)
    ends[0] = 0
    for r in range(uint64(len(offsets) - 1)):
        at = uint64(ends[rows])
        had, left, any_left, emptied = False, False, False, False
        for i in range(uint64(offsets[r]), uint64(offsets[r + _1])):
            token, stays = ids[i], not chosen[i]
            if token == specials.sep:
                emptied |= had and not left
                had, left = False, False
            content = is_content(token, specials)
            had |= content
            left |= content & stays
            any_left |= content & stays
            out[at] = token  # overwritten by the next unless it stays
            at += uint64(stays)
        alive[r] = any_left and not (emptied or (had and not left))
        ends[rows + _1] = at
        rows += uint64(alive[r])
    return rows
