"""Parser functions and variables, as far as a page alone decides them.

https://www.mediawiki.org/wiki/Help:Extension:ParserFunctions and Help:Magic_words. What depends on
the day, the wiki's size or its database is a `HOLE`: the reader sees a value that cannot be told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from transferset.text.call import split_bars
from transferset.text.expressions import ExpressionError, evaluate, number_text
from transferset.text.language_codes import language_name
from transferset.text.marks import EQUALS, GAP, HOLE
from transferset.text.scripts import grouped


@dataclass(slots=True)
class Arguments:
    """The arguments of one parser function, the first being what follows the colon."""

    parts: list[str]

    @classmethod
    def read(cls, inner: str) -> Arguments:
        """Split `name:first|second|…`."""
        return cls(split_bars(inner.partition(":")[2]))

    def __getitem__(self, index: int) -> str:
        if index >= len(self.parts):
            return ""
        text = self.parts[index].strip()
        return text.strip(f"{GAP} ") if index == 0 else text


Function = Callable[[Arguments], str]


def _if(a: Arguments) -> str:
    return a[1] if a[0] else a[2]


def _ifeq(a: Arguments) -> str:
    left, right = a[0], a[1]
    try:
        same = float(left) == float(right) if len(left) < 40 and len(right) < 40 else left == right
    except ValueError:
        same = left == right
    return a[2] if same else a[3]


def _ifexpr(a: Arguments) -> str:
    try:
        return a[1] if evaluate(a[0]) else a[2]
    except ExpressionError:
        return HOLE if HOLE in a[0] else a[2]


def _expr(a: Arguments) -> str:
    try:
        return number_text(evaluate(a[0])) if a[0] else ""
    except ExpressionError:
        return HOLE


def _iferror(a: Arguments) -> str:
    return a[1] if 'class="error"' in a[0] else a[2] or a[0]


def _switch(a: Arguments) -> str:
    """Cases `x = value`, falling through cases without a value; the last part may be a default."""
    default, found = "", False
    for part in a.parts[1:]:
        key, equals, value = part.partition("=")
        key = key.strip()
        found = found or key == a[0]
        if not equals:
            default = key
        elif found:
            return value.strip()
        elif key == "#default":
            default = value.strip()
    if not found and len(a.parts) > 1 and "=" not in a.parts[-1]:
        return a[len(a.parts) - 1]
    return default


def _formatnum(a: Arguments) -> str:
    return a[0].replace(",", "") if a[1] in ("R", "NOSEP") else grouped(a[0])


def _plural(a: Arguments) -> str:
    return a[1] if a[0] in ("1", "-1") else a[2] or a[1]


def _pad(left: bool) -> Function:
    def padded(a: Arguments) -> str:
        width = min(int(a[1]), 500) if a[1].isascii() and a[1].isdigit() and len(a[1]) < 6 else 0
        fill = a[2][:1] or "0"
        return a[0].rjust(width, fill) if left else a[0].ljust(width, fill)

    return padded


def _hole(_a: Arguments) -> str:
    return HOLE


def _nothing(_a: Arguments) -> str:
    return ""


#: By lower-case name; a function that is not here vanishes, as does `#invoke`.
FUNCTIONS: dict[str, Function] = {
    "#if": _if,
    "#ifeq": _ifeq,
    "#ifexpr": _ifexpr,
    "#ifexist": lambda a: a[1],
    "#iferror": _iferror,
    "#expr": _expr,
    "#switch": _switch,
    "#language": lambda a: language_name(a[0]) or a[0],
    "#formatdate": lambda a: a[0],
    "#dateformat": lambda a: a[0],
    "#time": _hole,
    "#timel": _hole,
    "#property": _hole,
    "#statements": _hole,
    "formatnum": _formatnum,
    "lc": lambda a: a[0].lower(),
    "uc": lambda a: a[0].upper(),
    "lcfirst": lambda a: a[0][:1].lower() + a[0][1:],
    "ucfirst": lambda a: a[0][:1].upper() + a[0][1:],
    "padleft": _pad(left=True),
    "padright": _pad(left=False),
    "plural": _plural,
    "grammar": lambda a: a[1],
    "gender": lambda a: a[1],
    "defaultsort": _nothing,
    "displaytitle": _nothing,
}


def _base(title: str) -> str:
    return title.rpartition("/")[0] or title


_NOW = """
CURRENTYEAR CURRENTMONTH CURRENTMONTH1 CURRENTMONTHNAME CURRENTMONTHNAMEGEN CURRENTMONTHABBREV
CURRENTDAY CURRENTDAY2 CURRENTDOW CURRENTDAYNAME CURRENTTIME CURRENTHOUR CURRENTWEEK
CURRENTTIMESTAMP LOCALYEAR LOCALMONTH LOCALMONTHNAME LOCALDAY LOCALDAYNAME LOCALTIME REVISIONYEAR
REVISIONDAY REVISIONMONTH REVISIONTIMESTAMP NUMBEROFARTICLES NUMBEROFPAGES NUMBEROFFILES
NUMBEROFEDITS NUMBEROFUSERS NUMBEROFACTIVEUSERS NUMBEROFADMINS CURRENTVERSION
"""

#: Variables by name, which MediaWiki tells apart by case.
VARIABLES: dict[str, Callable[[str], str]] = {
    **dict.fromkeys(
        ("PAGENAME", "FULLPAGENAME", "SUBJECTPAGENAME", "ARTICLEPAGENAME"), lambda title: title
    ),
    **dict.fromkeys(("BASEPAGENAME", "ROOTPAGENAME"), _base),
    "SUBPAGENAME": lambda title: title.rpartition("/")[2],
    **dict.fromkeys(_NOW.split(), lambda _title: HOLE),
    "!": lambda _title: "|",
    "=": lambda _title: EQUALS,
    "(": lambda _title: "{",
    ")": lambda _title: "}",
}
