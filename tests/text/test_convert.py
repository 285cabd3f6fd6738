"""{{convert}}: values and texts from the template's documentation or worked out by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferset.text.call import Call
from transferset.text.convert import convert
from transferset.text.marks import HOLE
from transferset.text.quantities import rounded, unit_of, value_of
from transferset.text.units import UNITS

PRINTED = [
    ("3|km|mi", "3 kilometres (1.9 mi)"),
    ("3|km|mi|sp=us", "3 kilometers (1.9 mi)"),
    ("1|mi", "1 mile (1.6 km)"),
    ("1/2|mi", "1/2 mile (0.80 km)"),
    ("1300|mi|km", "1,300 miles (2,100 km)"),
    ("52419|sqmi|km2", "52,419 square miles (135,760 km²)"),
    ("2413|ft|0|abbr=on", "2,413 ft (735 m)"),
    ("27|in|mm|abbr=off", "27 inches (690 millimetres)"),
    ("500|km|mi|-1", "500 kilometres (310 mi)"),
    ("24|lb|kg|sigfig=3", "24 pounds (10.9 kg)"),
    # ranges
    ("2|to|5|km", "2 to 5 kilometres (1.2 to 3.1 mi)"),
    ("10|-|20|kg|lb|abbr=on", "10–20 kg (22–44 lb)"),
    ("5|and(-)|10|C|F", "5–10 °C (41–50 °F)"),
    ("16.5|to|33|lb", "16.5 to 33 pounds (7.5 to 15 kg)"),
    ("10|by|20|m|ft", "10 by 20 metres (33 by 66 ft)"),
    ("10|x|20|m|ft", "10 by 20 metres (33 ft × 66 ft)"),
    ("230|x|62|m|ft|-1|abbr=on", "230 m × 62 m (750 ft × 200 ft)"),
    ("10|xx|20|m|ft", "10 × 20 metres (33 × 66 ft)"),
    # numbers in words
    ("13|km|mi|0|spell=in", "thirteen kilometres (8 mi)"),
    ("21|mi|km|spell=In", "Twenty-one miles (34 km)"),
    ("1200|m|ft|0|spell=on", "one thousand two hundred metres (3,937 ft)"),
    # adjectives and order
    ("40|km|mi|adj=pre|dusty", "40 dusty kilometres (25 mi)"),
    ("3|km|mi|adj=on", "3-kilometre (1.9 mi)"),
    ("60|nmi|km|adj=on", "60-nautical-mile (110 km)"),
    ("3|km|mi|adj=mid|-long", "3-kilometre-long (1.9 mi)"),
    ("100|km/h|disp=flip", "62 miles per hour (100 km/h)"),
    ("3|km|mi|order=flip", "1.9 miles (3 km)"),
    ("3|km|mi|disp=or", "3 kilometres or 1.9 mi"),
    ("3|km|mi|disp=out", "1.9 mi"),
    ("3|km|mi|disp=number", "1.9"),
    ("3|km|mi|disp=sqbr", "3 kilometres [1.9 mi]"),
    # composite and several units
    ("5|ft|10|in|cm", "5 feet 10 inches (178 cm)"),
    ("6|ft|2|in|m|abbr=on", "6 ft 2 in (1.88 m)"),
    ("180|cm|ftin", "180 centimetres (5 ft 11 in)"),
    ("42.195|km|miyd", "42.195 kilometres (26 mi 385 yd)"),
    ("42.195|km|miyd|abbr=off", "42.195 kilometres (26 miles 385 yards)"),
    ("11|st|5|lb|kg", "11 stone 5 pounds (72 kg)"),
    ("100|nmi|km mi", "100 nautical miles (190 km; 120 mi)"),
    # temperatures: 3 significant digits in kelvin
    ("-40|C|F", "−40 °C (−40 °F)"),
    ("20|C", "20 °C (68 °F)"),
    ("10|C-change", "10 °C (18 °F)"),
    # millions, density, unknown units
    ("20|e6acre|e6ha", "20 million acres (8.1×10⁶ ha)"),
    ("9|PD/sqmi", "9 inhabitants per square mile (3.5/km²)"),
    ("3|foo", "3 foo"),
    ("about 3|km", "about 3 km"),
]


@pytest.mark.parametrize(("arguments", "printed"), PRINTED)
def test_what_convert_prints(arguments: str, printed: str) -> None:
    assert convert(Call.read("convert", arguments)) == printed


def test_cvt_prints_symbols() -> None:
    assert convert(Call.read("cvt", "3|km|mi")) == "3 km (1.9 mi)"


def test_a_value_that_cannot_be_told_stays_one() -> None:
    assert convert(Call.read("convert", f"{HOLE}|km|mi")) == HOLE


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,234.5", 1234.5), ("−3", -3), ("1/2", 0.5), ("1+1/2", 1.5), ("-1/4", -0.25), ("2e3", 2000)],
)
def test_how_articles_write_numbers(text: str, value: float) -> None:
    assert value_of(text) == value


@pytest.mark.parametrize("text", ["", "x", "1/0", "1e999", "nan", "inf", "9" * 50, "1 2"])
def test_what_is_no_number(text: str) -> None:
    assert value_of(text) is None


# Independent of the table: NIST SP 811, appendix B.8.
NIST = [
    ("acre", "m2", 4046.856), ("ft", "m", 0.3048), ("mi", "km", 1.609344), ("nmi", "km", 1.852),
    ("lb", "kg", 0.4535924), ("oz", "g", 28.34952), ("USgal", "L", 3.785412),
    ("impgal", "L", 4.54609),
    ("psi", "kPa", 6.894757), ("hp", "kW", 0.7456999), ("mph", "km/h", 1.609344),
    ("kn", "km/h", 1.852),
    ("ST", "kg", 907.1847), ("LT", "kg", 1016.047), ("oilbbl", "m3", 0.1589873),
    ("lbf", "N", 4.448222),
    ("sqmi", "km2", 2.589988), ("cuft", "m3", 0.02831685), ("lb/cuft", "kg/m3", 16.01846),
    ("ftlb", "J", 1.355818), ("inHg", "kPa", 3.386389), ("fathom", "m", 1.8288),
    ("PD/sqmi", "PD/km2", 0.3861022), ("mpgus", "km/L", 0.4251437),
]  # fmt: skip


@pytest.mark.parametrize(("source", "target", "factor"), NIST)
def test_factors(source: str, target: str, factor: float) -> None:
    one, other = UNITS[source], UNITS[target]
    assert one.kind == other.kind
    assert math.isclose(one.factor / other.factor, factor, rel_tol=2e-6)


def test_every_default_output_exists_and_fits() -> None:
    for code, unit in UNITS.items():
        for default in unit.default.split():
            target = unit_of(default)
            assert target is not None, code
            assert target.unit.kind == unit.kind, code


@given(st.floats(-1e12, 1e12), st.integers(-6, 6))
def test_rounding_is_within_half_a_step(value: float, digits: int) -> None:
    shown = float(rounded(value, digits).replace(",", "").replace("−", "-"))
    assert abs(shown - value) <= 0.5 * 10.0**-digits * (1 + 1e-6) + abs(value) * 1e-12


@given(st.lists(st.text(max_size=8), max_size=6), st.sampled_from(sorted(UNITS)))
def test_no_argument_breaks_it(texts: list[str], code: str) -> None:
    assert isinstance(convert(Call.read("convert", "|".join(["5", code, *texts]))), str)
    assert isinstance(convert(Call.read("convert", "|".join([*texts, code]))), str)
