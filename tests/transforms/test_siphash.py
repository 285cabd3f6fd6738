"""SipHash-2-4-128 against its authors' test vectors, and against plain Python."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_random import philox, step_key

from transferset.transforms import Position
from transferset.transforms.siphash import digest_rows, hash_rows

MASK = (1 << 64) - 1

#: vectors_sip128 of the reference code (github.com/veorq/SipHash, vectors.h): the digest of the
#: bytes 00 01 02 … under the key 00 01 … 0f, by length; those of whole 32-bit numbers.
VECTORS = {
    0: "a3817f04ba25a8e66df67214c7550293",
    4: "f88164c12d9c8faf7d0f6e7c7bcd5579",
    8: "3b62a9ba6258f5610f83e264f31497b4",
    12: "d626b266905ef35882634df68532c125",
    16: "6ee2a4ca67b054bbfd3315bf85230577",
    20: "9e25fc833f2290733e9344a5e83839eb",
    24: "2db479ae78bd50d8882a8a178a6132ad",
    28: "0664da1668574b88b935f3027358aef4",
    32: "7c3956ca5eeafc3e363e9d556546eb68",
    36: "3dc47d1f29c448461e9e76ed904f6711",
    40: "df6a301e95c95dad97ae0cc8c6913bd8",
    44: "89237d9ded9c5e78d8b1c9b166cc7342",
    48: "f7e5aef549f782cf379055a608269b16",
    52: "2c97325cbd06b36eb2133dd08b3a017c",
    56: "1938f2cf72d54ee97e94166fa91d2a36",
    60: "e3040c00eb28f15366ca73cbd872e740",
}

KEY = (0x0706050403020100, 0x0F0E0D0C0B0A0908)


def digests(rows, dtype, key=KEY):
    """Digests of rows of ids, as bytes."""
    offsets = np.cumsum([0, *map(len, rows)]).astype(np.int32)
    ids = np.array([i for row in rows for i in row], dtype)
    halves = hash_rows(ids, offsets, *map(np.uint64, key))
    return [halves[:, i].astype("<u8").tobytes() for i in range(len(rows))]


def plain_siphash(data, key):
    """Written from the paper, § 2, byte for byte."""

    def rotate(x, bits):
        return (x << bits | x >> (64 - bits)) & MASK

    def rounds(v, count):
        a, b, c, d = v
        for _ in range(count):
            a, c = (a + b) & MASK, (c + d) & MASK
            b, d = rotate(b, 13) ^ a, rotate(d, 16) ^ c
            a, c = (rotate(a, 32) + d) & MASK, (c + b) & MASK
            b, d = rotate(b, 17) ^ c, rotate(d, 21) ^ a
            c = rotate(c, 32)
        return [a, b, c, d]

    k0, k1 = key
    v = [0x736F6D6570736575 ^ k0, 0x646F72616E646F6D ^ k1 ^ 0xEE]
    v += [0x6C7967656E657261 ^ k0, 0x7465646279746573 ^ k1]
    padded = data + b"\0" * (7 - len(data) % 8) + bytes([len(data) % 256])
    for start in range(0, len(padded), 8):
        word = int.from_bytes(padded[start : start + 8], "little")
        v[3] ^= word
        v = rounds(v, 2)
        v[0] ^= word
    v[2] ^= 0xEE
    v = rounds(v, 4)
    first = v[0] ^ v[1] ^ v[2] ^ v[3]
    v[1] ^= 0xDD
    v = rounds(v, 4)
    second = v[0] ^ v[1] ^ v[2] ^ v[3]
    return first.to_bytes(8, "little") + second.to_bytes(8, "little")


@pytest.mark.parametrize("length", VECTORS)
def test_published_vectors(length):
    data = bytes(range(length))
    row = np.frombuffer(data, "<i4").tolist()
    assert digests([row], np.int32)[0].hex() == VECTORS[length]
    assert plain_siphash(data, KEY).hex() == VECTORS[length], "the plain one is right too"


@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(st.lists(st.integers(0, 65_535), max_size=70), max_size=6),
    key=st.tuples(st.integers(0, MASK), st.integers(0, MASK)),
)
def test_each_row_is_hashed_by_itself_as_32_bit_numbers(rows, key):
    expected = [plain_siphash(np.array(row, "<u4").tobytes(), key) for row in rows]
    assert digests(rows, np.uint16, key) == expected
    assert digests(rows, np.int32, key) == expected


def test_rows_may_begin_anywhere_in_the_values():
    ids, offsets = np.arange(20, dtype=np.uint16), np.array([3, 7, 7, 12], np.int32)
    found = hash_rows(ids, offsets, *map(np.uint64, KEY))
    rows = [list(range(3, 7)), [], list(range(7, 12))]
    assert [found[:, i].tobytes() for i in range(3)] == digests(rows, np.uint16)


def test_the_key_is_drawn_by_the_step():
    ids, offsets = np.array([2, 9, 3], np.uint16), np.array([0, 3], np.int32)
    found = digest_rows(ids, offsets, Position(5, 2).key)[:, 0].tobytes()
    last = (1 << 32) - 1
    a, b, c, d = philox((0, 0, last, last), step_key(5, 2))
    assert found == plain_siphash(ids.astype("<u4").tobytes(), (a << 32 | b, c << 32 | d))
