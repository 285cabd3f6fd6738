"""Philox4x32-10 and what is drawn by it, in plain Python: slow, and written from the paper."""

from __future__ import annotations

MASK32 = (1 << 32) - 1


def philox(counter, key):
    """Salmon et al. 2011, § 3.3: ten rounds on four 32-bit words."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = c0 * 0xD2511F53, c2 * 0xCD9E8D57
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & MASK32, (p0 >> 32) ^ c3 ^ k1, p0 & MASK32
        k0, k1 = (k0 + 0x9E3779B9) & MASK32, (k1 + 0xBB67AE85) & MASK32
    return c0, c1, c2, c3


def step_key(seed, step):
    return philox((seed & MASK32, seed >> 32, step, 0), (0, 0))[:2]


def row_key(row, copy, key):
    """The 64-bit sort key of a row."""
    high, low, _, _ = philox((row & MASK32, row >> 32, copy, 0), key)
    return high << 32 | low


def words64(draw, key):
    """64-bit words of a draw, without end."""
    block = 0
    while True:
        a, b, c, d = philox((draw & MASK32, draw >> 32, MASK32, block), key)
        yield a << 32 | b
        yield c << 32 | d
        block += 1


def draw_below(draw, bound, key):
    """Exactly uniform below the bound: words whose product is in the first 2**64 mod bound places
    of its interval are passed over."""
    for word in words64(draw, key):
        product = word * bound
        if product % 2**64 >= 2**64 % bound:
            return product >> 64
    raise AssertionError
