"""The noise of rows in plain Python, written from what is promised of it: slow, without kernels."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from driving import CLS, MASK, PAD, SEP
from plain_random import philox

WHOLE = 1 << 32


def word(number: int, row: int, copy: int, key: tuple[int, int]) -> int:
    """Word `number` of a row: the words of its blocks, one block after the other."""
    block = philox((row % WHOLE, row // WHOLE, copy, number // 4), key)
    return block[number % 4]


def below(bound: int, number: int, spare: list[int], row: int, copy: int, key) -> int:
    """Word `number` as a number below the bound; spare words follow if it must be passed over.

    Lemire 2019: the first 2**32 mod bound places of each number's interval are passed over.
    """
    while True:
        product = word(number, row, copy, key) * bound
        if product % WHOLE >= WHOLE % bound:
            return product // WHOLE
        number = spare[0]
        spare[0] += 1


def segments(ids: list[int]) -> list[tuple[int, int]]:
    """Where the runs of ids between [CLS], [SEP] and [PAD] begin and end."""
    found, begin = [], 0
    for i, token in enumerate([*ids, SEP]):
        if token in (CLS, SEP, PAD):
            if begin < i:
                found.append((begin, i))
            begin = i + 1
    return found


def units(ids: list[int], begin: int, end: int, word_start) -> list[list[int]]:
    """Places of the words of a segment; of the tokens if there is no table."""
    found: list[list[int]] = []
    for i in range(begin, end):
        if i == begin or word_start is None or word_start[ids[i]]:
            found.append([i])
        else:
            found[-1].append(i)
    return found


def shuffled(ids, row, copy, key, word_start=None, window=None) -> list[int]:
    """A row whose tokens or words are permuted."""
    out, spare = list(ids), [len(ids)]
    for begin, end in segments(ids):
        found = units(ids, begin, end, word_start)
        if window is None:
            order: list[int] = []
            for k, unit in enumerate(found):
                j = below(k + 1, unit[0], spare, row, copy, key)
                order.insert(k, k)
                order[k], order[j] = order[j], order[k]
        else:
            noise = [word(unit[0], row, copy, key) * (window + 1) for unit in found]
            order = sorted(range(len(found)), key=lambda i: i * WHOLE + noise[i])
        out[begin:end] = [ids[i] for k in order for i in found[k]]
    return out


def chosen(ids, row, copy, key, p, word_start=None) -> list[bool]:
    """Which tokens of a row are chosen; a word is chosen by the word of its first piece."""
    out = [False] * len(ids)
    runs, begin = [], None
    for i, token in enumerate([*ids, SEP]):
        content = token not in (CLS, SEP, PAD, MASK)
        if content and begin is None:
            begin = i
        if not content and begin is not None:
            runs.append((begin, i))
            begin = None
    for begin, end in runs:
        for unit in units(ids, begin, end, word_start):
            yes = word(unit[0], row, copy, key) < round(p * WHOLE)
            for i in unit:
                out[i] = yes
    return out


def chi_square(counts: Iterable[float], expected: Iterable[float] | float) -> float:
    """Pearson's statistic in standard deviations above its mean, for independent cells.

    The cells' expectations add up to the sum of the counts, so one degree of freedom is gone.
    """
    found = np.asarray(counts, float).ravel()
    wanted = np.broadcast_to(np.asarray(expected, float), np.shape(counts)).ravel()
    freedom = len(found) - 1
    assert wanted.min() >= 5, "cells too small for the approximation"
    return (((found - wanted) ** 2 / wanted).sum() - freedom) / math.sqrt(2 * freedom)
