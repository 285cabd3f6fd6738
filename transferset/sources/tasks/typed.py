"""Records whose values have types: from JSON, Parquet and Arrow to texts and written labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Final

from transferset.errors import UsageError, sentence
from transferset.sources.tasks.layouts import Names
from transferset.sources.tasks.options import TaskOptions
from transferset.sources.tasks.reading import EMPTY, Flaw, Values

_SHOWN: Final = 20

#: The remedy where columns are not there.
NO_CHOICE: Final = "correct --layout, --text or --text-pair"


def choose(options: TaskOptions, there: Callable[[str], bool]) -> tuple[Names, str] | None:
    """Choose the columns that are read.

    Args:
        options: Name a layout or columns.
        there: Whether a file has a column.

    Returns:
        The columns, with an empty label where there is none, and why there is none as an error
        would say it; None if the texts are not there.

    Raises:
        UsageError: The options name no column.
    """
    layout = options.known_layout
    if layout is None and options.text is None:
        raise UsageError(sentence("--layout, or --text with the name of a column", "neither"))
    if layout is not None:
        known = list(layout.names)
    else:
        known = [Names(options.text or "", options.text_pair, options.label or "")]
    fitting = [n for n in known if there(n.text) and (n.pair is None or there(n.pair))]
    for names in fitting:
        if not names.label or there(names.label):
            return names, ""
    if fitting:
        return fitting[0]._replace(label=""), f"the column {fitting[0].label}"
    return None


def listed(names: Iterable[str]) -> str:
    """Names, with commas; of many the first."""
    found = list(names)
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(name[:40] for name in found[:_SHOWN]) + more


def values(
    text: object, pair: object, label: object, *, paired: bool, whole: bool
) -> Values | Flaw:
    """What stands in a record.

    Args:
        text: Of its column; bytes are UTF-8.
        pair: Of its column.
        label: Of its column: a string, a number, a truth value, or null.
        paired: Whether there should be a second text.
        whole: Whether a label like 1.0 is a whole number, as of classes.
    """
    try:
        first = _text(text)
        second = _text(pair) if paired else None
        return first, second, _written(label, whole)
    except UnicodeError as error:
        return Flaw("text in UTF-8", str(getattr(error, "reason", "other bytes")))
    except TypeError as error:
        return EMPTY if text is None or (paired and pair is None) else Flaw(*error.args)


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, str):
        value.encode()  # half a surrogate pair is no character
        return value
    raise TypeError("a text", type(value).__name__)


def _written(label: object, whole: bool) -> str | None:
    """A label as a file of text would have it."""
    if label is None or isinstance(label, str):
        return label
    if isinstance(label, bytes):
        return label.decode()
    if isinstance(label, bool):
        return "true" if label else "false"
    if isinstance(label, float):
        if not math.isfinite(label):
            raise TypeError("a finite number as the label", str(label))
        return str(int(label)) if whole and label.is_integer() else repr(label)
    if isinstance(label, int) and abs(label) < 1 << 63:
        return str(label)
    raise TypeError("a string or number as the label", type(label).__name__)
