"""bzip2 blocks are found at any bit and decoded one by one."""

from __future__ import annotations

import bz2
import io
import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making_dumps import BLOCK, END, block_bits, cut, one_stream

from transferset.sources.bzip2 import (
    Mark,
    Marks,
    decode,
    decode_slowly,
    find_marks,
    fold,
    last_blocks,
    previous_block,
    sound_prefix,
)


def marks_of(data: bytes) -> list[Mark]:
    marks, found = Marks(io.BytesIO(data), 0), []
    while (mark := marks.take()) is not None:
        found.append(mark)
    return found


@given(st.integers(0, 100), st.booleans(), st.binary(max_size=20))
def test_a_magic_is_found_at_any_bit(bit: int, end: bool, after: bytes) -> None:
    bits = "0" * bit + f"{END if end else BLOCK:048b}" + "".join(f"{b:08b}" for b in after)
    bits += "0" * (-len(bits) % 8)
    data = int("1" + bits, 2).to_bytes(len(bits) // 8 + 1, "big")[1:]
    assert find_marks(data) == [Mark(bit, end)]


def test_no_magic_no_mark() -> None:
    assert find_marks(b"") == []
    assert find_marks(b"1AY&S") == []
    assert find_marks(random.Random(0).randbytes(100_000)) == []


def test_a_magic_across_two_windows_is_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    data = one_stream(cut(random.Random(1).randbytes(3000), 97))
    expected = find_marks(data)
    assert len(expected) == 31 + 1
    for window in range(7, 40):
        monkeypatch.setattr("transferset.sources.bzip2._WINDOW", window)
        assert marks_of(data) == expected


@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=6))
def test_each_block_decodes_by_itself(pieces: list[bytes]) -> None:
    data = one_stream(pieces)
    assert bz2.decompress(data) == b"".join(pieces)
    marks = marks_of(data)
    file = io.BytesIO(data)
    spans = list(itertools.pairwise(marks))
    assert [decode(file, a.bit, b.bit) for a, b in spans] == pieces
    assert [b"".join(decode_slowly(file, a.bit, b.bit, step=7)) for a, b in spans] == pieces
    for piece, (a, b) in zip(pieces, spans, strict=True):
        assert sound_prefix(file, a.bit, len(data) * 8) == (piece, b.bit)


def test_a_real_compressor_is_read_block_by_block() -> None:
    text = b" ".join(b"%d" % (n * n) for n in range(40_000))
    data = bz2.compress(text, 1)
    marks = marks_of(data)
    assert len(marks) == -(-len(text) // 100_000) + 1  # blocks of almost 100,000 bytes
    assert marks[-1].end
    file = io.BytesIO(data)
    spans = list(itertools.pairwise(marks))
    assert b"".join(decode(file, a.bit, b.bit) or b"" for a, b in spans) == text
    blocks, stop = last_blocks(file, len(data))
    assert blocks == [(a.bit, b.bit) for a, b in spans]
    assert stop == len(data)
    assert previous_block(file, marks[2].bit) == marks[1].bit
    assert previous_block(file, marks[0].bit) is None


def test_no_flipped_bit_of_a_block_gives_other_data() -> None:
    """A bit of a Huffman table that no symbol uses may flip unnoticed: the data are the same."""
    data = one_stream([b"the quick brown fox", b"and so on"])
    same = 0
    first, second, _ = marks_of(data)
    for bit in range(first.bit, second.bit):
        bad = bytearray(data)
        bad[bit // 8] ^= 0x80 >> bit % 8
        decoded = decode(io.BytesIO(bad), first.bit, second.bit)
        assert decoded in (None, b"the quick brown fox")
        same += decoded is not None
    assert same < 20


def test_too_long_a_span_is_not_decoded() -> None:
    data = bz2.compress(b"x")
    assert decode(io.BytesIO(data), 32, 32 + 80) is None
    assert decode(io.BytesIO(data), 32, 1 << 40) is None
    assert list(decode_slowly(io.BytesIO(data), 32, 1 << 40)) == []


@given(st.lists(st.integers(0, 2**32 - 1), max_size=80), st.integers(0, 80))
def test_combined_crcs_fold_in_any_grouping(crcs: list[int], where: int) -> None:
    def total(some: list[int]) -> int:
        value = 0
        for crc in some:
            value = ((value << 1 | value >> 31) & 0xFFFFFFFF) ^ crc
        return value

    left, right = crcs[:where], crcs[where:]
    assert fold(total(left), len(right), total(right)) == total(crcs)


def test_fold_is_what_bzip2_stores() -> None:
    pieces = [b"one", b"two", b"three"]
    stream = one_stream(pieces)
    assert bz2.decompress(stream) == b"onetwothree"  # libbz2 checks the combined CRC
    total = 0
    for piece in pieces:
        total = fold(total, 1, block_bits(piece)[1])
    bit = marks_of(stream)[-1].bit
    stored = int.from_bytes(stream, "big") >> (len(stream) * 8 - bit - 80) & 0xFFFFFFFF
    assert stored == total
