"""Quantities as the arguments of {{convert}} write them, and how they convert and round."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from transferset.text.marks import GAP
from transferset.text.scripts import MINUS, grouped, power_of_ten
from transferset.text.units import UNITS, Unit

_NUMBER = re.compile(
    r"[-+\u2212\u2013]?(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?:[eE]-?\d{1,3})?(?:\+?\d+/\d+|/\d+)?"
)
_FRACTION = re.compile(r"(-?)(?:(\d+)\+)?(\d+)/(\d+)")
_SCALED = re.compile(r"e(3|6|9|12)(.+)")
SCALES = {"3": "thousand", "6": "million", "9": "billion", "12": "trillion"}

#: Words between two numbers: (with names, with symbols).
RANGES = {
    "to": (" to ", " to "), "to(-)": (" to ", "–"), "to about": (" to about ", " to about "),
    "and": (" and ", " and "), "and(-)": (" and ", "–"), "or": (" or ", " or "),
    "by": (" by ", " by "), "by(x)": (" by ", " × "), "x": (" by ", " × "), "xx": (" × ", " × "),
    "×": (" × ", " × "), "*": (" × ", " × "), "(x)": (" × ", " × "),
    "-": ("–", "–"), "–": ("–", "–"), "—": ("–", "–"), "&ndash;": ("–", "–"),
    "+/-": (" ± ", " ± "), "±": (" ± ", " ± "), "+": (" + ", " + "), ",": (", ", ", "), ";": ("; ",
    "; "),
}  # fmt: skip
REPEATED = frozenset({"x", "×", "*"})
"""Range words that repeat the unit where it is a symbol: `2 m × 3 m`."""

COMPOSITE = {
    "ftin": ("ft", "in", 12), "ft+in": ("ft", "in", 12), "ft in": ("ft", "in", 12),
    "stlb": ("st", "lb", 14), "st+lb": ("st", "lb", 14), "st lb": ("st", "lb", 14),
    "lboz": ("lb", "oz", 16), "lb+oz": ("lb", "oz", 16), "lb oz": ("lb", "oz", 16),
    "miyd": ("mi", "yd", 1760), "mi+yd": ("mi", "yd", 1760),
    "mift": ("mi", "ft", 5280), "mi+ft": ("mi", "ft", 5280),
}  # fmt: skip
_PARTS = {
    ("ft", "in"),
    ("st", "lb"),
    ("lb", "oz"),
    ("mi", "yd"),
    ("yd", "ft"),
    ("mi", "chain"),
    ("mi", "ft"),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """A unit with the power of ten that a code such as `e6acre` puts before it."""

    unit: Unit
    exponent: str = ""

    @property
    def factor(self) -> float:
        """Its size in the SI unit."""
        return self.unit.factor * 10.0 ** int(self.exponent) if self.exponent else self.unit.factor


@dataclass(slots=True)
class Quantity:
    """What the arguments of one {{convert}} say."""

    shown: list[str]
    values: list[float]
    words: list[str]
    unit: Measured
    smaller: tuple[str, float, Measured] | None
    outputs: list[str]
    precision: int | None
    extra: str


_MEASURED = {code: Measured(unit) for code, unit in UNITS.items()}


def unit_of(code: str) -> Measured | None:
    """Look a unit code up."""
    code = code.strip()
    measured = _MEASURED.get(code)
    if measured is not None:
        return measured
    scaled = _SCALED.fullmatch(code)
    if scaled and scaled[2] in UNITS:
        return Measured(UNITS[scaled[2]], scaled[1])
    return None


def value_of(text: str) -> float | None:
    """The number that an argument writes, fractions included; None when it is none."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 16:
        return float(text)
    text = text.replace(",", "").replace(MINUS, "-").replace("–", "-").replace("⁄", "/").lstrip("+")
    fraction = _FRACTION.fullmatch(text)
    try:
        if fraction:
            sign, whole, above, below = fraction.groups()
            number = int(whole or 0) + int(above) / int(below)
            return -number if sign else number
        number = float(text) if len(text) < 40 else math.nan
    except (ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) else None


