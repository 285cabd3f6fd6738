"""Units of measurement that {{convert}} knows, with names, symbols and factors to SI.

Factors are the exact definitions of the international yard and pound (1959), the US and imperial
gallons, and the SI brochure (9th edition).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit.

    Args:
        symbol: As printed behind a number.
        singular: Full name.
        plural: Full name for more than one.
        factor: Its size in the SI unit of its kind.
        kind: What it measures; only units of one kind convert into each other.
        default: Code of the unit that {{convert}} prints in parentheses when none is given.
        offset: Value of the zero point in the SI unit (temperatures only).
    """

    symbol: str
    singular: str
    plural: str
    factor: float
    kind: str
    default: str
    offset: float = 0.0


_FT, _MI, _LB, _G = 0.3048, 1609.344, 0.45359237, 9.80665
_USGAL, _IMPGAL, _BBL = 3.785411784e-3, 4.54609e-3, 0.158987294928
_PSI = _LB * _G / 0.0254**2

# codes | symbol | singular | plural ("s" appended when empty) | factor | default output
_TABLE: tuple[tuple[str, tuple[tuple[str, str, str, str, float, str], ...]], ...] = (
    ("length", (
        ("m", "m", "metre", "", 1, "ft"),
        ("km", "km", "kilometre", "", 1e3, "mi"),
        ("cm", "cm", "centimetre", "", 1e-2, "in"),
        ("mm", "mm", "millimetre", "", 1e-3, "in"),
        ("um µm μm", "μm", "micrometre", "", 1e-6, "in"),
        ("nm", "nm", "nanometre", "", 1e-9, "in"),
        ("Mm", "Mm", "megametre", "", 1e6, "mi"),
        ("Gm", "Gm", "gigametre", "", 1e9, "mi"),
        ("mi mile miles", "mi", "mile", "", _MI, "km"),
        ("yd yard yards", "yd", "yard", "", 3 * _FT, "m"),
        ("ft foot feet", "ft", "foot", "feet", _FT, "m"),
        ("in inch inches", "in", "inch", "inches", _FT / 12, "mm"),
        ("nmi", "nmi", "nautical mile", "", 1852, "km mi"),
        ("smi", "smi", "statute mile", "", _MI, "km"),
        ("fathom fathoms", "fathoms", "fathom", "", 6 * _FT, "ft m"),
        ("furlong", "furlong", "furlong", "", 660 * _FT, "ft m"),
        ("chain", "chain", "chain", "", 66 * _FT, "ft m"),
        ("AU au", "AU", "astronomical unit", "", 149597870700, "km mi"),
        ("ly", "ly", "light-year", "", 9.4607304725808e15, "AU"),
        ("pc", "pc", "parsec", "", 3.0856775814671916e16, "ly"),
        ("kpc", "kpc", "kiloparsec", "", 3.0856775814671916e19, "ly"),
    )),
    ("area", (
        ("m2 sqm", "m²", "square metre", "", 1, "sqft"),
        ("km2 sqkm", "km²", "square kilometre", "", 1e6, "sqmi"),
        ("cm2", "cm²", "square centimetre", "", 1e-4, "sqin"),
        ("mm2", "mm²", "square millimetre", "", 1e-6, "sqin"),
        ("ha hectare", "ha", "hectare", "", 1e4, "acre"),
        ("acre acres", "acres", "acre", "", 43560 * _FT**2, "ha"),
        ("sqmi mi2", "sq mi", "square mile", "", _MI**2, "km2"),
        ("sqft ft2 foot2", "sq ft", "square foot", "square feet", _FT**2, "m2"),
        ("sqyd yd2", "sq yd", "square yard", "", 9 * _FT**2, "m2"),
        ("sqin in2", "sq in", "square inch", "square inches", (_FT / 12) ** 2, "cm2"),
    )),
    ("volume", (
        ("m3", "m³", "cubic metre", "", 1, "cuft"),
        ("km3", "km³", "cubic kilometre", "", 1e9, "cumi"),
        ("cm3 cc", "cm³", "cubic centimetre", "", 1e-6, "cuin"),
        ("mm3", "mm³", "cubic millimetre", "", 1e-9, "cuin"),
        ("L l", "L", "litre", "", 1e-3, "impgal USgal"),
        ("ml mL", "mL", "millilitre", "", 1e-6, "USoz"),
        ("cl cL", "cL", "centilitre", "", 1e-5, "USoz"),
        ("Ml ML", "ML", "megalitre", "", 1e3, "impgal USgal"),
        ("cuft ft3 cufoot", "cu ft", "cubic foot", "cubic feet", _FT**3, "m3"),
        ("cuyd yd3", "cu yd", "cubic yard", "", 27 * _FT**3, "m3"),
        ("cuin in3", "cu in", "cubic inch", "cubic inches", (_FT / 12) ** 3, "cm3"),
        ("cumi mi3", "cu mi", "cubic mile", "", _MI**3, "km3"),
        ("acre.ft acreft acre.foot", "acre⋅ft", "acre-foot", "acre-feet", 43560 * _FT**3, "m3"),
        ("Tcuft", "trillion cu ft", "trillion cubic foot", "trillion cubic feet", 1e12 * _FT**3,
         "km3"),
        ("USgal U.S.gal usgal", "US gal", "US gallon", "", _USGAL, "L impgal"),
        ("MUSgal", "million US gal", "million US gallon", "", 1e6 * _USGAL, "Ml"),
        ("impgal gal", "imp gal", "imperial gallon", "", _IMPGAL, "L USgal"),
        ("USoz USfloz", "US fl oz", "US fluid ounce", "", _USGAL / 128, "ml"),
        ("impoz impfloz", "imp fl oz", "imperial fluid ounce", "", _IMPGAL / 160, "ml"),
        ("USpt", "US pt", "US pint", "", _USGAL / 8, "L"),
        ("imppt", "imp pt", "imperial pint", "", _IMPGAL / 8, "L"),
        ("USqt", "US qt", "US quart", "", _USGAL / 4, "L"),
        ("oilbbl", "bbl", "barrel", "", _BBL, "m3"),
        ("koilbbl", "kbbl", "thousand barrels", "thousand barrels", 1e3 * _BBL, "m3"),
        ("Moilbbl", "MMbbl", "million barrels", "million barrels", 1e6 * _BBL, "m3"),
        ("Goilbbl", "billion bbl", "billion barrels", "billion barrels", 1e9 * _BBL, "m3"),
    )),
    ("mass", (
        ("kg", "kg", "kilogram", "", 1, "lb"),
        ("g", "g", "gram", "", 1e-3, "oz"),
        ("mg", "mg", "milligram", "", 1e-6, "gr"),
        ("t tonne tonnes", "t", "tonne", "", 1e3, "LT ST"),
        ("MT", "t", "metric ton", "", 1e3, "LT ST"),
        ("kt", "kt", "kilotonne", "", 1e6, "LT ST"),
        ("lb lbs pound", "lb", "pound", "", _LB, "kg"),
        ("oz", "oz", "ounce", "", _LB / 16, "g"),
        ("ozt", "ozt", "troy ounce", "", 0.0311034768, "g"),
        ("gr", "gr", "grain", "", 64.79891e-6, "mg"),
        ("st", "st", "stone", "stone", 14 * _LB, "lb kg"),
        ("LT long_ton", "long tons", "long ton", "", 2240 * _LB, "t"),
        ("ST short_ton", "short tons", "short ton", "", 2000 * _LB, "t"),
        ("carat", "carat", "carat", "", 2e-4, "g"),
    )),
    ("speed", (
        ("km/h kph", "km/h", "kilometre per hour", "kilometres per hour", 1 / 3.6, "mph"),
        ("m/s", "m/s", "metre per second", "metres per second", 1, "ft/s"),
        ("km/s", "km/s", "kilometre per second", "kilometres per second", 1e3, "mi/s"),
        ("mph mi/h", "mph", "mile per hour", "miles per hour", _MI / 3600, "km/h"),
        ("mi/s", "mi/s", "mile per second", "miles per second", _MI, "km/s"),
        ("ft/s", "ft/s", "foot per second", "feet per second", _FT, "m/s"),
        ("ft/min", "ft/min", "foot per minute", "feet per minute", _FT / 60, "m/min"),
        ("m/min", "m/min", "metre per minute", "metres per minute", 1 / 60, "ft/min"),
        ("kn knot knots kt", "kn", "knot", "", 1852 / 3600, "km/h mph"),
    )),
    ("power", (
        ("W", "W", "watt", "", 1, "hp"),
        ("kW", "kW", "kilowatt", "", 1e3, "hp"),
        ("MW", "MW", "megawatt", "", 1e6, "hp"),
        ("hp bhp shp ihp", "hp", "horsepower", "horsepower", 745.6998715822702, "kW"),
        ("PS metrichp", "PS", "metric horsepower", "metric horsepower", 735.49875, "kW hp"),
    )),
    ("energy", (
        ("J", "J", "joule", "", 1, "cal"),
        ("kJ", "kJ", "kilojoule", "", 1e3, "kcal"),
        ("MJ", "MJ", "megajoule", "", 1e6, "kWh"),
        ("cal", "cal", "calorie", "", 4.184, "J"),
        ("kcal Cal", "kcal", "kilocalorie", "", 4184, "kJ"),
        ("kWh kW.h", "kWh", "kilowatt-hour", "", 3.6e6, "MJ"),
        ("eV", "eV", "electronvolt", "", 1.602176634e-19, "J"),
        ("ftlb ft.lbf ftlbf", "ft⋅lbf", "foot-pound force", "foot-pounds force", _FT * _LB * _G,
         "J"),
    )),
    ("torque", (
        ("Nm N.m", "N⋅m", "newton-metre", "", 1, "lb.ft"),
        ("lb.ft lbft lbf.ft lb·ft", "lb⋅ft", "pound-foot", "pound-feet", _FT * _LB * _G, "Nm"),
    )),
    ("pressure", (
        ("Pa", "Pa", "pascal", "", 1, "psi"),
        ("kPa", "kPa", "kilopascal", "", 1e3, "psi"),
        ("hPa", "hPa", "hectopascal", "", 1e2, "inHg"),
        ("MPa", "MPa", "megapascal", "", 1e6, "psi"),
        ("bar", "bar", "bar", "", 1e5, "kPa"),
        ("mbar", "mbar", "millibar", "", 1e2, "inHg"),
        ("atm", "atm", "standard atmosphere", "", 101325, "kPa"),
        ("psi", "psi", "pound per square inch", "pounds per square inch", _PSI, "kPa"),
        ("inHg", "inHg", "inch of mercury", "inches of mercury", 3386.388640341, "kPa"),
        ("mmHg", "mmHg", "millimetre of mercury", "millimetres of mercury", 133.322387415, "kPa"),
    )),
    ("force", (
        ("N", "N", "newton", "", 1, "lbf"),
        ("kN", "kN", "kilonewton", "", 1e3, "lbf"),
        ("lbf", "lbf", "pound-force", "pounds-force", _LB * _G, "N"),
    )),
    ("density of people", (
        ("PD/km2 /km2", "/km²", "inhabitant per square kilometre",
         "inhabitants per square kilometre", 1e-6, "/sqmi"),
        ("PD/sqmi /sqmi", "/sq mi", "inhabitant per square mile", "inhabitants per square mile",
         _MI**-2, "/km2"),
        ("PD/ha /ha", "/ha", "inhabitant per hectare", "inhabitants per hectare", 1e-4, "/acre"),
        ("PD/acre /acre", "/acre", "inhabitant per acre", "inhabitants per acre",
         1 / (43560 * _FT**2), "/ha"),
    )),
    ("density", (
        ("kg/m3", "kg/m³", "kilogram per cubic metre", "kilograms per cubic metre", 1, "lb/cuft"),
        ("g/cm3", "g/cm³", "gram per cubic centimetre", "grams per cubic centimetre", 1e3,
         "lb/cuin"),
        ("lb/cuft", "lb/cu ft", "pound per cubic foot", "pounds per cubic foot", _LB / _FT**3,
         "kg/m3"),
        ("lb/cuin", "lb/cu in", "pound per cubic inch", "pounds per cubic inch",
         _LB / (_FT / 12) ** 3, "g/cm3"),
    )),
    ("flow", (
        ("m3/s", "m³/s", "cubic metre per second", "cubic metres per second", 1, "cuft/s"),
        ("m3/d", "m³/d", "cubic metre per day", "cubic metres per day", 1 / 86400, "cuft/d"),
        ("cuft/s ft3/s", "cu ft/s", "cubic foot per second", "cubic feet per second", _FT**3,
         "m3/s"),
        ("cuft/d", "cu ft/d", "cubic foot per day", "cubic feet per day", _FT**3 / 86400, "m3/d"),
        ("oilbbl/d", "bbl/d", "barrel per day", "barrels per day", _BBL / 86400, "m3/d"),
        ("koilbbl/d", "kbbl/d", "thousand barrels per day", "thousand barrels per day",
         1e3 * _BBL / 86400, "m3/d"),
        ("Moilbbl/d", "MMbbl/d", "million barrels per day", "million barrels per day",
         1e6 * _BBL / 86400, "m3/d"),
    )),
    ("fuel", (
        ("km/L", "km/L", "kilometre per litre", "kilometres per litre", 1, "mpgus"),
        ("mpgus mpgUS", "mpg‑US", "mile per US gallon", "miles per US gallon", _MI / 1e6 / _USGAL,
         "km/L"),
        ("mpgimp", "mpg‑imp", "mile per imperial gallon", "miles per imperial gallon",
         _MI / 1e6 / _IMPGAL, "km/L"),
    )),
    ("temperature step", (
        ("C-change", "°C", "degree Celsius", "degrees Celsius", 1, "F-change"),
        ("F-change", "°F", "degree Fahrenheit", "degrees Fahrenheit", 5 / 9, "C-change"),
    )),
)  # fmt: skip

_TEMPERATURES = (
    ("C °C degC ℃", Unit("°C", "degree Celsius", "degrees Celsius", 1, "temperature", "F", 273.15)),
    (
        "F °F degF ℉",
        Unit(
            "°F",
            "degree Fahrenheit",
            "degrees Fahrenheit",
            5 / 9,
            "temperature",
            "C",
            459.67 * 5 / 9,
        ),
    ),
    ("K", Unit("K", "kelvin", "kelvins", 1, "temperature", "C F")),
)


def _units() -> dict[str, Unit]:
    found: dict[str, Unit] = {}
    for kind, rows in _TABLE:
        for codes, symbol, singular, plural, factor, default in rows:
            unit = Unit(symbol, singular, plural or f"{singular}s", factor, kind, default)
            for code in codes.split():
                found.setdefault(code, unit)
    for codes, unit in _TEMPERATURES:
        found.update(dict.fromkeys(codes.split(), unit))
    return found


#: Units by every code that articles write.
UNITS = _units()
