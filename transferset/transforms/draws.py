"""The random words of the rows of a batch, made for all rows at once.

Word i of a row is word i % 4 of its block i // 4, see `philox`. A kernel gives each place of a row
words of its own, so that what happens at one place does not depend on what happened at another.
Words beyond those are spare: for the rare draw that must be repeated.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import uint64

from transferset import philox
from transferset.compiled import inlined, kernel
from transferset.transforms.buffers import Offsets, addresses
from transferset.transforms.protocol import Position

#: Words made at once, and one row's more: so they stay in the cache, and in bounded memory.
SPAN: Final = 1 << 16

_1, _2, _3, _32 = uint64(1), uint64(2), uint64(3), uint64(32)
_LOW = uint64(0xFFFFFFFF)


class Draws(NamedTuple):
    """The random words of consecutive rows of a batch; kernels take it as it is.

    Attributes:
        first: The first of the rows.
        stop: The row after the last.
        words: uint32, those of all the rows, one row's after the other's.
        starts: uint64[stop − first + 1], where each row's words begin.
        row: uint64[rows of the batch], `parent_row`.
        copy: uint32[rows of the batch].
        k0: uint32, key.
        k1: uint32, key.
    """

    first: int
    stop: int
    words: npt.NDArray[np.uint32]
    starts: npt.NDArray[np.uint64]
    row: npt.NDArray[np.uint64]
    copy: npt.NDArray[np.uint32]
    k0: np.uint32
    k1: np.uint32


def draws(batch: pa.RecordBatch, offsets: Offsets, at: Position, each: int = 1) -> Iterator[Draws]:
    """The random words of a batch, some rows at a time.

    Args:
        batch: Rows with their addresses.
        offsets: Where their ids begin, from 0, see `buffers.flat`.
        at: Seed and step.
        each: Words for each id.

    Yields:
        A row of n ids has at least `each` · n words.
    """
    row, copy = addresses(batch)
    k0, k1 = _key(at)
    first = 0
    while first < batch.num_rows:
        starts = np.empty(batch.num_rows - first + 1, np.uint64)
        stop = _lay_out(offsets, first, each, starts)
        starts = starts[: stop - first + 1]
        words = np.empty(starts[-1], np.uint32)
        found = Draws(first, stop, words, starts, row, copy, k0, k1)
        _fill(found)
        yield found
        first = stop


@lru_cache(maxsize=64)
def _key(at: Position) -> tuple[np.uint32, np.uint32]:
    return philox.as_words(at.key)


@kernel
def _lay_out(offsets: Any, first: Any, each: Any, starts: Any) -> Any:
    """Write where the words of rows begin until there are many; gives the row after the last."""
    stop, total = first, uint64(0)
    starts[0] = 0
    while stop < len(offsets) - 1 and total < SPAN:
        total += (uint64(offsets[stop + 1] - offsets[stop]) * uint64(each) + _3) >> _2 << _2
        stop += 1
        starts[stop - first] = total
    return stop


@kernel
def _fill(draws: Any) -> None:
    """Write each block's counter where its words will be, then encipher all in place.

    The second loop is one over equal blocks, without a branch: it runs in vector registers.
    """
    words, starts = draws.words, draws.starts
    for i in range(uint64(len(starts) - 1)):
        row, copy = draws.row[uint64(draws.first) + i], draws.copy[uint64(draws.first) + i]
        for number in range((starts[i + _1] - starts[i]) >> _2):
            at = starts[i] + (number << _2)
            words[at] = row
            words[at + _1] = row >> _32
            words[at + _2] = copy
            words[at + _3] = number
    for number in range(uint64(len(words)) >> _2):
        at = number << _2
        row = uint64(words[at]) | uint64(words[at + _1]) << _32
        w0, w1, w2, w3 = philox.block(row, words[at + _2], words[at + _3], draws.k0, draws.k1)
        words[at] = w0
        words[at + _1] = w1
        words[at + _2] = w2
        words[at + _3] = w3


@inlined
def address(draws: Any, row: Any) -> Any:
    """Where a row's words come from: its address and the key, for `bounded`."""
    return draws.row[row], draws.copy[row], draws.k0, draws.k1


@inlined
def bounded(word: Any, below: Any, spare: Any, where: Any) -> Any:
    """A whole number below a bound, each exactly equally likely.

    Lemire 2019, "Fast random integer generation in an interval", algorithm 5, with 32-bit words.

    Args:
        word: uint32, random.
        below: uint64, 0 < below < 2**32.
        spare: uint64, number of the row's first spare word.
        where: See `address`.

    Returns:
        The number (uint64), and the number of the spare word that is then the first.
    """
    product = uint64(word) * below
    if product & _LOW < below:
        product, spare = _repeated(product, below, spare, where)
    return product >> _32, spare


@kernel
def _repeated(product: Any, below: Any, spare: Any, where: Any) -> Any:
    row, copy, k0, k1 = where
    while product & _LOW < ((_1 << _32) - below) % below:
        product = uint64(philox.word(spare, row, copy, k0, k1)) * below
        spare += _1
    return product, spare
