"""The compiled decoder gives what libbz2 gives, or nothing. Compiling takes seconds, once."""

from __future__ import annotations

import bz2
import io
import random
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making_dumps import block_bits, cut, export, one_stream, parsed, read_all, some_pages

from transferset.errors import InputError
from transferset.sources import bzip2

pytest.importorskip("numba")

from transferset.sources.bzip2_kernel import BlockDecoder, crc32

pytestmark = pytest.mark.slow

KERNEL = BlockDecoder()


def decoded(block: str) -> bytes | None:
    """Decode a block given as bits, at an odd place between other bits."""
    before = "10110"
    bits = before + block + "1" * (-(len(before) + len(block)) % 8 + 16)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return KERNEL.decode(data, len(before), len(before) + len(block))


def text(words: int, seed: int = 0) -> bytes:
    rng = random.Random(seed)
    return b" ".join(b"%x" % int(rng.paretovariate(0.6)) for _ in range(words))


def test_the_crc_is_bzip2_s() -> None:
    for data in (b"", b"a", b"123456789", bytes(300)):
        expected = block_bits(data)[1] if data else 0
        assert crc32(data) == expected
    assert crc32(b"123456789") == 0xFC891918  # the check value of CRC-32/BZIP2


@pytest.mark.parametrize(
    "data",
    [
        b"a",
        b"ab",
        bytes(range(256)),
        text(20_000),
        random.Random(1).randbytes(80_000),
        b"".join(bytes([n]) * 2 ** min(n, 16) for n in range(18)),  # codes of more than ten bits
        b"aaaa" * 3,
        b"aaaa" + b"\x00" * 4 + b"b" * 255 + b"c" * 256 + b"d" * 259 + b"e" * 260 + b"f" * 1000,
        b"ab" * 9_000,  # periodic: the permutation has many cycles
        b"abc" * 10_000,
        b"\xff" * 77_000,
    ],
    ids=range(11),
)
def test_blocks_of_many_kinds(data: bytes) -> None:
    assert decoded(block_bits(data)[0]) == data


@given(st.one_of(st.binary(min_size=1), st.text("ab", min_size=1).map(str.encode)))
@settings(max_examples=300, deadline=None)
def test_any_data(data: bytes) -> None:
    assert decoded(block_bits(data)[0]) == data


def test_a_full_block() -> None:
    data = text(160_000)[:899_000]
    assert decoded(block_bits(data, 9)[0]) == data


def test_what_expands_beyond_the_buffer_is_left_to_libbz2() -> None:
    data = bytes(40_000_000)
    stream = bz2.compress(data, 9)
    marks = bzip2.find_marks(stream)
    assert len(marks) == 2
    assert KERNEL.decode(stream, marks[0].bit, marks[1].bit) is None
    file = io.BytesIO(stream)
    assert bzip2.decode(file, marks[0].bit, marks[1].bit, KERNEL) == data


def test_hostile_bits_give_nothing_or_the_truth() -> None:
    """Flips, cuts and noise: no index leaves its array, no other data come out."""
    rng = random.Random(2)
    for data in (b"x", text(300), rng.randbytes(500), b"abab" * 50):
        block = block_bits(data)[0]
        for _ in range(400):
            bits = list(block)
            for at in rng.sample(range(48, len(bits)), rng.choice([1, 1, 2, 30])):
                bits[at] = "01"[bits[at] == "0"]
            assert decoded("".join(bits)) in (None, data)
        for at in rng.sample(range(81, len(block)), 60):
            assert decoded(block[:at]) is None
            noise = "".join(rng.choice("01") for _ in range(3000))
            assert decoded(block[:at] + noise) is None
            assert decoded(block[:at] + "1" * 3000) is None
            assert decoded(block[:at] + "0" * 3000) is None
            assert decoded(block[:at] + "10" * 1500) is None


def test_a_dump_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transferset.sources.bzip2.FAST_FROM", 0)
    xml = export(*some_pages())
    path = tmp_path / "dump.bz2"
    whole = one_stream(cut(xml, 700))
    for data in (whole, bz2.compress(xml)):
        path.write_bytes(data)
        for part_bytes in (None, 100):
            assert read_all(path, part_bytes)[0] == parsed(xml)
    rng = random.Random(zlib.crc32(whole))
    for _ in range(30):
        at = rng.randrange(4, len(whole) - 1)
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        with pytest.raises(InputError, match=r"dump\.bz2, byte"):
            read_all(path, rng.choice([None, 100]))
