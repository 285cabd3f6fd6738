"""Colours and dashes of the report, for light and for dark.

The hues of the lines are those of Okabe and Ito ("Color Universal Design", 2008), darkened on
light and lightened on dark ground until each has a contrast of 3 : 1; dashes and numbers tell the
lines apart without any colour.
"""

from __future__ import annotations

import re
from typing import Final

#: Roles and their colours on light ground.
LIGHT: Final = {
    "ground": "#ffffff",
    "panel": "#f6f7f9",
    "ink": "#16191d",
    "soft": "#565d66",
    "rule": "#d5d9df",
    "grid": "#e7eaee",
    "link": "#0b5cad",
    "mark": "#ffe9a8",
    "warn": "#8a4b00",
    "on-line": "#ffffff",
    "line-1": "#0072b2",
    "line-2": "#c24d00",
    "line-3": "#007a5a",
    "line-4": "#a9417f",
    "line-5": "#8a6400",
    "line-6": "#3d6a8f",
    "line-7": "#5d3fb0",
    "line-8": "#454b52",
}

#: The same roles on dark ground.
DARK: Final = {
    "ground": "#14171b",
    "panel": "#1c2026",
    "ink": "#e8eaed",
    "soft": "#a6adb6",
    "rule": "#3a4049",
    "grid": "#2a2f37",
    "link": "#7db8ff",
    "mark": "#5b4a10",
    "warn": "#ffbf66",
    "on-line": "#14171b",
    "line-1": "#56b4e9",
    "line-2": "#ff8f4d",
    "line-3": "#3fcf9f",
    "line-4": "#ee93c9",
    "line-5": "#e9b42a",
    "line-6": "#9fc1dd",
    "line-7": "#b9a3ff",
    "line-8": "#c7ccd2",
}

#: Dash patterns by the number of the line; a solid line is none.
DASHES: Final = ("", "8 4", "2 3", "10 3 2 3", "16 4", "5 2", "10 3 2 3 2 3", "4 7")

#: How many lines there are before colours and dashes begin anew.
LINES: Final = len(DASHES)


def line(number: int) -> int:
    """Which colour and dash the set of this number has, 1 to `LINES`."""
    return (number - 1) % LINES + 1


def page_variables() -> str:
    """The colours as CSS variables, dark where the reader prefers it, light on paper."""
    light, dark = (_declarations(colours) for colours in (LIGHT, DARK))
    return (
        f":root{{color-scheme:light dark;{light}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    )


def _declarations(colours: dict[str, str]) -> str:
    return "".join(f"--{role}:{colour};" for role, colour in colours.items())


def line_rules() -> str:
    """One class a line: its colour for strokes and fills, and its dash."""
    rules = []
    for i, dash in enumerate(DASHES, 1):
        dashes = f"stroke-dasharray:{dash};" if dash else ""
        rules.append(f".s{i}{{stroke:var(--line-{i});{dashes}}}.f{i}{{fill:var(--line-{i});}}")
    return "".join(rules)


def resolved(css: str) -> str:
    """CSS with the light colours put in, for programs that know no variables."""
    return re.sub(r"var\(--([a-z0-9-]+)\)", lambda found: LIGHT[found[1]], css)
