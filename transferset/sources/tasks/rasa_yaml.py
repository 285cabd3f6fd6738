"""Training data of Rasa NLU in YAML (Rasa 2 and 3): a reader of exactly the part that it uses.

No anchors, aliases, tags, flow collections or folded texts: what is not `nlu:` with items of
intents and their examples, written as Rasa's manual writes them, is an error that names the line.
Other parts of the file (`stories:`, `responses:` and so on) are passed over.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from transferset.errors import InputError, sentence
from transferset.sources.tasks.lines import Batch, numbered
from transferset.sources.tasks.rasa import SECTIONS, example
from transferset.sources.tasks.reading import Flaw, Row

_MEMBER: Final = re.compile(r"([A-Za-z_][\w-]*)[ ]*:(?:[ ]+(.*))?")
_BLOCK: Final = re.compile(r"\|[+-]?(?:[ ]+#.*)?")
_COMMENT: Final = re.compile(r"[ \t]#.*")
_SPECIAL: Final = "&*!{}[]%@`>|,?"
_AS_SHOWN: Final = "write it as in Rasa's manual, or convert the file with `rasa data convert`"


@dataclass(slots=True)
class _State:
    """Where in the file a reader is; columns count from 0.

    Args:
        nlu: Whether inside of `nlu:`.
        item: Column of the items' dashes; -1 before the first.
        section: Of `SECTIONS`; empty before the first item says it.
        title: The name that it gives.
        key: The member whose value is being read: `examples`, or `text` of one, or `skip`.
        column: Of that member; what stands further right belongs to it.
        body: Column of a text over several lines; -1 before its first line.
        block: Whether the one line of such a `text` is still to come.
        examples: Column of the `examples` that are a list; -1 elsewhere.
    """

    nlu: bool = False
    item: int = -1
    section: str = ""
    title: str = ""
    key: str = ""
    column: int = -1
    body: int = -1
    block: bool = False
    examples: int = -1


class _Reader:
    def __init__(self, path: str, entities: str, others: Counter[str]) -> None:
        self._path, self._entities, self._others = path, entities, others
        self._state = _State()

    def line(self, line: str, number: int) -> tuple[str, None, str] | Flaw | None:
        """What a line holds: an example, a flaw, or nothing of its own."""
        bare = line.lstrip(" ")
        column, state = len(line) - len(bare), self._state
        if not bare.strip():
            return None
        if state.key and column > state.column:
            return self._inside(bare, column, number)
        if bare.startswith("#") or (column == 0 and line.rstrip() in ("---", "...")):
            return None
        state.key, state.block = "", False
        if bare.startswith("\t"):
            raise self._error("spaces before the line", "a tab", number)
        if column == 0 and not bare.startswith("- "):
            self._part(bare, number)
        elif state.nlu:
            return self._member(bare, column, number)
        return None

    def _part(self, bare: str, number: int) -> None:
        """`nlu:`, or another part of the file."""
        match = _MEMBER.fullmatch(bare.rstrip())
        if match is None:
            raise self._error("a member like nlu:", bare, number)
        value = _COMMENT.sub("", " " + (match[2] or "")).strip()
        self._state = _State(nlu=match[1] == "nlu")
        if match[1] == "nlu" and value not in ("", "[]"):
            raise self._error("items below nlu:", value, number)
        if match[1] != "nlu":
            self._state.key = "skip"
            self._state.column = 0

    def _member(self, bare: str, column: int, number: int) -> tuple[str, None, str] | Flaw | None:
        state = self._state
        if bare.startswith("- "):
            inner = bare[2:].lstrip(" ")
            place = column + len(bare) - len(inner)
            if 0 <= state.examples <= column:
                return self._of_list(inner, place, number)
            if state.item not in (-1, column):
                raise self._error(f"an item at column {state.item + 1}", bare, number)
            self._state = state = _State(nlu=True, item=column)
            return self._named(inner, place, number)
        if state.examples >= 0 and column > state.examples:
            return self._of_list(bare, column, number)
        if state.item < 0 or column <= state.item:
            raise self._error("an item like - intent: NAME", bare, number)
        state.examples = -1
        return self._named(bare, column, number)

    def _named(self, bare: str, column: int, number: int) -> tuple[str, None, str] | Flaw | None:
        """A member of an item: what it is, its examples, or something about it."""
        state = self._state
        key, value = self._split(bare, number)
        if key in SECTIONS:
            if state.section:
                raise self._error("one intent an item", bare, number)
            state.section, state.title = key, self._scalar(value, number)
        elif key == "examples":
            if not state.section:
                raise self._error("the intent before its examples", bare, number)
            self._opened(key, value, column, number)
        else:
            state.key, state.column = "skip", column
        return None

    def _opened(self, key: str, value: str, column: int, number: int) -> None:
        state = self._state
        if _BLOCK.fullmatch(value):
            state.key, state.column, state.body, state.block = key, column, -1, True
        elif value == "" and key == "examples":
            state.examples = column
        else:
            raise self._error(f"{key}: |", f"{key}: {value}", number)

    def _of_list(self, bare: str, column: int, number: int) -> tuple[str, None, str] | Flaw | None:
        """A member of one of the examples of a list."""
        state = self._state
        key, value = self._split(bare, number)
        if key != "text":
            state.key, state.column = "skip", column
            return None
        if _BLOCK.fullmatch(value):
            self._opened(key, value, column, number)
            return None
        return self._example(self._scalar(value, number))

    def _inside(self, bare: str, column: int, number: int) -> tuple[str, None, str] | Flaw | None:
        """A line of a text over several lines, or of something that is passed over."""
        state = self._state
        if state.key == "skip":
            return None
        if state.body < 0:
            state.body = column
        if column < state.body:
            raise self._error(f"column {state.body + 1}, as the lines before", bare, number)
        if state.key == "text":
            if not state.block:
                raise self._error("an example of one line", bare, number)
            state.block = False
            return self._example(bare.strip())
        if not bare.startswith("-"):
            return Flaw("an example that begins with -", bare.strip()[:80])
        return self._example(bare[1:].strip())

    def _example(self, text: str) -> tuple[str, None, str] | Flaw | None:
        if self._state.section == "intent":
            return example(text, self._state.title, self._entities)
        self._others[self._state.section] += 1
        return None

    def _split(self, bare: str, number: int) -> tuple[str, str]:
        match = _MEMBER.fullmatch(bare.rstrip())
        if match is None:
            raise self._error("a member like intent: NAME", bare, number)
        return match[1], (match[2] or "").strip()

    def _scalar(self, value: str, number: int) -> str:
        """A name or text on one line, also in quotes."""
        if value.startswith('"'):
            try:
                text = json.loads(value)  # of what YAML escapes the part that JSON does
            except ValueError:
                text = None
        elif value.startswith("'"):
            whole = re.fullmatch(r"'((?:[^']|'')*+)'", value)
            text = whole and whole[1].replace("''", "'")
        else:
            text = _COMMENT.sub("", value).rstrip()
            if not text or text[0] in _SPECIAL or ": " in text or text.endswith(":"):
                text = None
        if not isinstance(text, str) or not text.strip():
            raise self._error("a name or text on one line", value or "nothing", number)
        return text

    def _error(self, expected: str, found: str, number: int) -> InputError:
        at = f"{self._path}, line {number}"
        return InputError(sentence(expected, found.strip()[:80], at, _AS_SHOWN))


def rows(batches: Iterable[Batch], path: str, entities: str, others: Counter[str]) -> Iterator[Row]:
    """Read the examples of a YAML file; see `rasa.rows`.

    Raises:
        InputError: The file uses more of YAML than is read.
    """
    reader = _Reader(path, entities, others)
    for number, line in numbered(batches):
        found = line if isinstance(line, Flaw) else reader.line(line, number)
        if found is not None:
            yield number, found
