"""{{convert}}: a quantity in the article's unit and, in parentheses, in another one.

Follows the template's documentation (Help:Convert): the input is printed as written with the name
of its unit, the output with its symbol, rounded to the precision of the input and to at least two
significant digits.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from transferset.text.call import Call
from transferset.text.marks import HOLE
from transferset.text.scripts import MINUS, grouped, power_of_ten
from transferset.text.units import UNITS, Unit

_NUMBER = re.compile(
    r"[-+\u2212\u2013]?(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?:[eE]-?\d{1,3})?(?:\+?\d+/\d+|/\d+)?"
)
_FRACTION = re.compile(r"(-?)(?:(\d+)\+)?(\d+)/(\d+)")
_SCALED = re.compile(r"e(3|6|9|12)(.+)")
_SCALES = {"3": "thousand", "6": "million", "9": "billion", "12": "trillion"}

#: Words between two numbers: (with names, with symbols).
_RANGES = {
    "to": (" to ", " to "), "to(-)": (" to ", "–"), "to about": (" to about ", " to about "),
    "and": (" and ", " and "), "and(-)": (" and ", "–"), "or": (" or ", " or "),
    "by": (" by ", " by "), "by(x)": (" by ", " × "), "x": (" by ", " × "), "xx": (" × ", " × "),
    "×": (" × ", " × "), "*": (" × ", " × "), "(x)": (" × ", " × "),
    "-": ("–", "–"), "–": ("–", "–"), "—": ("–", "–"), "&ndash;": ("–", "–"),
    "+/-": (" ± ", " ± "), "±": (" ± ", " ± "), "+": (" + ", " + "), ",": (", ", ", "), ";": ("; ", "; "),
}  # fmt: skip
_COMPOSITE = {"ftin": ("ft", "in", 12), "ft+in": ("ft", "in", 12), "stlb": ("st", "lb", 14),
              "st+lb": ("st", "lb", 14), "lboz": ("lb", "oz", 16), "lb+oz": ("lb", "oz", 16)}  # fmt: skip
_PARTS = {("ft", "in"), ("st", "lb"), ("lb", "oz"), ("mi", "yd"), ("yd", "ft"), ("mi", "chain"), ("mi", "ft")}


@dataclass(frozen=True, slots=True)
class Measured:
    """A unit with the power of ten that a code such as `e6acre` puts before it."""

    unit: Unit
    exponent: str = ""

    @property
    def factor(self) -> float:
        """Its size in the SI unit."""
        return self.unit.factor * 10 ** int(self.exponent or 0)


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


def unit_of(code: str) -> Measured | None:
    """Look a unit code up."""
    code = code.strip()
    if code in UNITS:
        return Measured(UNITS[code])
    scaled = _SCALED.fullmatch(code)
    if scaled and scaled[2] in UNITS:
        return Measured(UNITS[scaled[2]], scaled[1])
    return None


def value_of(text: str) -> float | None:
    """The number that an argument writes, fractions included; None when it is none."""
    text = text.strip().replace(",", "").replace(MINUS, "-").replace("–", "-").replace("⁄", "/").lstrip("+")
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
    rest = [argument.strip() for argument in arguments]
    if len(rest) < 2 or not _is_number(rest[0]):
        return None
    shown, words = [rest.pop(0)], []
    while len(rest) >= 2 and rest[0].replace("&nbsp;", " ") in _RANGES and _is_number(rest[1]):
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
    outputs = _outputs(rest.pop(0)) if rest and _outputs(rest[0]) else []
    digits = int(rest.pop(0)) if rest and re.fullmatch(r"-?\d{1,2}", rest[0]) else None
    values = [v for v in map(value_of, shown) if v is not None]
    return Quantity(shown, values, words, unit, smaller, outputs, digits, rest[0] if rest else "")


def _outputs(code: str) -> list[str]:
    """The units of an output argument such as `km mi`; empty when it is none."""
    if code in _COMPOSITE or unit_of(code):
        return [code]
    codes = code.split() if " " in code else code.split("+")
    return codes if len(codes) > 1 and all(c in _COMPOSITE or unit_of(c) for c in codes) else []


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


def _precision(shown: str, value: float, result: float, kelvin: float | None) -> int:
    """Digits to round the result to (Help:Convert, “Default rounding”)."""
    if kelvin is not None:
        least = 2 - math.floor(math.log10(kelvin) + 1e-14) if kelvin > 1e-8 else 2
        return max(_digits(shown), least)
    if value == 0 or result == 0:
        return 0
    least = 1 - math.floor(math.log10(abs(result)) + 1e-14)
    return max(math.floor(_digits(shown) + math.log10(abs(value / result)) + math.log10(2)), least)


def rounded(value: float, digits: int) -> str:
    """A number with `digits` behind the point (tens, hundreds, … when negative), halves away from 0."""
    digits = max(-15, min(12, digits))
    scale = 10.0**digits
    whole = math.floor(abs(value) * scale + 0.5 + 1e-9)
    text = f"{whole / scale:.{max(0, digits)}f}"
    sign = MINUS if value < 0 and whole else ""
    return sign + grouped(text)


def _result(value: float, source: Measured, target: Measured) -> tuple[float, float | None]:
    """The converted value, and the temperature in kelvins when it is one."""
    if source.unit.kind == "temperature":
        kelvin = value * source.unit.factor + source.unit.offset
        return (kelvin - target.unit.offset) / target.unit.factor, abs(kelvin)
    return value * source.factor / target.factor, None


class _Printer:
    """Prints one quantity with the options of its call."""

    def __init__(self, quantity: Quantity, call: Call) -> None:
        self.quantity = quantity
        self.abbr = call.get("abbr") or ("on" if call.name == "cvt" else "out")
        self.adjective = "on" if call.get("sing") == "on" else call.get("adj")
        self.american = call.get("sp") == "us"
        self.digits = call.get("sigfig")
        self.round_to = call.get("round")

    def spelled(self, name: str) -> str:
        if not self.american:
            return name
        return name.replace("metre", "meter").replace("litre", "liter")

    def with_unit(self, numbers: list[str], words: list[int | str], unit: Measured, full: bool) -> str:
        """Numbers and their unit, by name or by symbol."""
        between = [_RANGES[str(word)][0 if full else 1] for word in words]
        hyphen = full and self.adjective in ("on", "mid", "1")
        text = numbers[0]
        for word, number in zip(between, numbers[1:], strict=True):
            text += (word.replace(" ", "-") if hyphen else word) + number
        if not full:
            scale = power_of_ten(unit.exponent) if unit.exponent else ""
            space = "" if unit.unit.symbol.startswith("/") else " "
            return f"{text}{scale}{space}{unit.unit.symbol}"
        scale = f"{_SCALES[unit.exponent]} " if unit.exponent else ""
        one = hyphen or (len(numbers) == 1 and (text.lstrip("-−") == "1" or self.below_one(text)))
        name = self.spelled(unit.unit.singular if one and not (scale and not hyphen) else unit.unit.plural)
        if hyphen:
            return f"{text}-{scale}{name}".replace(" ", "-" if scale else " ")
        return f"{text} {scale}{name}"

    @staticmethod
    def below_one(text: str) -> bool:
        return "/" in text and "+" not in text and " " not in text

    def source(self) -> str:
        """The quantity as the article gives it."""
        quantity = self.quantity
        full = self.abbr in ("out", "off", "none", "in") and self.abbr != "in"
        if quantity.unit.unit.kind.startswith("temperature") and self.abbr != "off":
            full = False
        numbers = [_as_written(text) for text in quantity.shown]
        text = self.with_unit(numbers, list(quantity.words), quantity.unit, full)
        if quantity.smaller:
            number, _, part = quantity.smaller
            text += ("-" if full and self.adjective == "on" else " ") + self.with_unit(
                [_as_written(number)], [], part, full
            )
        if self.adjective in ("mid", "pre") and quantity.extra:
            return text + quantity.extra if self.adjective == "mid" else text
        return text

    def target(self, code: str) -> str:
        """The quantity in the unit `code`."""
        full = self.abbr in ("off", "in")
        values = list(self.quantity.values)
        if self.quantity.smaller:
            _, value, part = self.quantity.smaller
            values[-1] += value * part.factor / self.quantity.unit.factor
        if code in _COMPOSITE:
            return _RANGES[self.word()][1].join(self.composite(v, code, full) for v in values)
        unit = unit_of(code)
        if unit is None or unit.unit.kind != self.quantity.unit.unit.kind:
            return ""
        if full and unit.unit.kind == "temperature" and self.abbr != "off":
            full = False
        numbers = [self.number(i, value, unit) for i, value in enumerate(values)]
        return self.with_unit(numbers, list(self.quantity.words), unit, full)

    def word(self) -> str:
        return self.quantity.words[0] if self.quantity.words else "to"

    def number(self, index: int, value: float, unit: Measured) -> str:
        result, kelvin = _result(value, self.quantity.unit, unit)
        if self.digits.isdigit() and int(self.digits) and result:
            digits = int(self.digits) - 1 - math.floor(math.log10(abs(result)) + 1e-14)
        elif self.quantity.precision is not None:
            digits = self.quantity.precision
        elif self.round_to in ("5", "25"):
            step = int(self.round_to)
            return rounded(step * math.floor(result / step + 0.5), 0)
        else:
            part = self.quantity.smaller
            shown = part[0] if part else self.quantity.shown[index]
            digits = _precision(shown, value, result, kelvin)
        return rounded(result, digits)

    def composite(self, value: float, code: str, full: bool) -> str:
        """Feet and inches, stones and pounds, pounds and ounces."""
        large, small, count = _COMPOSITE[code]
        total = value * self.quantity.unit.factor / UNITS[small].factor
        if UNITS[small].kind != self.quantity.unit.unit.kind:
            return ""
        whole = math.floor(abs(total) + 0.5)
        first, second = divmod(whole, count)
        texts = [self.with_unit([f"{first:,}"], [], Measured(UNITS[large]), full)] if first else []
        texts.append(self.with_unit([str(second)], [], Measured(UNITS[small]), full))
        return (MINUS if total < 0 else "") + " ".join(texts)


def _as_written(text: str) -> str:
    """The input number with thousands grouped and a real minus sign."""
    text = text.strip().replace("+", " ", 1) if "/" in text else text.strip().lstrip("+")
    text = text.replace("-", MINUS, 1) if text.startswith("-") else text
    mantissa, e, power = text.partition("e")
    if e:
        return grouped(mantissa) + power_of_ten(power)
    return grouped(text.replace(",", ""))


_BETWEEN = {"or": " or ", "comma": ", ", "slash": "/", "/": "/", "br": " ", "br()": " ("}


def convert(call: Call) -> str:
    """{{convert|3|km|mi}} → `3 kilometres (1.9 mi)`; an unknown unit is printed as it stands."""
    arguments = call.positional()
    if any(HOLE in argument for argument in arguments):
        return HOLE
    quantity = read(arguments)
    if quantity is None:
        return " ".join(argument.strip() for argument in arguments[:2]).replace("-", MINUS, 0)
    printer = _Printer(quantity, call)
    outputs = quantity.outputs or quantity.unit.unit.default.split()
    first = printer.source()
    second = "; ".join(filter(None, map(printer.target, outputs)))
    disp = call.get("disp")
    if not second:
        return first
    if disp in ("out", "output only"):
        return second
    if disp in ("number", "output number only"):
        return second.partition(" ")[0]
    if disp in ("unit", "unit2", "table", "tablecen"):
        return first
    if "flip" in (disp, call.get("order")):
        printer.abbr = {"out": "in", "in": "out"}.get(printer.abbr, printer.abbr)
        first, second = "; ".join(filter(None, map(printer.target, outputs))), printer.source()
    if disp in _BETWEEN and disp != "br()":
        return f"{first}{_BETWEEN[disp]}{second}"
    return f"{first} [{second}]" if disp == "sqbr" else f"{first} ({second})"
