"""Content ids of texts become rows: [CLS] a [SEP], or [CLS] a [SEP] b [SEP]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from transferset.compiled import inlined, kernel

Offsets = npt.NDArray[np.int64]

#: Content ids of texts, and where each text's begin.
Side = tuple[npt.NDArray[Any], Offsets]


@inlined
def longest_first(first: Any, second: Any, room: Any) -> Any:
    """How many ids of each text of a pair are kept, as the `tokenizers` library cuts them.

    `TruncationStrategy::LongestFirst` of its `utils/truncation.rs`: what is removed one at a time
    from the longer one, worked out at once.

    Args:
        first: Ids of the first text.
        second: Of the second.
        room: Most ids of both.
    """
    if first + second <= room:
        return first, second
    low, high = min(first, second), max(first, second)
    high = low if low > room else max(low, room - low)
    if low + high > room:
        low = room // 2
        high = low + room % 2
    return (high, low) if first > second else (low, high)


def frame_rows(
    sides: Sequence[Side], cls: int, sep: int, max_len: int | None, kind: npt.DTypeLike
) -> tuple[npt.NDArray[Any], npt.NDArray[np.int32], int]:
    """Put content ids between special ones.

    Args:
        sides: One, or two of pairs, of equally many texts.
        cls: Id of [CLS].
        sep: Id of [SEP].
        max_len: Most ids of a row; None is any number. Longer texts lose their end, of a pair the
            longer one first.
        kind: Type of the ids.

    Returns:
        Ids, offsets int32[rows + 1], and how many content ids were cut.

    Raises:
        ValueError: There is no side, or they are of different lengths.
    """
    if len({len(offsets) for _, offsets in sides}) != 1:
        raise ValueError(f"{len(sides)} sides of equally many texts")
    kept = [np.diff(offsets) for _, offsets in sides]
    whole = sum(int(one.sum()) for one in kept)
    if max_len is not None:
        _cut(kept[0], kept[-1], max_len - 1 - len(sides), len(sides) > 1)
    lengths = sum(kept) + 1 + len(sides)
    offsets = np.append(0, np.cumsum(lengths)).astype(np.int32)
    ids = np.empty(int(offsets[-1]), kind)
    ids[offsets[:-1]] = cls
    at = offsets[:-1].astype(np.int64) + 1
    for (values, starts), count in zip(sides, kept, strict=True):
        _place(values, starts, count, at, sep, ids)
        at += count + 1
    return ids, offsets, whole - sum(int(one.sum()) for one in kept)


@kernel
def _cut(first: Any, second: Any, room: Any, pairs: Any) -> None:
    for i in range(len(first)):
        if pairs:
            first[i], second[i] = longest_first(first[i], second[i], room)
        else:
            first[i] = min(first[i], room)


@kernel
def _place(values: Any, starts: Any, count: Any, at: Any, sep: Any, ids: Any) -> None:
    for i in range(len(at)):
        for j in range(count[i]):
            ids[at[i] + j] = values[starts[i] + j]
        ids[at[i] + count[i]] = sep
