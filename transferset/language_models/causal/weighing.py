"""Highest scores, their exponentials and sums: loops that run in vector registers.

All of them go over one row in one order, so what they give depends on nothing but the row.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import types
from numba.extending import intrinsic

from transferset.compiled import inlined, kernel

#: Numbers that are summed at once.
BLOCK: Final = 64
_HALF_BLOCK, _QUARTER = BLOCK // 2, BLOCK // 4

_ZERO, _ONE, _NO_NUMBER = np.float32(0), np.float32(1), np.float32(np.nan)
#: Below 2^−126 there is no float32 of full precision; weights end there.
_LOWEST: Final = np.float32(-126)
_PER_BIT: Final = np.float32(1.4426950408889634)  # 1 / ln 2
#: Taylor's series of 2^f, (ln 2)^n / n!; for |f| ≤ 1/2 the rest is below 1.3e-7.
_T1, _T2, _T3 = np.float32(0.6931471805), np.float32(0.2402265070), np.float32(0.0555041087)
_T4, _T5, _T6 = np.float32(0.0096181291), np.float32(0.0013333558), np.float32(0.0001540353)
_BIAS, _MANTISSA = np.int32(127), np.int32(23)
#: What is added to it has no room behind the point: it is rounded, and stands in the last bits.
_ROUNDER: Final = np.float32(1.5 * 2**23)

#: −2 √(2/π) / ln 2, and the share of the cube in GELU.
_STEEP, _CUBIC = np.float32(-2.302208198), np.float32(0.044715)

#: No weight is above it, whatever the score.
TOP: Final = np.float32(2.0**100)
_TOP_BITS: Final = np.float32(100)


def _cast(source: Any, target: Any) -> Any:
    """A function, for compiled loops, that takes the 32 bits of one type for another."""

    @intrinsic
    def cast(_: Any, __: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))

        return target(source), generate

    return cast


_as_float: Any = _cast(types.int32, types.float32)
_as_bits: Any = _cast(types.float32, types.int32)


@inlined
def _exponential(bits: Any) -> Any:
    """2^bits, with a relative error below 5e-6; at least 2^−126 and at most `TOP`.

    It is 2^n · 2^f with n whole and |f| ≤ 1/2; n is written where a float32 has its exponent.
    """
    bits = _LOWEST if bits < _LOWEST else bits
    bits = _TOP_BITS if bits > _TOP_BITS else bits
    n = bits + _ROUNDER
    f = bits - (n - _ROUNDER)
    series = _T3 + f * (_T4 + f * (_T5 + f * _T6))
    series = _ONE + f * (_T1 + f * (_T2 + f * series))
    return series * _as_float(np.int32((_as_bits(n) + _BIAS) << _MANTISSA))


@kernel
def weigh(scores: Any, base: Any, weights: Any) -> None:
    """Write exp(score − base) of scores; see `_exponential`.

    Args:
        scores: float32.
        base: Not far from the highest.
        weights: float32, is written; may be `scores`, but that is slow.
    """
    for i in range(len(scores)):
        weights[i] = _exponential((scores[i] - base) * _PER_BIT)


@kernel
def gelu(numbers: Any) -> None:
    """Apply GELU in place, by its tanh (Hendrycks and Gimpel 2016, § 2).

    x/2 · (1 + tanh u) = x / (1 + e^−2u) with u = √(2/π) (x + 0.044715 x³).

    Args:
        numbers: float32.
    """
    for i in range(len(numbers)):
        x = numbers[i]
        power = _exponential(_STEEP * (x + _CUBIC * x * x * x))
        numbers[i] = np.divide(x, _ONE + power)  # `/` would look for zeros, one by one


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
    """The highest of many scores, or what is no number if one of them is none.

    Args:
        scores: float32.
        high: float32, is written; so many are looked at side by side.
        odd: float32, is written; as long.
    """
    high[:], odd[:] = scores[0], _ZERO
    for start in range(0, len(scores), len(high)):
        some = scores[start : start + len(high)]
        for i in range(len(some)):
            odd[i] = odd[i] if some[i] == some[i] else _NO_NUMBER
            high[i] = some[i] if some[i] > high[i] else high[i]
    return high.max() + odd.sum()
