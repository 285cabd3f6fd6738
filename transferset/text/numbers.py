"""Templates that print numbers, amounts of money and chemical formulas."""

from __future__ import annotations

import re
from collections.abc import Callable

from transferset.text.call import Call
from transferset.text.marks import GAP, HOLE
from transferset.text.quantities import rounded, unit_of, value_of
from transferset.text.scripts import MINUS, grouped, in_words, power_of_ten, raised

_VAL_UNITS = {
    "degC": "°C",
    "degF": "°F",
    "uV": "μV",
    "uA": "μA",
    "um": "μm",
    "us": "μs",
    "ohm": "Ω",
}


def fraction(call: Call) -> str:
    """{{frac|3|1|2}} → `3 1/2`, {{frac|3}} → `1/3`, {{sfrac|a + b|2}} → `(a + b)/2`."""
    parts = [_bracketed(part.strip()) for part in call.positional()][:3]
    if len(parts) < 2:
        return f"{GAP}1/{parts[0]}" if parts else "/"
    whole = f"{parts[0]} " if len(parts) == 3 else GAP  # 1{{frac|1|2}} is not 11/2, see `repair`
    return f"{whole}{parts[-2]}/{parts[-1]}"


def _bracketed(text: str) -> str:
    return f"({text})" if " " in text.strip("()") and "(" not in text else text


def value(call: Call) -> str:
    """{{val|6.241|(9)|e=18|u=C}} → `6.241(9)×10¹⁸ C`."""
    parts = call.positional()
    number = call.get("1").replace("-", MINUS, 1)
    if not number:
        return f"{call.get('p')}{power_of_ten(call.get('e'))[1:]}"
    if call.get("fmt") == "commas":
        number = grouped(number)
    for extra in (part.strip() for part in parts[1:3]):
        if extra:
            number += extra if extra[0] in "(+-−±" else f"±{extra}"
    power = power_of_ten(call.get("e")) if call.get("e") else ""
    unit = call.get("u", "ul")
    unit = _VAL_UNITS.get(unit, unit)
    per = call.get("up", "upl")
    space = "" if unit in ("", "%", "°") else " "
    tail = f"{space}{unit}/{per}" if per else f"{space}{unit}"
    return f"{call.get('p')}{number}{call.get('s', 'end')}{power}{tail}"


def ten_to(call: Call) -> str:
    """{{e|24}} → `×10²⁴`."""
    return power_of_ten(call.get("1"))


def ten_raised(call: Call) -> str:
    """{{10^|6}} → `10⁶`."""
    return power_of_ten(call.get("1"))[1:]


def root(call: Call) -> str:
    """{{radic|2}} → `√2`, {{radic|x|3}} → `³√x`."""
    return f"{raised(call.get('2')) or ''}√{_bracketed(call.get('1'))}"


def number(call: Call) -> str:
    """{{formatnum|1234}}, {{nts|1234}} → `1,234`."""
    return grouped(call.get("1"))


def ordinal(call: Call) -> str:
    """{{ordinal|21}} → `21st`."""
    text = call.get("1")
    if not text.isdigit():
        return text
    teen = len(text) > 1 and text[-2] == "1"
    return text + ("th" if teen else {"1": "st", "2": "nd", "3": "rd"}.get(text[-1], "th"))


def spelled(call: Call) -> str:
    """{{number to words|13}} → `thirteen`."""
    text = in_words(call.get("1"))
    return text[:1].upper() + text[1:] if call.get("case") == "U" else text


def percentage(call: Call) -> str:
    """{{percentage|1|4}} → `25%`."""
    part, whole = value_of(call.get("1")), value_of(call.get("2"))
    if part is None or not whole:
        return HOLE
    digits = call.get("3")
    places = int(digits) if len(digits) == 1 and digits in "0123456" else 0
    return f"{rounded(100 * part / whole, places)}%"


_MAGNITUDES = {
    "c": " crore", "l": " lakh", "lc": " lakh crore",
    "k": " thousand", "m": " million", "b": " billion", "t": " trillion",
}  # fmt: skip


def money(sign: str) -> Callable[[Call], str]:
    """{{USD|50}} → `US$50`, {{INRConvert|5|c}} → `₹5 crore`."""

    def printed(call: Call) -> str:
        return f"{sign}{grouped(call.get('1', 'amount'))}{_MAGNITUDES.get(call.get('2'), '')}"

    return printed


