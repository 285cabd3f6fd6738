"""Raised and lowered digits, and numbers as an article prints them."""

from __future__ import annotations

MINUS = "\u2212"

_RAISED = str.maketrans("0123456789+-−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ")
_LOWERED = str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")
_RAISABLE = frozenset("0123456789+-−=()n")
_LOWERABLE = frozenset("0123456789+-−=()")


def raised(text: str) -> str | None:
    """`2` → `²`; None when a character has no raised form."""
    return text.translate(_RAISED) if _RAISABLE.issuperset(text) else None


def lowered(text: str) -> str | None:
    """`2` → `₂`; None when a character has no lowered form."""
    return text.translate(_LOWERED) if _LOWERABLE.issuperset(text) else None


def power_of_ten(exponent: str) -> str:
    """`×10⁶` for `6`, as {{val}} and {{e}} print it."""
    return "×10" + (raised(exponent.strip()) or f"^{exponent.strip()}")


def grouped(number: str) -> str:
    """Put commas between groups of three digits before the decimal point.

    Args:
        number: A number; anything else is returned as it is.
    """
    if len(number) < 4 and number.isdigit() and number.isascii() and number[0] != "0":
        return number
    head, dot, tail = number.strip().partition(".")
    sign, digits = (head[:1], head[1:]) if head[:1] in ("-", "+", MINUS) else ("", head)
    if not digits.isascii() or not digits.isdigit() or not (tail.isdigit() or not tail):
        return number.strip()
    return f"{sign}{int(digits) if len(digits) < 300 else 0:,}{dot}{tail}"


_NUMERALS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety
"""
_SMALL, _TENS = _NUMERALS.split()[:20], _NUMERALS.split()[20:]
_LARGE = ((10**9, "billion"), (10**6, "million"), (10**3, "thousand"), (100, "hundred"))


def in_words(number: str) -> str:
    """`13` → `thirteen`; what is no whole number below a trillion is returned as it is."""
    digits = number.replace(",", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 13):
        return number
    return _words(int(digits))


def _words(value: int) -> str:
    if value < 20:
        return _SMALL[value]
    if value < 100:
        ten, one = divmod(value, 10)
        return f"{_TENS[ten - 2]}-{_SMALL[one]}" if one else _TENS[ten - 2]
    size, name = next((size, name) for size, name in _LARGE if value >= size)
    count, rest = divmod(value, size)
    text = f"{_words(count)} {name}"
    if not rest:
        return text
    return f"{text} {'and ' if size == 100 else ''}{_words(rest)}"
