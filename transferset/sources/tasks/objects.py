"""JSON lines: one example a line, members by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from transferset.errors import UsageError
from transferset.sources.records import lines
from transferset.sources.records.fields import dig
from transferset.sources.records.reading import RecordPart
from transferset.sources.tasks.layouts import Names
from transferset.sources.tasks.options import TaskOptions
from transferset.sources.tasks.reading import Flaw, Row
from transferset.sources.tasks.typed import choose, values

#: Objects at the beginning of a file from which its members are known.
_HEAD: Final = 100


@dataclass(frozen=True, slots=True)
class Members:
    """The members that are read of each object; see `tables.Table`."""

    names: Names
    missing: str = ""

    @property
    def pair(self) -> bool:
        """Whether rows have two texts."""
        return self.names.pair is not None


def look(path: Path, size: int, options: TaskOptions) -> Members:
    """Find the members from the first objects of a file.

    Raises:
        UsageError: They are not there.
        InputError: The file begins with no line of JSON.
    """
    heads: dict[str, list[Mapping[str, Any]]] = {}

    def there(name: str) -> bool:
        if name not in heads:
            read = lines.read(path, name, RecordPart(0, 0, size))
            head = islice((found for found in read if not found.blank), _HEAD)
            heads[name] = [found.row for found in head if found.problem is None]
        return bool(heads[name])

    chosen = choose(options, there)
    if chosen is not None:
        return Members(*chosen)
    layout = options.known_layout
    names = layout.names[-1] if layout else Names(options.text or "", options.text_pair, "")
    for name in (names.text, names.pair):
        try:
            lines.field_of(path, name)
        except UsageError as error:  # what it says is right but for the option
            raise UsageError(str(error).replace("--field", "--text")) from None
    return Members(names._replace(label=""))  # a file of nothing


def rows(path: Path, size: int, members: Members, *, labelled: bool, whole: bool) -> Iterator[Row]:
    """Read the rows of a file.

    Args:
        path: The file.
        size: Its bytes.
        members: From `look`.
        labelled: Whether labels are read.
        whole: Whether a label like 1.0 is a whole number, as of classes.

    Raises:
        InputError: The file cannot be read.
    """
    names = members.names
    found = lines.read(path, names.text, RecordPart(0, 0, size))
    for number, item in enumerate(found, 1):
        if item.blank:
            continue
        if item.problem is not None:
            yield number, Flaw("a JSON object with a text", item.problem.found, byte=item.byte)
            continue
        try:
            pair = dig(item.row, names.pair) if names.pair else None
            label = dig(item.row, names.label) if labelled and names.label else None
        except KeyError as error:
            yield number, Flaw(f"a member {error.args[0]}", "none", byte=item.byte)
            continue
        yield number, values(item.text, pair, label, paired=members.pair, whole=whole)