SIGNS = {
    "USD": "US$", "GBP": "£", "EUR": "€", "INR": "₹", "AUD": "A$", "CAD": "C$", "NZD": "NZ$",
    "JPY": "¥",
    "CNY": "CN¥", "KRW": "₩", "RUB": "₽", "ILS": "₪", "BRL": "R$", "PHP": "₱", "TRY": "₺",
    "UAH": "₴",
    "HKD": "HK$", "SGD": "S$", "NGN": "₦", "VND": "₫", "THB": "฿", "NTD": "NT$", "TWD": "NT$",
    "MXN": "Mex$",
}  # fmt: skip


def currency(call: Call) -> str:
    """{{currency|5000|GBP}} → `£5,000`."""
    code = call.get("2", "type").upper() or "USD"
    return f"{SIGNS.get(code, f'{code} ')}{grouped(call.get('1', 'amount'))}"


_CHARGE = re.compile(r"(?:\d*[+\-−])")
_CHARGE_IN_BRACKETS = re.compile(r"\((\d*[+\-−])\)")
_CHARGE_AT_END = re.compile(r"(?<=[\w)\]])[+\-−](?=$|[\s)\]])")


def _raised_charge(match: re.Match[str]) -> str:
    return raised(match[match.lastindex or 0]) or match[0]


def chemical(call: Call) -> str:
    """{{chem|SO|4|2-}} → `SO4²⁻`, {{chem|H|2|O}} → `H2O`."""
    parts = [part.strip() for part in call.positional()]
    return "".join((raised(part) or part) if _CHARGE.fullmatch(part) else part for part in parts)


def chemical2(call: Call) -> str:
    """{{chem2|2 H2 + O2 -> 2 H2O}}, {{chem2|SO4(2-)}} → `SO4²⁻`."""
    text = call.get("1").replace("<->", "⇌").replace("<=>", "⇌").replace("->", "→")
    text = _CHARGE_IN_BRACKETS.sub(_raised_charge, text.replace("_", "").replace("^", ""))
    return _CHARGE_AT_END.sub(_raised_charge, text)


def population_density(call: Call) -> str:
    """{{pop density|10|2|km2|sqmi}} → `5.0 inhabitants per square kilometre (12.9/sq mi)`."""
    people, area = value_of(call.get("1")), value_of(call.get("2"))
    first, second = unit_of(f"/{call.get('3')}"), unit_of(f"/{call.get('4')}")
    if people is None or not area or first is None:
        return HOLE
    digits = call.get("prec")
    places = int(digits) if digits.isdigit() and len(digits) == 1 else 1
    density = people / area
    text = f"{rounded(density, places)} {first.unit.plural}"
    if second is None:
        return text
    other = density * first.unit.factor / second.unit.factor
    return f"{text} ({rounded(other, places)}{second.unit.symbol})"


def gauge(call: Call) -> str:
    """{{RailGauge|1435mm}} → `1,435 mm`."""
    match = re.fullmatch(r"([\d.]+) ?(mm|m|cm|in)", call.get("1"))
    if match:
        return f"{grouped(match[1])} {match[2]}"
    feet = re.fullmatch(r"(\d+)ft(?:([\d.]+)in)?", call.get("1"))
    if feet:
        return f"{feet[1]} ft" + (f" {feet[2]} in" if feet[2] else "")
    return call.get("1")


def height(call: Call) -> str:
    """{{height|ft=5|in=11}} → `5 ft 11 in (1.80 m)`, {{height|m=1.8}} → `1.8 m (5 ft 11 in)`."""
    feet, inches = value_of(call.get("ft") or "0"), value_of(call.get("in", "inch") or "0")
    metres = value_of(call.get("m")) or (value_of(call.get("cm") or "0") or 0) / 100
    if metres:
        whole = round(metres / 0.0254)
        shown = f"{call.get('m')} m" if call.get("m") else f"{call.get('cm')} cm"
        return f"{shown} ({whole // 12} ft {whole % 12} in)"
    if feet is None or inches is None or not feet + inches:
        return HOLE
    shown = f"{call.get('ft')} ft {call.get('in', 'inch')} in" if inches else f"{call.get('ft')} ft"
    return f"{shown} ({rounded(feet * 0.3048 + inches * 0.0254, 2)} m)"
