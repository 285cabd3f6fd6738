"""Rows of ids one after another, and how a batch of them is laid out for a model.

A row is as a set has it: `[CLS] a [SEP]`, or `[CLS] a [SEP] b [SEP]` for a pair. Layouts are made
on the host, in numpy: rows come from there, and recurrent layers need the lengths there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from transferset.errors import InputError, sentence
from transferset.students.config import Vocabulary

Ids = npt.NDArray[np.int64]
Int64 = npt.NDArray[np.int64]


class Rows(NamedTuple):
    """Rows without padding between them.

    Attributes:
        ids: int64[n].
        offsets: int64[rows + 1]; row i is `ids[offsets[i]:offsets[i + 1]]`.
    """

    ids: Ids
    offsets: Int64

    @property
    def lengths(self) -> Int64:
        """Ids of each row, int64[rows]."""
        return np.diff(self.offsets)


class Packed(NamedTuple):
    """Rows in the order of time, as torch's `PackedSequence` wants them.

    Attributes:
        ids: int64[n]: the first of all rows, the second of all rows that have one, …
        sizes: int64[longest], how many rows have an id at that step.
        order: int64[rows], the rows from the longest to the shortest.
        back: int64[rows], where in that order each row stands.
    """

    ids: Ids
    sizes: Int64
    order: Int64
    back: Int64


def rows_of(ids: npt.NDArray[np.integer], offsets: npt.NDArray[np.integer]) -> Rows:
    """Rows from arrays of any integers.

    Args:
        ids: Shape [n].
        offsets: Shape [rows + 1], from 0 to n, never falling.

    Raises:
        InputError: The offsets are others.
    """
    bounds = np.asarray(offsets, np.int64)
    right = bounds.ndim == 1 and len(bounds) > 0 and bounds[0] == 0 and bounds[-1] == len(ids)
    if not right or bool((np.diff(bounds) < 0).any()):
        raise InputError(sentence(f"offsets that rise from 0 to {len(ids):,}", "others"))
    return Rows(np.asarray(ids, np.int64), bounds)


def take(rows: Rows, which: Int64) -> Rows:
    """Some of the rows, in the order asked for.

    Args:
        rows: All.
        which: int64[m], their numbers.
    """
    lengths = rows.lengths[which]
    offsets = np.append(0, np.cumsum(lengths))
    places = np.repeat(rows.offsets[which] - offsets[:-1], lengths) + np.arange(offsets[-1])
    return Rows(rows.ids[places], offsets)


def sides(rows: Rows, vocabulary: Vocabulary) -> Int64:
    """How many separators stand before each id in its row, int64[n]."""
    is_separator = rows.ids == vocabulary.separator
    before = np.append(0, np.cumsum(is_separator))
    count: Int64 = before[:-1] - np.repeat(before[rows.offsets[:-1]], rows.lengths)
    return count


def texts(rows: Rows, vocabulary: Vocabulary, *, pair: bool) -> tuple[Rows, ...]:
    """What stands between the special ids, for models that know no special ids.

    Args:
        rows: As a set has them.
        vocabulary: Says which ids are special; unknown and masked pieces are none.
        pair: Whether a row holds two texts, the second after the first separator.

    Returns:
        The texts, or the first ones and the second ones. A text without ids has one of padding, for
        a recurrent layer must read something.
    """
    content = rows.ids != vocabulary.separator
    for special in (vocabulary.start, vocabulary.padding):
        content &= rows.ids != (-1 if special is None else special)
    if not pair:
        return (_keep(rows, content, vocabulary.padding),)
    first = sides(rows, vocabulary) == 0
    parts = (content & first, content & ~first)
    return tuple(_keep(rows, part, vocabulary.padding) for part in parts)


def _keep(rows: Rows, kept: npt.NDArray[np.bool_], padding: int) -> Rows:
    ends = np.append(0, np.cumsum(kept))[rows.offsets]
    ids, lengths = rows.ids[kept], np.diff(ends)
    empty = lengths == 0
    if empty.any():
        ids = np.insert(ids, ends[:-1][empty], padding)
        lengths = lengths + empty
    return Rows(ids, np.append(0, np.cumsum(lengths)))


def packed(rows: Rows) -> Packed:
    """Rows in the order of time.

    Args:
        rows: Each of at least one id.
    """
    lengths = rows.lengths
    order = np.argsort(-lengths, kind="stable")
    # rows that have an id at step t: all those that are longer than t
    ending = np.bincount(lengths)
    sizes = (len(lengths) - np.cumsum(ending))[:-1] if len(lengths) else ending[:0]
    step = np.repeat(np.arange(len(sizes)), sizes)
    rank = np.arange(len(step)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return Packed(rows.ids[rows.offsets[order][rank] + step], sizes, order, back)


def padded(rows: Rows, values: Int64, padding: int) -> Int64:
    """Values of the ids as a matrix.

    Args:
        rows: Where they begin and end.
        values: int64[n], the ids or what stands for each.
        padding: Fills up short rows.

    Returns:
        int64[rows, longest]
    """
    lengths = rows.lengths
    longest = int(lengths.max(initial=0))
    filled = np.full((len(lengths), longest), padding, np.int64)
    filled[present(lengths, longest)] = values
    return filled


def present(lengths: Int64, longest: int) -> npt.NDArray[np.bool_]:
    """Which places of a padded matrix hold something, bool[rows, longest]."""
    here: npt.NDArray[np.bool_] = np.arange(longest) < lengths[:, None]
    return here
