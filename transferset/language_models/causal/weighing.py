"""Highest scores, their exponentials and sums: loops that run in vector registers.

All of them go over one row in one order, so what they give depends on nothing but the row.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from transferset.compiled import inlined, kernel

#: Numbers that are summed at once.
BLOCK: Final = 64
_HALF_BLOCK, _QUARTER = BLOCK // 2, BLOCK // 4

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
#: Below 2^−126 there is no float32 of full precision; weights end there.
_LOWEST: Final = np.float32(-126)
_PER_BIT: Final = np.float32(1.4426950408889634)  # 1 / ln 2
#: Taylor's series of 2^f, (ln 2)^n / n!; for |f| ≤ 1/2 the rest is below 1.3e-7.
_T1, _T2, _T3 = np.float32(0.6931471805), np.float32(0.2402265070), np.float32(0.0555041087)
_T4, _T5, _T6 = np.float32(0.0096181291), np.float32(0.0013333558), np.float32(0.0001540353)
_BIAS, _MANTISSA = np.int32(127), np.int32(23)


@intrinsic  # type: ignore[untyped-decorator]
def _as_float(_: Any, bits: Any) -> Any:
    """The float32 of 32 bits."""

    def generate(__: Any, builder: Any, ___: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


@kernel
def weigh(scores: Any, high: Any, weights: Any) -> None:
    """Write exp(score − high) of scores, with a relative error below 1e-6.

    e^x = 2^n · 2^f with n whole and |f| ≤ 1/2; n is written where a float32 has its exponent.

    Args:
        scores: float32; of −∞ the weight is 2^−126, of what is no number none.
        high: The highest of them.
        weights: float32, is written; may be `scores`.
    """
    for i in range(len(scores)):
        bits = (scores[i] - high) * _PER_BIT
        bits = _LOWEST if bits < _LOWEST else bits
        n = np.int32(bits - _HALF)  # rounds, as bits ≤ 0
        f = bits - np.float32(n)
        series = _T3 + f * (_T4 + f * (_T5 + f * _T6))
        series = _ONE + f * (_T1 + f * (_T2 + f * series))
        weights[i] = series * _as_float(np.int32((n + _BIAS) << _MANTISSA))


@inlined
def summed(values: Any, half: Any) -> Any:
    """The sum of a block: by halves, if it is a whole one.

    Args:
        values: float32, up to `BLOCK`.
        half: float32[BLOCK / 2], is written.
    """
    total = _ZERO
    if len(values) == BLOCK:
        for i in range(_HALF_BLOCK):
            half[i] = values[i] + values[i + _HALF_BLOCK]
        for i in range(_QUARTER):
            half[i] += half[i + _QUARTER]
        for i in range(_QUARTER):
            total += half[i]
    else:
        for i in range(len(values)):
            total += values[i]
    return total


@inlined
def highest(scores: Any, half: Any) -> Any:
    """The highest of a block, as `summed`."""
    high = scores[0]
    if len(scores) == BLOCK:
        for i in range(_HALF_BLOCK):
            other = scores[i + _HALF_BLOCK]
            half[i] = scores[i] if scores[i] > other else other
        for i in range(_QUARTER):
            half[i] = half[i] if half[i] > half[i + _QUARTER] else half[i + _QUARTER]
        for i in range(_QUARTER):
            high = half[i] if half[i] > high else high
    else:
        for i in range(len(scores)):
            high = scores[i] if scores[i] > high else high
    return high


@kernel
def highest_of_all(scores: Any, high: Any, odd: Any) -> Any:
    """The highest of many scores, or what is no number if one of them is none or infinite.

    Args:
        scores: float32.
        high: float32, is written; so many are looked at side by side.
        odd: float32, is written; as long.
    """
    high[:], odd[:] = scores[0], _ZERO
    for start in range(0, len(scores), len(high)):
        some = scores[start : start + len(high)]
        for i in range(len(some)):
            odd[i] += some[i] * _ZERO  # of what is not finite this is no number, and stays so
            high[i] = some[i] if some[i] > high[i] else high[i]
    return high.max() + odd.sum()
