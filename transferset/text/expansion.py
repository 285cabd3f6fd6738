"""From the inside of a pair of braces to the function that expands it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from transferset.text.braces import Expansion
from transferset.text.call import Call
from transferset.text.parser_functions import FUNCTIONS, VARIABLES, Arguments
from transferset.text.proper_names import COUNTRIES, country_code
from transferset.text.templates import handler_of

_NAME = re.compile(r"\s*+([^|{}\n:#][^|{}\n:]*+|#[^|{}\n:]*+)?+(:?)")
_SUBSTITUTED = re.compile(r"\s*+(?:safesubst|subst|msgnw|msg|raw):", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Expander:
    """Finds expansions for the page `title` of a wiki in `language`."""

    title: str
    language: str

    def find(self, text: str, start: int, stop: int) -> Expansion | None:
        """The expansion of `text[start:stop]`, or None when it vanishes."""
        match = _NAME.match(text, start, stop)
        if match is None or match[1] is None:
            return None
        name = match[1].strip()
        if match[2]:
            return self._function(text, start, match, name)
        variable = VARIABLES.get(name)
        if variable is not None and not text.startswith("|", match.end()):
            return lambda _inner: variable(self.title)
        return self._template(name)

    def _template(self, name: str) -> Expansion | None:
        is_code = name.isupper() and name in COUNTRIES
        name = " ".join(name.replace("_", " ").lower().split())
        handler = country_code if is_code else handler_of(name)
        if handler is None:
            return None

        def expansion(inner: str) -> str:
            _, bar, body = inner.partition("|")
            return handler(Call.read(name, body if bar else None, self.title, self.language))

        return expansion

    def _function(self, text: str, start: int, match: re.Match[str], name: str) -> Expansion | None:
        """`{{name:…}}`: a parser function, or a template with a namespace or colon in its name."""
        function = FUNCTIONS.get(name.lower())
        if function is not None:
            return lambda inner: function(Arguments.read(inner))
        if _SUBSTITUTED.match(text, start) or name.lower() in ("template", "t"):
            rest = _NAME.match(text, match.end())
            return self._template(rest[1].strip()) if rest and rest[1] and not rest[2] else None
        return None
