"""Spelling texts that must be encoded whole, with the mask where a word was masked only."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transferset.transforms.protocol import Spelling
from transferset.transforms.wording import MASKED, Words

Flat = tuple[npt.NDArray[Any], npt.NDArray[np.int64]]


def spell_whole(
    side: Words, texts: Callable[[Words], pa.StringArray], spelling: Spelling, mask: int
) -> Flat:
    """The content ids of rows of words.

    Words that happen to spell the mask piece are text: a row without masked words is spelled as
    text, in others what only looks like the mask is spelled by itself.

    Args:
        side: The rows.
        texts: Makes their texts.
        spelling: One that does not join.
        mask: Id of [MASK].

    Returns:
        Ids of all rows, and offsets, int64[rows + 1].
    """
    whole = texts(side)
    ids, offsets = spelling.spell_masked(whole.to_pylist())
    masked = np.append(0, np.cumsum(side.codes == MASKED))
    masked = masked[side.offsets[1:]] - masked[side.offsets[:-1]]
    looking = pc.count_substring(whole, spelling.mask).to_numpy()
    doubtful = np.flatnonzero(masked != looking)
    if not len(doubtful):
        return ids, offsets
    rows: list[npt.NDArray[Any]] = [ids[a:b] for a, b in pairwise(offsets)]
    for i in doubtful.tolist():
        text = whole[i].as_py()
        if masked[i]:
            rows[i] = _unmask(rows[i], text, _places(_row(side, i), texts), spelling, mask)
        else:
            rows[i] = spelling.spell([text])[0]
    return np.concatenate(rows), np.append(0, np.cumsum([len(row) for row in rows]))


def _row(side: Words, i: int) -> Words:
    begin, end = side.offsets[i], side.offsets[i + 1]
    one = np.array([0, end - begin])
    return Words(side.codes[begin:end], side.space[begin:end], one)


def _places(row: Words, texts: Callable[[Words], pa.StringArray]) -> set[int]:
    """The characters of a row's text at which its masked words begin."""
    alone = row._replace(offsets=np.arange(len(row.codes) + 1))
    places, at = set(), 0
    for word, code, space in zip(texts(alone).to_pylist(), row.codes, row.space, strict=True):
        if code == MASKED:
            places.add(at)
        at += len(word) + bool(space)
    return places


def _unmask(
    ids: npt.NDArray[Any], text: str, places: set[int], spelling: Spelling, mask: int
) -> npt.NDArray[Any]:
    """A row's ids, with text in place of the masks that are not at the places of masked words."""
    found = [one.start() in places for one in re.finditer(re.escape(spelling.mask), text)]
    masks = np.flatnonzero(ids == mask)
    if len(masks) != len(found):  # of a tokenizer that takes some of them for text already
        return ids
    plain = spelling.spell([spelling.mask])[0]
    parts = np.split(ids, masks)
    for i, is_masked in enumerate(found, 1):
        if not is_masked:
            parts[i] = np.concatenate([plain, parts[i][1:]])
    return np.concatenate(parts)
