"""Words are copied many bytes at once: whatever their lengths, nothing but they is written."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from transferset.transforms.spell_kernels import (
    SLACK,
    SPELLED,
    Parts,
    count_bytes,
    eights_of,
    make_parts,
    text_offsets,
    write_rows,
    write_texts,
)
from transferset.transforms.wording import MASKED, Words

CLS, SEP, MASK = 101, 102, 103
LENGTHS = [*range(1, 35), 40, 64, 65]

Lists = list[list[int]]


def flat(lists: Lists, kind: npt.DTypeLike) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    at = np.append(0, np.cumsum([len(one) for one in lists])).astype(np.int64)
    return np.array([value for one in lists for value in one], kind), at


def rows_of_codes(rng: np.random.Generator, rows: int) -> list[list[int]]:
    codes = [SPELLED, MASKED, *range(len(LENGTHS))]
    return [rng.choice(codes, rng.integers(0, 9)).tolist() for _ in range(rows)]


def words_of(rows: Lists, rng: np.random.Generator) -> Words:
    codes, at = flat(rows, np.int32)
    return Words(codes, rng.integers(0, 2, len(codes)).astype(np.uint8), at)


def pieces_of(code: int, lists: Lists) -> list[int]:
    return [] if code == SPELLED else [MASK] if code == MASKED else lists[code]


def word_parts(lists: Lists, kind: npt.DTypeLike) -> Parts:
    return make_parts([flat([[MASK]], kind), flat(lists, kind)])


@pytest.mark.parametrize("kind", [np.uint16, np.int32])
@pytest.mark.parametrize("pairs", [False, True])
def test_ids_are_those_of_the_words_up_to_the_cut(kind: npt.DTypeLike, pairs: bool) -> None:
    rng = np.random.default_rng(3)
    lists = [rng.integers(1000, 30_000, size).tolist() for size in LENGTHS]
    parts, size = word_parts(lists, kind), np.dtype(kind).itemsize
    sides = [rows_of_codes(rng, 200) for _ in range(2)]
    words = [words_of(side, rng) for side in sides]
    picked = np.flatnonzero(rng.random(200) < 0.7)
    kept = tuple(
        rng.integers(0, count_bytes(side, picked, parts.spans) // size + 1) for side in words
    )
    expected = []
    for i, row in enumerate(picked.tolist()):
        expected.append(CLS)
        for side, most in list(zip(sides, kept, strict=True))[: 1 + pairs]:
            ids = [piece for code in side[row] for piece in pieces_of(code, lists)]
            expected += [*ids[: most[i]], SEP]
    ids = np.empty(len(expected) + SLACK, kind)
    write_rows(*words, pairs, picked, kept, parts, (CLS, SEP), ids, eights_of(ids))
    assert ids[:-SLACK].tolist() == expected


def test_texts_are_words_with_their_spaces_and_none_at_the_end() -> None:
    rng = np.random.default_rng(4)
    lists = [rng.integers(97, 123, size).tolist() for size in LENGTHS]
    spaced = [[*one, 32] for one in lists]
    parts = make_parts([flat([[*b"[MASK] "]], np.uint8), flat(spaced, np.uint8)], gap=1)
    rows = [[code for code in row if code != SPELLED] for row in rows_of_codes(rng, 300)]
    words = words_of(rows, rng)
    picked = np.flatnonzero(rng.random(300) < 0.7)
    expected = []
    for row in picked.tolist():
        gaps = words.space[words.offsets[row] : words.offsets[row + 1]].tolist()
        text = b""
        for j, (code, gap) in enumerate(zip(rows[row], gaps, strict=True)):
            text += b"[MASK]" if code == MASKED else bytes(lists[code])
            text += b" " if gap and j + 1 < len(gaps) else b""
        expected.append(text)
    at = text_offsets(words, picked, parts.spans)
    data = np.empty(int(at[-1]) + SLACK, np.uint8)
    write_texts(words, picked, parts, eights_of(data))
    assert np.diff(at).tolist() == [len(text) for text in expected]
    assert data[:-SLACK].tobytes() == b"".join(expected)
