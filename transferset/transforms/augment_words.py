"""The loop of `augment` that draws words in the place of others, and what keeps words apart."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from numba import uint64

from transferset.compiled import kernel
from transferset.philox import block
from transferset.transforms.unigram import draw_token

#: Shapes of words that others can be given; see `word_shapes`.
SHAPES: Final = 3

_REPLACING = uint64(1 << 29)
_1, _30 = uint64(1), uint64(30)


class Tables(NamedTuple):
    """What replacements are drawn from, and their shapes.

    Attributes:
        columns: uint64, columns of the alias tables of all tags, one tag's after the other's.
        starts: int64[tags + 1], where each tag's begin.
        bits: uint64[tags], of each table; 0 where nothing has been counted.
        codes: int32, the words of all tags, in the order in which they were counted.
        first: int64[tags], where each tag's begin.
        shape: uint8[words], the shape of each word of the table; `SHAPES` is another one.
        shaped: int32[words, SHAPES], the code of each word in each shape, −1 where unknown.
    """

    columns: npt.NDArray[np.uint64]
    starts: npt.NDArray[np.int64]
    bits: npt.NDArray[np.uint64]
    codes: npt.NDArray[np.int32]
    first: npt.NDArray[np.int64]
    shape: npt.NDArray[np.uint8]
    shaped: npt.NDArray[np.int32]


class Chosen(NamedTuple):
    """Words of the attempts on one row that are to be replaced; there is room for all.

    Attributes:
        place: uint32, which word of all the attempts,
        copy: uint32, copy of its attempt,
        number: uint32, which word of the side.
        high: uint32, the first random word that it is drawn with,
        low: uint32, and the second.
    """

    place: npt.NDArray[np.uint32]
    copy: npt.NDArray[np.uint32]
    number: npt.NDArray[np.uint32]
    high: npt.NDArray[np.uint32]
    low: npt.NDArray[np.uint32]


class Alnum(NamedTuple):
    """Which words begin or end with a letter or digit: two of them that touch read as one word.

    Attributes:
        begins: bool[words + 1] by code; the last one is that of `MASKED` (−1), False.
        ends: bool[words + 1], likewise.
    """

    begins: npt.NDArray[np.bool_]
    ends: npt.NDArray[np.bool_]


def alnum_of(words: pa.StringArray) -> Alnum:
    """Look at the first and the last character of each word (`str.isalnum`)."""
    parts = pc.utf8_slice_codeunits(words, 0, 1), pc.utf8_slice_codeunits(words, -1)
    return Alnum(*map(_alnum, parts))


def _alnum(characters: pa.StringArray) -> npt.NDArray[np.bool_]:
    found = characters.dictionary_encode()
    known = np.array([c.isalnum() for c in found.dictionary.to_pylist()], np.bool_)
    return np.append(known[found.indices.to_numpy()], np.False_)


@kernel
def part_new(
    before: Any, came: Any, alnum: Any, codes: Any, space: Any, begin: Any, end: Any
) -> None:
    """Put a space between words that touch and would read as one, unless they did so before.

    Nothing that holds an array is handed to a function for each word: that would count references.

    Args:
        before: int32, the words of the side as they were.
        came: Which of them each word was.
        alnum: See `Alnum`.
        codes: int32, words of all attempts,
        space: uint8 of each, is changed.
        begin: First word of the attempt,
        end: and the one after its last.
    """
    begins, ends = alnum
    for i in range(uint64(end - begin) - _1 if end > begin else uint64(0)):
        at = uint64(begin) + uint64(i)
        if space[at] == 0 and ends[codes[at]] and begins[codes[at + _1]]:
            left, right = uint64(came[i]), uint64(came[uint64(i) + _1])
            same = codes[at] == before[left] and codes[at + _1] == before[right]
            space[at] = not (same and right == left + _1)


@kernel
def part_replaced(
    before: Any, count: Any, alnum: Any, chosen: Any, found: Any, codes: Any, space: Any
) -> None:
    """Do what `part_new` does where words were only replaced, looking at no others.

    Args:
        before: int32, the words of the side as they were.
        count: How many those are.
        alnum: See `Alnum`.
        chosen: See `Chosen`.
        found: How many are chosen.
        codes: int32, words of all attempts on the row.
        space: uint8 of each, is changed.
    """
    (begins, ends), (places, _, numbers, _, _) = alnum, chosen
    for i in range(found):
        place, j = uint64(places[i]), uint64(numbers[i])
        if codes[place] == before[j]:
            continue
        if j > 0 and space[place - _1] == 0:
            space[place - _1] = ends[codes[place - _1]] and begins[codes[place]]
        if j + _1 < count and space[place] == 0:
            space[place] = ends[codes[place]] and begins[codes[place + _1]]


@kernel
def replace_words(
    tags: Any, row: Any, of: Any, tables: Any, way: Any, chosen: Any, found: Any, codes: Any
) -> None:
    """Draw words in the place of those that are chosen, unless none of their tag was counted.

    All blocks come first, enciphered in one loop without a branch, in vector registers.

    Args:
        tags: uint8, of the words of the side.
        row: uint64, address.
        of: `augment_kernels.Attempted`.
        tables: See `Tables`.
        way: `augment_kernels.Way`.
        chosen: See `Chosen`.
        found: How many are chosen.
        codes: int32, words of all attempts on the row, are changed.
    """
    columns, starts, bits, words, first, shape, shaped = tables
    places, copies, numbers, high, low = chosen
    base = (uint64(of.side) << _30) + _REPLACING
    for i in range(found):
        number = base + uint64(numbers[i])
        w0, w1, _, _ = block(row, copies[i], number, of.k0, of.k1)
        high[i], low[i] = w0, w1
    for i in range(found):
        tag, place = uint64(tags[numbers[i]]), uint64(places[i])
        if bits[tag] == 0:
            continue
        table = columns[uint64(starts[tag]) : uint64(starts[tag + _1])]
        number = draw_token(high[i], low[i], table, bits[tag])
        drawn = words[uint64(first[tag]) + uint64(number)]
        code = codes[place]
        if way.match_case and shape[code] < SHAPES and shaped[drawn, shape[code]] >= 0:
            drawn = shaped[drawn, shape[code]]
        codes[place] = drawn
