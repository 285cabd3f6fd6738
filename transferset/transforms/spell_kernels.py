"""Compiled loops over rows of words: how long they are spelled out, and spelling them out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import uint64

from transferset.compiled import inlined, kernel
from transferset.transforms.framing import longest_first

#: The code of a word that is spelled with the one before it.
SPELLED: Final = -2

#: Bytes, or ids, of room behind the last: a word's are copied many at once, and those beyond it
#: overwritten by what comes next.
SLACK: Final = 24

_0, _1, _8, _16, _32 = uint64(0), uint64(1), uint64(8), uint64(16), uint64(32)
_LOW = uint64(0xFFFFFFFF)

Array = npt.NDArray[Any]
Spans = npt.NDArray[np.uint64]


class Parts(NamedTuple):
    """What words are spelled with: their ids, or their text, as bytes.

    Attributes:
        eights: See `eights_of`; the bytes of all words.
        spans: uint64[words + 2], that of code c at c + 2: where its bytes begin · 2**32 + how
            many there are. `SPELLED` and `MASKED` are the first two.
    """

    eights: Spans
    spans: Spans


def eights_of(values: Array) -> Spans:
    """The eight bytes from each byte on as one number, to be copied at once.

    Args:
        values: With `SLACK` bytes that mean nothing at the end.
    """
    return np.ndarray(values.nbytes - 7, np.uint64, values.data, strides=(1,))


def make_parts(lists: Sequence[tuple[Array, Array]], gap: int = 0) -> Parts:
    """What words are spelled with.

    Args:
        lists: Values, all of one type, and their offsets: of the mask, of words, and so on.
        gap: How many values stand behind each word and are none of it.
    """
    size, before = lists[0][0].itemsize, 0
    spans = [np.zeros(1, np.uint64)]  # of SPELLED
    for values, at in lists:
        starts = (at[:-1].astype(np.uint64) + np.uint64(before)) * np.uint64(size)
        counts = (np.diff(at) - gap).astype(np.uint64) * np.uint64(size)
        spans.append(starts << np.uint64(32) | counts)
        before += len(values)
    values = np.concatenate([*(v for v, _ in lists), np.zeros(SLACK, lists[0][0].dtype)])
    return Parts(eights_of(values), np.concatenate(spans))


@inlined
def _copy(eights: Any, span: Any, more: Any, target: Any, place: Any) -> Any:
    """Copy the bytes of a span and some more to a place; the first sixteen in any case."""
    at, size = span >> _32, (span & _LOW) + more
    target[place] = eights[at]
    target[place + _8] = eights[at + _8]
    for k in range(_16, size, _8):
        target[place + k] = eights[at + k]
    return place + size


@kernel
def count_bytes(words: Any, picked: Any, spans: Any) -> Any:
    """How many bytes the words of each row have.

    Args:
        words: Rows; a code from the number of words on is that of a run.
        picked: int64[n], numbers of the rows.
        spans: See `Parts`.

    Returns:
        int64[n].
    """
    codes, offsets = words.codes, words.offsets
    lengths = np.empty(len(picked), np.int64)
    for i in range(len(picked)):
        row, length = uint64(picked[i]), _0
        for j in range(uint64(offsets[row]), uint64(offsets[row + _1])):
            length += spans[uint64(codes[j] + 2)] & _LOW
        lengths[i] = length
    return lengths


@kernel
def cut_lengths(first: Any, second: Any, room: Any, pairs: Any) -> Any:
    """Cut rows that are too long.

    Args:
        first: int64[rows], ids of each first text; are changed to what is kept.
        second: Of each second text; without pairs they mean nothing.
        room: Most content ids of a row.
        pairs: Whether rows are pairs.

    Returns:
        How many ids are not kept.
    """
    cut = 0
    for i in range(len(first)):
        a, b = first[i], second[i] if pairs else 0
        kept = longest_first(a, b, room) if pairs else (min(a, room), 0)
        cut += a + b - kept[0] - kept[1]
        first[i] = kept[0]
        if pairs:
            second[i] = kept[1]
    return cut


@kernel
def write_rows(
    first: Any,
    second: Any,
    pairs: Any,
    picked: Any,
    kept: Any,
    parts: Any,
    special: Any,
    ids: Any,
    target: Any,
) -> None:
    """Write the ids of rows, one after the other: [CLS] a [SEP], or [CLS] a [SEP] b [SEP].

    Args:
        first: Rows, each first text.
        second: Each second text; without pairs they mean nothing.
        pairs: Whether rows are pairs.
        picked: int64[rows], their numbers.
        kept: int64[rows] of both, how many ids are written.
        parts: Ids of the words.
        special: Ids of [CLS] and [SEP].
        ids: What they are written to, and `SLACK` more.
        target: The same, see `eights_of`.
    """
    a, a_at, b, b_at = first.codes, first.offsets, second.codes, second.offsets
    (a_kept, b_kept), (cls, sep) = kept, special
    spans, eights, size = parts.spans, parts.eights, uint64(ids.itemsize)
    place = _0
    for i in range(len(picked)):
        row = uint64(picked[i])
        ids[place] = cls
        stop = place + _1 + uint64(a_kept[i])
        _write(a, a_at, row, eights, spans, target, (place + _1) * size, stop * size)
        ids[stop] = sep
        if pairs:
            place, stop = stop, stop + _1 + uint64(b_kept[i])
            _write(b, b_at, row, eights, spans, target, (place + _1) * size, stop * size)
            ids[stop] = sep
        place = stop + _1


@inlined
def _write(
    codes: Any, at: Any, row: Any, eights: Any, spans: Any, target: Any, place: Any, end: Any
) -> None:
    """Write the words of a row from a place to an end; what comes then is written to as well."""
    for j in range(uint64(at[row]), uint64(at[row + _1])):
        span = spans[uint64(codes[j] + 2)]
        if place + (span & _LOW) > end:  # the row is cut
            span = (span >> _32 << _32) | (end - place)
        place = _copy(eights, span, _0, target, place)


@kernel
def text_offsets(words: Any, picked: Any, spans: Any) -> Any:
    """Where the text of each row begins.

    Args:
        words: Rows.
        picked: int64[n], their numbers.
        spans: See `Parts`, of texts.

    Returns:
        int64[n + 1].
    """
    codes, space, offsets = words.codes, words.space, words.offsets
    starts = np.zeros(len(picked) + 1, np.int64)
    total = _0
    for i in range(len(picked)):
        row = uint64(picked[i])
        begin, end = uint64(offsets[row]), uint64(offsets[row + _1])
        for j in range(begin, end):
            total += (spans[uint64(codes[j] + 2)] & _LOW) + uint64(space[j] != 0)
        if end > begin:  # no space after the last word
            total -= uint64(space[end - _1] != 0)
        starts[i + 1] = total
    return starts


@kernel
def write_texts(words: Any, picked: Any, parts: Any, target: Any) -> None:
    """Write the bytes of rows, one after the other.

    Args:
        words: Rows.
        picked: int64[n], their numbers.
        parts: Bytes of the words, each with a space behind it.
        target: What they are written to, and `SLACK` more, see `eights_of`.
    """
    codes, space, offsets = words.codes, words.space, words.offsets
    eights, spans = parts.eights, parts.spans
    place = _0
    for i in range(len(picked)):
        row = uint64(picked[i])
        begin, end = uint64(offsets[row]), uint64(offsets[row + _1])
        for j in range(begin, end):
            span, gap = spans[uint64(codes[j] + 2)], uint64(space[j] != 0)
            place = _copy(eights, span, gap, target, place)
        if end > begin:
            place -= uint64(space[end - _1] != 0)
