"""{{convert}}: a quantity in the article's unit and, in parentheses, in another one.

Follows the template's documentation (Help:Convert): the input is printed as written with the name
of its unit, the output with its symbol, rounded to the precision of the input and to at least two
significant digits.
"""

from __future__ import annotations

import math

from transferset.text.call import Call
from transferset.text.marks import HOLE
from transferset.text.quantities import (
    COMPOSITE,
    RANGES,
    REPEATED,
    SCALES,
    Measured,
    Quantity,
    as_written,
    converted,
    precision,
    read,
    rounded,
    unit_of,
)
from transferset.text.scripts import MINUS, in_words, power_of_ten
from transferset.text.units import UNITS


class _Printer:
    """Prints one quantity with the options of its call."""

    def __init__(self, quantity: Quantity, call: Call) -> None:
        self.quantity = quantity
        self.abbr = call.get("abbr") or ("on" if call.name == "cvt" else "out")
        self.adjective = "on" if call.get("sing") == "on" else call.get("adj")
        self.american = call.get("sp") == "us"
        self.spell = call.get("spell")
        self.digits = call.get("sigfig")
        self.round_to = call.get("round")

    def spelled(self, name: str) -> str:
        if not self.american:
            return name
        return name.replace("metre", "meter").replace("litre", "liter")

    def with_unit(
        self, numbers: list[str], words: list[int | str], unit: Measured, full: bool
    ) -> str:
        """Numbers and their unit, by name or by symbol."""
        between = [RANGES[str(word)][0 if full else 1] for word in words]
        hyphen = full and self.adjective in ("on", "mid", "1")
        if not full:
            scale = power_of_ten(unit.exponent) if unit.exponent else ""
            space = "" if unit.unit.symbol.startswith("/") else " "
            symbol = f"{scale}{space}{unit.unit.symbol}"
            if not REPEATED.isdisjoint(words):
                between = [f"{symbol}{word}" for word in between]
            return f"{_strung(numbers, between)}{symbol}"
        if hyphen:
            between = [word.replace(" ", "-") for word in between]
        text = _strung(numbers, between)
        scale = f"{SCALES[unit.exponent]} " if unit.exponent else ""
        one = hyphen or (len(numbers) == 1 and (text.lstrip("-−") == "1" or self.below_one(text)))
        name = self.spelled(
            unit.unit.singular if one and not (scale and not hyphen) else unit.unit.plural
        )
        if hyphen:
            return f"{text}-{scale}{name}".replace(" ", "-")
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
        numbers = [self.in_words(as_written(text)) for text in quantity.shown]
        if self.adjective == "pre" and quantity.extra:
            numbers[-1] += f" {quantity.extra}"
        text = self.with_unit(numbers, list(quantity.words), quantity.unit, full)
        if quantity.smaller:
            number, _, part = quantity.smaller
            text += ("-" if full and self.adjective == "on" else " ") + self.with_unit(
                [as_written(number)], [], part, full
            )
        return text + quantity.extra if self.adjective == "mid" else text

    def in_words(self, number: str) -> str:
        """Numbers as words when the call asks for them."""
        if not self.spell:
            return number
        text = in_words(number)
        return text[:1].upper() + text[1:] if self.spell[0].isupper() else text

    def target(self, code: str) -> str:
        """The quantity in the unit `code`."""
        full = self.abbr in ("off", "in")
        values = list(self.quantity.values)
        if self.quantity.smaller:
            _, value, part = self.quantity.smaller
            values[-1] += value * part.factor / self.quantity.unit.factor
        if code in COMPOSITE:
            return RANGES[self.word()][1].join(self.composite(v, code, full) for v in values)
        unit = unit_of(code)
        if unit is None or unit.unit.kind != self.quantity.unit.unit.kind:
            return ""
        if full and unit.unit.kind == "temperature" and self.abbr != "off":
            full = False
        numbers = [self.number(i, value, unit) for i, value in enumerate(values)]
        return self.with_unit(numbers, list(self.quantity.words), unit, full)

    def targets(self, codes: list[str]) -> str:
        """The quantity in several units."""
        return "; ".join(filter(None, map(self.target, codes)))

    def flip(self) -> None:
        """The output comes first, and so by name; the input follows, by symbol."""
        self.abbr = {"out": "in", "in": "out"}.get(self.abbr, self.abbr)

    def word(self) -> str:
        return self.quantity.words[0] if self.quantity.words else "to"

    def number(self, index: int, value: float, unit: Measured) -> str:
        result, kelvin = converted(value, self.quantity.unit, unit)
        if self.digits.isdigit() and int(self.digits) and result:
            digits = int(self.digits) - 1 - math.floor(math.log10(abs(result)) + 1e-14)
        elif self.quantity.precision is not None:
            digits = self.quantity.precision
        elif self.round_to in ("5", "25"):
            step = int(self.round_to)
            return rounded(step * math.floor(result / step + 0.5), 0)
        else:
            digits = self.default_digits(index, value, result, unit, kelvin)
        return rounded(result, digits)

    def default_digits(
        self, index: int, value: float, result: float, unit: Measured, kelvin: float | None
    ) -> int:
        """Digits to round to when the call does not say."""
        part = self.quantity.smaller
        if part is None:
            return precision(self.quantity.shown[index], value, result, kelvin)
        shown = part[0].rstrip("0") or "1"  # the zeros of `5 ft 10 in` are exact
        if part[2].unit.symbol == "in":  # so that feet and inches make 178 cm, not 180
            return math.floor(len(shown.partition(".")[2]) + math.log10(unit.factor) + 2.301)
        return precision(shown, value * self.quantity.unit.factor / part[2].factor, result, None)

    def composite(self, value: float, code: str, full: bool) -> str:
        """Feet and inches, stones and pounds, pounds and ounces."""
        large, small, count = COMPOSITE[code]
        total = value * self.quantity.unit.factor / UNITS[small].factor
        if UNITS[small].kind != self.quantity.unit.unit.kind:
            return ""
        whole = math.floor(abs(total) + 0.5)
        first, second = divmod(whole, count)
        texts = [self.with_unit([f"{first:,}"], [], Measured(UNITS[large]), full)] if first else []
        texts.append(self.with_unit([str(second)], [], Measured(UNITS[small]), full))
        return (MINUS if total < 0 else "") + " ".join(texts)


