"""Amounts as people write them: `10%`, `0.001`, `100k`, `12:512`, `train=0.98,validation=0.02`."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from transferset.errors import UsageError, sentence

_UNITS: Final = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000, "B": 1_000_000_000}
_COUNT: Final = re.compile(r"(\d{1,18})(?:\.(\d{1,9}))?([kMGB]?)")
_SHARE: Final = re.compile(
    r"(\d{1,9}(?:\.\d{1,18})?)%|(\d{0,9}\.\d{1,18}|\d(?:\.\d{1,9})?[eE]-\d{1,2})"
)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

#: Largest number of rows or tokens that anything is asked for.
MOST: Final = 1 << 44


def require(right: bool, expected: str, found: str) -> None:
    """Raise UsageError unless it is right."""
    if not right:
        raise UsageError(sentence(expected, found))


def probability(value: object, option: str) -> float:
    """A number above 0 and up to 1."""
    ok = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1
    require(ok, f"{option} with 0 < p ≤ 1", str(value))
    return float(value)  # type: ignore[arg-type]  # checked


def parse_amount(text: str, option: str) -> int | Fraction:
    """A number of things, or a share of all.

    Args:
        text: `100000`, `100k`, `1.5M`: a number. `10%`, `0.001`, `1e-3`: a share.
        option: For the message.

    Returns:
        The number, or the exact share.

    Raises:
        UsageError: Neither, or not above 0.
    """
    text = str(text).strip().replace("_", "")
    share, count = _SHARE.fullmatch(text), _COUNT.fullmatch(text)
    amount: int | Fraction = 0
    if share:
        amount = Fraction(share[1]) / 100 if share[1] else Fraction(share[2])
    elif count and (count[3] or not count[2]):
        whole = Fraction(f"{count[1]}.{count[2] or 0}") * _UNITS[count[3]]
        amount = int(whole) if whole.denominator == 1 else 0
    if not 0 < amount <= MOST:
        raise UsageError(sentence(f"{option} like 10%, 0.001 or 100k", text))
    return amount


def canonical_amount(text: str, option: str) -> str:
    """The one way in which an amount stands in a recipe: `100000`, or `0.1%`."""
    amount = parse_amount(text, option)
    return str(amount) if isinstance(amount, int) else f"{decimal(amount * 100)}%"


def decimal(value: Fraction) -> str:
    """A fraction that came from a decimal number, as that number."""
    digits = 0
    while value * 10**digits % 1:
        digits += 1
    whole = str(int(value * 10**digits)).rjust(digits + 1, "0")
    return f"{whole[:-digits]}.{whole[-digits:]}" if digits else whole


def resolve_amount(amount: int | Fraction, whole: int) -> int:
    """How many of `whole` things: the number itself, or round(share · whole), half to even."""
    return amount if isinstance(amount, int) else round(amount * whole)


def parse_range(text: str, option: str) -> tuple[int, int | None]:
    """`a:b`, `a:` or `:b`, both ends included.

    Raises:
        UsageError: Something else, or nothing between the ends.
    """
    match = re.fullmatch(r"\s*(\d{0,9})\s*:\s*(\d{0,9})\s*", str(text))
    if not match or not (match[1] or match[2]):
        raise UsageError(sentence(f"{option} like 12:512, 12: or :512", str(text)))
    low, high = int(match[1] or 0), int(match[2]) if match[2] else None
    require(high is None or low <= high, f"{option} a:b with a ≤ b", str(text))
    return low, high


def parse_shares(text: str, option: str) -> dict[str, Fraction]:
    """`train=0.98,validation=2%`: shares of rows by name, in order.

    Raises:
        UsageError: Something else, a name twice, or more than everything.
    """
    shares: dict[str, Fraction] = {}
    for item in str(text).split(","):
        name, _, value = (part.strip() for part in item.partition("="))
        named = bool(_NAME.fullmatch(name) and value)
        require(named, f"{option} like train=0.98,validation=0.02", item.strip() or "nothing")
        require(name not in shares, f"{option} with each name once", name)
        amount = Fraction(1) if value in ("1", "1.0") else parse_amount(value, f"{option} NAME=")
        if isinstance(amount, int):
            raise UsageError(sentence(f"{option} with shares of the rows, like 0.02", item))
        shares[name] = amount
    require(sum(shares.values()) <= 1, f"{option} with shares up to 1 in all", str(text))
    return shares
