from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferset import rng

# Known answers published with Random123 (kat_vectors, philox4x32 10 rounds).
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    (
        (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


def words(*values: int) -> tuple[np.ndarray, ...]:
    return tuple(np.array([v], np.uint32) for v in values)


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_philox_gives_the_published_answers(counter, key, expected):
    assert tuple(int(w[0]) for w in rng.philox(words(*counter), key)) == expected


@given(st.lists(st.integers(0, 2**32 - 1), min_size=4, max_size=40), st.integers(0, 2**32 - 1))
def test_an_address_gives_the_same_bits_alone_or_in_an_array(values, k):
    c = np.array(values, np.uint32)
    together = rng.philox((c, c, c, c), (k, 1))
    alone = [rng.philox(words(v, v, v, v), (k, 1)) for v in values]
    assert [tuple(int(w[i]) for w in together) for i in range(len(values))] == [
        tuple(int(w[0]) for w in one) for one in alone
    ]


def keys(seed=0, step=0, source=0, doc=1, rev=2, sentence=3):
    return int(
        rng.order_keys(
            seed,
            step,
            np.array([source], np.uint16),
            np.array([doc], np.uint64),
            np.array([rev], np.uint64),
            np.array([sentence], np.uint32),
        )[0]
    )


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"seed": 1 << 40},
        {"step": 1},
        {"source": 1},
        {"doc": 2},
        {"doc": (1 << 32) + 1},
        {"rev": 3},
        {"rev": (1 << 32) + 2},
        {"sentence": 4},
    ],
)
def test_every_part_of_a_rows_identity_changes_its_key(change):
    assert keys(**change) != keys()


def test_order_keys_are_uniform():
    n = 200_000
    zeros = np.zeros(n, np.uint64)
    found = rng.order_keys(
        7, 0, zeros.astype(np.uint16), zeros, zeros, np.arange(n, dtype=np.uint32)
    )
    assert len(np.unique(found)) == n
    counts = np.bincount((found >> np.uint64(56)).astype(np.int64), minlength=256)
    chi_square = ((counts - n / 256) ** 2 / (n / 256)).sum()
    # 255 degrees of freedom: mean 255, standard deviation 22.6; five of them either way
    assert 255 - 113 < chi_square < 255 + 113


def test_step_keys_of_one_seed_differ():
    assert len({rng.step_key(5, step) for step in range(1000)}) == 1000
