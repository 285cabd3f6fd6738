"""Templates that print dates, ages and points in time."""

from __future__ import annotations

import re
from collections.abc import Callable

from transferset.text.call import Call
from transferset.text.marks import HOLE

_MONTHS = """
January February March April May June July August September October November December
"""
MONTHS = _MONTHS.split()
_ISO = re.compile(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?(?:\D.*)?")


def _month(text: str) -> str:
    """`2`, `02`, `Feb` → `February`."""
    text = text.strip().lower()
    if text.isascii() and text.isdigit() and len(text) < 4:
        return MONTHS[int(text) - 1] if 1 <= int(text) <= 12 else ""
    return next((m for m in MONTHS if len(text) >= 3 and m.lower().startswith(text)), "")


def _day(text: str) -> str:
    text = text.strip()
    return (
        str(int(text)) if text.isascii() and text.isdigit() and len(text) < 4 and int(text) else ""
    )


def date_text(year: str, month: str, day: str, day_first: bool) -> str:
    """A date as articles write it; parts that are missing are left out."""
    name, number, year = _month(month), _day(day), year.strip()
    if not name:
        return year
    if not number:
        return f"{name} {year}".strip()
    return (
        f"{number} {name} {year}".strip() if day_first else f"{name} {number}, {year}".rstrip(", ")
    )


def _written(call: Call, first: int, day_first: bool) -> str:
    year = call.get(str(first))
    iso = _ISO.fullmatch(year)
    if iso:
        return date_text(iso[1], iso[2], iso[3] or "", day_first)
    return date_text(year, call.get(str(first + 1)), call.get(str(first + 2)), day_first)


def date(call: Call) -> str:
    """{{birth date|1809|2|12}}, {{start date|…}}, {{dts|…}} → `February 12, 1809`."""
    return _written(call, 1, call.get("df") in ("y", "yes", "1", "on", "true"))


def as_of(call: Call) -> str:
    """{{as of|2015|6|30|lc=y}} → `as of 30 June 2015`."""
    if call.get("alt"):
        return call.get("alt")
    lead = "Since" if call.get("since") else "As of"
    if call.get("lc"):
        lead = lead.lower()
    when = _written(call, 1, call.get("df").lower() != "us")
    return " ".join(filter(None, (call.get("pre"), lead, when, call.get("post"))))


def _ints(call: Call, first: int) -> tuple[int, int, int] | None:
    values = [call.get(str(n)) for n in range(first, first + 3)]
    if not all(v.isascii() and v.isdigit() and len(v) < 5 for v in values):
        return None
    return int(values[0]), int(values[1]), int(values[2])


def _years(start: tuple[int, int, int], end: tuple[int, int, int]) -> int:
    return end[0] - start[0] - (end[1:] < start[1:])


def age(call: Call) -> str:
    """{{age|1969|7|20|1970|1|1}} → `0`; without the second date it depends on today."""
    start, end = _ints(call, 1), _ints(call, 4)
    return str(_years(start, end)) if start and end else HOLE


def death_date_and_age(call: Call) -> str:
    """{{death date and age|death|birth}} → `April 15, 1865 (aged 56)`."""
    death, birth = _ints(call, 1), _ints(call, 4)
    text = date(call)
    return f"{text} (aged {_years(birth, death)})" if death and birth else text


def old_style(call: Call) -> str:
    """{{OldStyleDate|February 2|1905|January 20}} → `February 2 [O.S. January 20] 1905`."""
    return f"{call.get('1')} [O.S. {call.get('3')}] {call.get('2')}".strip()


def season(call: Call) -> str:
    """{{nbay|2005}} → `2005–06`; with `start` or `end` one of the two years."""
    year = call.get("1")
    if not (year.isascii() and year.isdigit() and len(year) == 4):
        return year
    last = str(int(year) + 1)
    which = call.get("2")
    if which in ("start", "end", "finish"):
        return year if which == "start" else last
    return f"{year}–{last if year.endswith('99') else last[2:]}"


def about(sign: str) -> Callable[[Call], str]:
    """{{circa|300|200}} → `c. 300 – c. 200`."""

    def printed(call: Call) -> str:
        years = [value.strip() for value in call.positional() if value.strip()]
        if sign != "c.":
            return f"{sign} {'–'.join(years)}".strip()
        return " – ".join(f"{sign} {year}" for year in years) or sign

    return printed
