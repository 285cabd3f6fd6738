"""Training data of Rasa NLU in its markdown (Rasa 1 and 2): examples of intents.

Items of `## synonym:`, `## lookup:` and `## regex:` are no examples and are counted apart. The
grammar is that of Rasa's own reader, but what it passes over without a word is an error here.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from transferset.errors import InputError, sentence
from transferset.sources.tasks.lines import Batch, numbered
from transferset.sources.tasks.reading import Flaw, Row

#: Sections; only those of intents hold examples.
SECTIONS: Final = ("intent", "synonym", "lookup", "regex")

_SECTION: Final = re.compile(r"##\s*([^:#\s]+)\s*:\s*(\S.*)")
_ITEM: Final = re.compile(r"[-*+]\s*(.*)", re.DOTALL)
_OPEN: Final = "<!--"
_CLOSE: Final = "-->"

#: `[text](entity)`, `[text](entity:value)`, `[text]{"entity": …}`, `[text][{"entity": …}, …]`.
#: Lengths are bounded so that brackets that nothing closes cost no more than their number.
_ENTITY: Final = re.compile(
    r"\[([^\[\]]{1,1000}+)\]"
    r"(?:\(([^:()]{1,1000}+)(?::[^)]{1,1000}+)?\)|(\{[^{}]{1,1000}+\})|(\[\{[^\[\]]{1,1000}+\]))"
)
_NO_WORD: Final = re.compile(r"\W+")


def plain(example: str, entities: str) -> str:
    """The text of an example.

    Args:
        example: With Rasa's annotations.
        entities: `strip` leaves their texts, `placeholder` puts `__NAME__` in their place, with
            the entity's name in upper case.

    Raises:
        ValueError: An annotation in JSON cannot be read; the message is the annotation.
    """
    if "[" not in example:
        return example
    names = [(match, _entity(match)) for match in _ENTITY.finditer(example)]
    parts, at = [], 0
    for match, name in names:
        put = match[1] if entities == "strip" else f"__{_NO_WORD.sub('_', name).upper()}__"
        parts += [example[at : match.start()], put]
        at = match.end()
    return "".join([*parts, example[at:]])


def _entity(match: re.Match[str]) -> str:
    """The name of the entity, of several the first."""
    if match[2] is not None:
        return match[2].strip()
    try:
        stated = json.loads(match[3] or match[4])
        name = (stated if match[3] else stated[0])["entity"]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        name = None
    if not isinstance(name, str) or not name:
        raise ValueError(match[0])
    return name


def example(text: str, intent: str, entities: str) -> tuple[str, None, str] | Flaw:
    """What stands in an item of an intent."""
    try:
        return plain(text, entities), None, intent
    except ValueError as error:
        return Flaw('an annotation like [text]{"entity": "name"}', str(error)[:80])


def rows(batches: Iterable[Batch], path: str, entities: str, others: Counter[str]) -> Iterator[Row]:
    """Read the examples of a markdown file.

    Args:
        batches: Its lines.
        path: The file, for messages.
        entities: See `plain`.
        others: Takes a count of the items of sections that hold no examples.

    Yields:
        An example's line, and its text and intent.

    Raises:
        InputError: A heading is none of Rasa's, so that intents cannot be told apart.
    """
    section = title = ""
    comments = _Comments()
    for number, written in numbered(batches):
        if isinstance(written, Flaw):
            yield number, written
            continue
        line = comments.without(written, number).strip()
        if line.startswith("##"):
            section, title = _section(line, f"{path}, line {number}")
        elif line and not line.startswith("#"):
            if section in ("intent", ""):
                yield number, _item(line, title, entities)
            else:
                others[section] += 1
    if comments.since:
        at = f"{path}, line {comments.since}"
        raise InputError(sentence(f"a comment that ends in {_CLOSE}", "no end", at))


def _item(line: str, intent: str, entities: str) -> tuple[str, None, str] | Flaw:
    item = _ITEM.fullmatch(line)
    if not intent:
        return Flaw("a heading ## intent:NAME first", line[:80])
    if item is None:
        return Flaw("an example that begins with -", line[:80])
    return example(item[1], intent, entities)


def _section(line: str, at: str) -> tuple[str, str]:
    match = _SECTION.fullmatch(line)
    if match is None or match[1] not in SECTIONS:
        known = ", ".join(f"## {name}:NAME" for name in SECTIONS)
        raise InputError(sentence(f"a heading out of {known}", line[:80], at, "correct it"))
    return match[1], match[2]


class _Comments:
    """Takes comments out of lines; they may go over several.

    Attributes:
        since: The line at which the one that is open began; 0 where none is.
    """

    def __init__(self) -> None:
        self.since = 0

    def without(self, line: str, number: int) -> str:
        """The line without what stands in comments."""
        if not self.since and _OPEN not in line:
            return line
        kept, at = [], 0
        while at < len(line):
            mark = _CLOSE if self.since else _OPEN
            end = line.find(mark, at)
            if not self.since:
                kept.append(line[at:] if end < 0 else line[at:end])
            if end < 0:
                break
            self.since = 0 if self.since else number
            at = end + len(mark)
        return "".join(kept)
