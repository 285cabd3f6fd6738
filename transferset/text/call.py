"""One call of a template: its name and arguments."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_CUT = re.compile(r"\[\[[^\[\]]*+\]\]|\|")


def split_bars(text: str) -> list[str]:
    """Split at the bars that separate arguments: not those inside `[[…]]`."""
    if "[[" not in text:
        return text.split("|")
    parts, done = [], 0
    for match in _CUT.finditer(text):
        if match.end() - match.start() == 1:
            parts.append(text[done : match.start()])
            done = match.end()
    parts.append(text[done:])
    return parts


@dataclass(slots=True)
class Call:
    """A template call.

    Args:
        name: Lower-case, with spaces for underscores.
        values: Arguments by name; positional ones by number from `1`.
    """

    name: str
    values: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, name: str, body: str | None) -> Call:
        """Read the text behind the name; None when no bar follows it."""
        call = cls(name)
        if body is None:
            return call
        number = 0
        for part in split_bars(body):
            key, equals, value = part.partition("=")
            if equals and "[[" not in key:
                call.values[key.strip()] = value.strip()
            else:
                number += 1
                call.values[str(number)] = part
        return call

    def raw(self, key: str) -> str:
        """An argument with the spaces around it."""
        return self.values.get(key, "")

    def get(self, *keys: str) -> str:
        """The first of several arguments that is not empty, stripped."""
        for key in keys:
            value = self.values.get(key)
            if value and (value := value.strip()):
                return value
        return ""

    def positional(self) -> list[str]:
        """Arguments 1, 2, … up to the first that is missing."""
        found: list[str] = []
        while (value := self.values.get(str(len(found) + 1))) is not None:
            found.append(value)
        return found

    def last(self) -> str:
        """The last positional argument that is not empty."""
        return next((v.strip() for v in reversed(self.positional()) if v.strip()), "")
