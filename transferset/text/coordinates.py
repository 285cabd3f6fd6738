"""{{coord}}: a place on a globe, as an article prints it inside a sentence."""

from __future__ import annotations

from transferset.text.call import Call
from transferset.text.quantities import value_of

_MARKS = ("°", "′", "″")
_SIDES = frozenset("NSEW")


def coordinates(call: Call) -> str:
    """{{coord|13|19|N|169|9|W}} → `13°19′N 169°9′W`; nothing when only the page's top shows it."""
    display = call.get("display")
    if display and "inline" not in display and display not in ("i", "it", "ti"):
        return ""
    parts = [part.strip() for part in call.positional() if part.strip() and ":" not in part]
    if len(parts) == 2:
        return _decimal(parts[0], "NS") + " " + _decimal(parts[1], "EW")
    shown: list[str] = []
    numbers: list[str] = []
    for part in parts:
        if part.upper() not in _SIDES:
            numbers.append(part)
            continue
        degrees = "".join(map("".join, zip(numbers[:3], _MARKS, strict=False)))
        shown.append(f"{degrees}{part.upper()}")
        numbers = []
    return " ".join(shown)


def _decimal(text: str, sides: str) -> str:
    value = value_of(text)
    if value is None:
        return text
    return f"{text.lstrip('-−+')}°{sides[value < 0]}"