def _strung(numbers: list[str], between: list[str]) -> str:
    return "".join(map("".join, zip(["", *between], numbers, strict=True)))


_BETWEEN = {"or": " or ", "comma": ", ", "slash": "/", "/": "/", "br": " "}


def _printed(first: str, second: str, disp: str) -> str:
    """Put both sides together as `disp` says."""
    if not second or disp in ("unit", "unit2", "table", "tablecen"):
        return first
    if disp in ("out", "output only"):
        return second
    if disp in ("number", "output number only"):
        return second.partition(" ")[0]
    if disp in _BETWEEN:
        return f"{first}{_BETWEEN[disp]}{second}"
    return f"{first} [{second}]" if disp == "sqbr" else f"{first} ({second})"


def _default_outputs(quantity: Quantity) -> list[str]:
    """The units when the call names none; a person's height in metres is feet and inches."""
    unit = quantity.unit
    if unit == Measured(UNITS["m"]) and 0 < quantity.values[-1] < 3:
        return ["ftin"]
    return unit.unit.default.split()


def convert(call: Call) -> str:
    """{{convert|3|km|mi}} → `3 kilometres (1.9 mi)`; an unknown unit is printed as it stands."""
    arguments = call.positional()
    if any(HOLE in argument for argument in arguments):
        return HOLE
    quantity = read(arguments)
    if quantity is None:
        return " ".join(argument.strip() for argument in arguments[:2])
    printer = _Printer(quantity, call)
    outputs = quantity.outputs or _default_outputs(quantity)
    disp = call.get("disp")
    if "flip" not in (disp, call.get("order")):
        return _printed(printer.source(), printer.targets(outputs), disp)
    printer.flip()
    return _printed(printer.targets(outputs), printer.source(), disp)