def _is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text.strip())) and value_of(text) is not None


def read(arguments: list[str]) -> Quantity | None:
    """Read positional arguments: numbers with range words, unit, outputs, precision, other text."""
    # 1{{frac|1|2}} reaches here as `1`, a gap and `1/2`
    rest = [argument.strip(f" \n{GAP}").replace(GAP, "+") for argument in arguments]
    if len(rest) < 2 or not _is_number(rest[0]):
        return None
    shown, words = [rest.pop(0)], []
    while len(rest) >= 2 and rest[0].replace("&nbsp;", " ") in RANGES and _is_number(rest[1]):
        words.append(rest.pop(0))
        shown.append(rest.pop(0))
    code = rest.pop(0) if rest else ""
    unit = unit_of(code)
    if unit is None:
        return None
    smaller = None
    if len(rest) >= 2 and _is_number(rest[0]) and (code, rest[1]) in _PARTS:
        part = unit_of(rest[1])
        value = value_of(rest[0])
        if part and value is not None:
            smaller = (rest[0], value, part)
            del rest[:2]
    outputs = _outputs(rest[0]) if rest else []
    del rest[: bool(outputs)]
    digits = int(rest.pop(0)) if rest and re.fullmatch(r"-?\d{1,2}", rest[0]) else None
    values = [v for v in map(value_of, shown) if v is not None]
    return Quantity(shown, values, words, unit, smaller, outputs, digits, rest[0] if rest else "")


def _outputs(code: str) -> list[str]:
    """The units of an output argument such as `km mi`; empty when it is none."""
    if code in COMPOSITE or unit_of(code):
        return [code]
    codes = code.split() if " " in code else code.split("+")
    return codes if len(codes) > 1 and all(c in COMPOSITE or unit_of(c) for c in codes) else []


def _digits(text: str) -> int:
    """Digits behind the decimal point; negative for the zeros that end a whole number."""
    text = text.replace(",", "").lstrip("+-−–")
    if "/" in text:
        below = text.rpartition("/")[2]
        return max(1, math.ceil(math.log10(int(below) or 1))) if below.isdigit() else 1
    head, _, power = text.lower().partition("e")
    whole, dot, tail = head.partition(".")
    digits = len(tail) if dot else -(len(whole) - len(whole.rstrip("0")))
    return digits - int(power) if power else digits


def precision(shown: str, value: float, result: float, kelvin: float | None) -> int:
    """Digits to round the result to (Help:Convert, “Default rounding”)."""
    if kelvin is not None:
        least = 2 - math.floor(math.log10(kelvin) + 1e-14) if kelvin > 1e-8 else 2
        return max(_digits(shown), least)
    if value == 0 or result == 0:
        return 0
    least = 1 - math.floor(math.log10(abs(result)) + 1e-14)
    return max(math.floor(_digits(shown) + math.log10(abs(value / result)) + math.log10(2)), least)


def rounded(value: float, digits: int) -> str:
    """A number with `digits` behind the point (tens when −1), halves away from zero."""
    digits = max(-15, min(12, digits))
    scale = 10.0**digits
    whole = math.floor(abs(value) * scale + 0.5 + 1e-9)
    text = f"{whole / scale:.{max(0, digits)}f}"
    sign = MINUS if value < 0 and whole else ""
    return sign + grouped(text)


def converted(value: float, source: Measured, target: Measured) -> tuple[float, float | None]:
    """The converted value, and the temperature in kelvins when it is one."""
    if source.unit.kind == "temperature":
        kelvin = value * source.unit.factor + source.unit.offset
        return (kelvin - target.unit.offset) / target.unit.factor, abs(kelvin)
    return value * source.factor / target.factor, None


def as_written(text: str) -> str:
    """The input number with thousands grouped and a real minus sign."""
    text = text.strip().replace("+", " ", 1) if "/" in text else text.strip().lstrip("+")
    text = text.replace("-", MINUS, 1) if text.startswith("-") else text
    mantissa, e, power = text.partition("e")
    if e:
        return grouped(mantissa) + power_of_ten(power)
    return grouped(text.replace(",", ""))
