from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from row_sets import make_rows

from transferset.report.id_rows import IdBatch, id_batches
from transferset.report.row_digests import Digester

KEY = bytes(range(16))
IDS = st.lists(st.integers(0, 2000), max_size=9)


def batch(*rows, dtype=np.uint16) -> IdBatch:
    offsets = np.append(0, np.cumsum([len(r) for r in rows])).astype(np.int32)
    return IdBatch(np.array([i for r in rows for i in r], dtype), offsets, None)


def siphash_128(key: bytes, data: bytes) -> bytes:
    """SipHash-2-4 with 128 bits, written like the reference code, on bytes."""
    mask = (1 << 64) - 1
    k0, k1 = (int.from_bytes(key[i : i + 8], "little") for i in (0, 8))
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261,
         k1 ^ 0x7465646279746573]  # fmt: skip
    v[1] ^= 0xEE

    def turn(x: int, bits: int) -> int:
        return ((x << bits) | (x >> (64 - bits))) & mask

    def rounds(count: int) -> None:
        for _ in range(count):
            v[0] = (v[0] + v[1]) & mask
            v[1] = turn(v[1], 13) ^ v[0]
            v[0] = turn(v[0], 32)
            v[2] = (v[2] + v[3]) & mask
            v[3] = turn(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & mask
            v[3] = turn(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & mask
            v[1] = turn(v[1], 17) ^ v[2]
            v[2] = turn(v[2], 32)

    whole = len(data) // 8 * 8
    words = [int.from_bytes(data[i : i + 8], "little") for i in range(0, whole, 8)]
    words.append(int.from_bytes(data[whole:], "little") | (len(data) & 0xFF) << 56)
    for word in words:
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xEE
    rounds(4)
    low = v[0] ^ v[1] ^ v[2] ^ v[3]
    v[1] ^= 0xDD
    rounds(4)
    return low.to_bytes(8, "little") + (v[0] ^ v[1] ^ v[2] ^ v[3]).to_bytes(8, "little")


def test_the_vectors_of_the_reference_code():
    # its vectors_sip128: key 00 … 0f, messages 00 01 … of 0, 4 and 8 bytes
    vectors = {
        0: "a3817f04ba25a8e66df67214c7550293",
        4: "f88164c12d9c8faf7d0f6e7c7bcd5579",
        8: "3b62a9ba6258f5610f83e264f31497b4",
    }
    messages = [np.frombuffer(bytes(range(size)), "<u4").tolist() for size in vectors]
    digests = Digester(5, KEY).rows(batch(*messages, dtype=np.uint32))
    assert [digest.tobytes().hex() for digest in digests] == list(vectors.values())
    assert [siphash_128(KEY, bytes(range(size))).hex() for size in vectors] == list(
        vectors.values()
    )


@settings(deadline=None)
@given(st.lists(IDS, min_size=1, max_size=5))
def test_digests_of_rows_are_siphash_of_their_ids(rows):
    digests = Digester(2001, KEY).rows(batch(*rows))
    for ids, digest in zip(rows, digests, strict=True):
        assert digest.tobytes() == siphash_128(KEY, np.array(ids, "<u4").tobytes())


@settings(deadline=None)
@given(IDS, st.randoms(use_true_random=False))
def test_the_digest_of_a_bag_does_not_depend_on_the_order(ids, random):
    other = list(ids)
    random.shuffle(other)
    one, two = Digester(2001).bags(batch(ids, other))
    assert one.tolist() == two.tolist()


@settings(deadline=None)
@given(IDS, IDS)
def test_bags_of_other_ids_have_other_digests(a, b):
    one, two = Digester(2001).bags(batch(a, b))
    assert (one.tolist() == two.tolist()) == (sorted(a) == sorted(b))


def test_ids_of_any_width_have_the_same_digests():
    digester = Digester(2001)
    narrow, wide = batch([5, 6, 7]), batch([5, 6, 7], dtype=np.uint32)
    assert digester.rows(narrow).tolist() == digester.rows(wide).tolist()
    assert digester.bags(narrow).tolist() == digester.bags(wide).tolist()


def test_rows_in_the_middle_of_a_batch_have_the_digests_of_their_own(tmp_path):
    digester = Digester(1000)
    (whole,) = id_batches(make_rows(tmp_path / "set", [[2, 5, 3], [2, 6, 7, 3], [2, 3]]))
    for digests in (digester.rows, digester.bags):
        assert digests(whole)[1:].tolist() == digests(whole.part(1, 3)).tolist()


def test_keys_are_drawn_anew():
    ids = batch([5, 6, 7])
    assert Digester(2001).rows(ids).tolist() != Digester(2001).rows(ids).tolist()
    assert Digester(2001).bags(ids).tolist() != Digester(2001).bags(ids).tolist()
