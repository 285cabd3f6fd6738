"""From the inside of a pair of braces to the function that expands it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from transferset.text.braces import Expansion
from transferset.text.call import Call
from transferset.text.parser_functions import FUNCTIONS, VARIABLES, Arguments, Function
from transferset.text.proper_names import COUNTRIES, country_code
from transferset.text.templates import Handler, handler_of

_NAME = re.compile(r"\s*+([^|{}\n:#][^|{}\n:]*+|#[^|{}\n:]*+)?+(:?)")
_PREFIX = re.compile(r"\s*+(?:safesubst|subst|msgnw|msg|raw|template|t):", re.IGNORECASE)

_MAX_KNOWN = 20_000
_LONGEST_HEAD = 80


class Expander:
    """Finds expansions for pages of a wiki; one for each worker, it remembers template names.

    Args:
        language: Language code of the wiki.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self.title = ""
        self._known: dict[str, Handler | None] = {}
        self._heads: dict[str, tuple[Handler, str] | None] = {}

    def __reduce__(self) -> tuple[type[Expander], tuple[str]]:
        # what it remembers holds functions that cannot travel, and is soon learnt again
        return Expander, (self.language,)

    def expand(self, inner: str) -> str:
        """What a reader sees of the braces around `inner`, which has none inside."""
        head, bar, body = inner.partition("|")
        if head in self._heads:
            known = self._heads[head]
            return known[0](Call.read(known[1], body if bar else None)) if known else ""
        expansion = self.find(inner, 0, len(inner))
        if ":" not in head and len(head) < _LONGEST_HEAD and head.strip() not in VARIABLES:
            self._remember(head)
        return expansion(inner) if expansion else ""

    def _remember(self, head: str) -> None:
        if len(self._heads) >= _MAX_KNOWN:
            self._heads.clear()
        match = _NAME.match(head)
        name = match[1] if match else None
        handler = self._known.get(name) if name else None
        self._heads[head] = (handler, _normal(name)) if handler and name else None

    def find(self, text: str, start: int, stop: int) -> Expansion | None:
        """The expansion of `text[start:stop]`, or None when it vanishes."""
        match = _NAME.match(text, start, stop)
        if match is None:
            return None
        name, colon = match.groups()
        if name is None:
            return None
        if colon:
            return self._function(text, start, match, name.strip())
        if name in VARIABLES and not text.startswith("|", match.end()):
            return partial(_variable, VARIABLES[name], self.title)
        handler = self._known[name] if name in self._known else self._learn(name)
        return partial(self._expansion, handler, name) if handler else None

    def _learn(self, name: str) -> Handler | None:
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        code = name.strip()
        handler = (
            country_code if code.isupper() and code in COUNTRIES else handler_of(_normal(name))
        )
        self._known[name] = handler
        return handler

    def _expansion(self, handler: Handler, name: str, inner: str) -> str:
        _, bar, body = inner.partition("|")
        return handler(Call.read(_normal(name), body if bar else None))

    def _function(self, text: str, start: int, match: re.Match[str], name: str) -> Expansion | None:
        """`{{name:…}}`: a parser function, or a template with a namespace before its name."""
        function = FUNCTIONS.get(name.lower())
        if function is not None:
            return partial(_function, function)
        if not _PREFIX.match(text, start):
            return None
        rest = _NAME.match(text, match.end())
        if rest is None or rest[1] is None or rest[2]:
            return None
        handler = self._learn(rest[1])
        return partial(self._expansion, handler, rest[1]) if handler else None


def _normal(name: str) -> str:
    return " ".join(name.replace("_", " ").lower().split())


def _variable(variable: Callable[[str], str], title: str, _inner: str) -> str:
    return variable(title)


def _function(function: Function, inner: str) -> str:
    return function(Arguments.read(inner))
