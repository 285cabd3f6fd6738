"""What came of the attempts to make variants of rows, as a derivation wrote it down."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any, Final

from transferset.errors import SetError, sentence
from transferset.manifest import Json
from transferset.report.json_tables import read_table
from transferset.shapes import Nullable, anything, count, text
from transferset.shards import REMEDY, ShardSet

#: Accounts of the steps that vary rows.
TABLES: Final = ("_tables/augment.json", "_tables/replace-lm.json")

#: What is counted of each number of attempts, in the order in which it is shown.
OUTCOMES: Final = ("made", "unchanged", "repeated", "leaked", "surplus", "accepted")


def yes_or_no(value: object) -> bool:
    """True or false."""
    return isinstance(value, bool)


def number(value: object) -> bool:
    """A number from 0 on."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e18


_TOLD: Final = {
    "rows_before": count,
    "attempts": count,
    "multiple": number,
    "target": Nullable(text),
    "reached": yes_or_no,
    "columns": [text],
    "table": [[count]],
}
_SHAPE: Final[dict[Any, Any]] = {**_TOLD, ...: anything}


def attempts_of(found: ShardSet) -> list[Json]:
    """The accounts that a set's manifest lists.

    Args:
        found: An open set.

    Returns:
        For each step that varied rows `step`, `rows_before`, `attempts` (on each row), `multiple`
        (rows after to rows before), `target`, `reached`, `columns`, `table` (a row for each number
        of attempts) and `totals` (the sums of its columns by name).

    Raises:
        SetError: An account is damaged, or not of this form.
    """
    known = [(name, read_table(found, name, _SHAPE, "an account of attempts")) for name in TABLES]
    return [_account(found, name, body) for name, body in known if body is not None]


def _account(found: ShardSet, name: str, body: Json) -> Json:
    columns, table = body["columns"], body["table"]
    if columns != list(OUTCOMES) or any(len(row) != len(columns) for row in table):
        where = str(found.root / name)
        expected = f"columns {', '.join(OUTCOMES)}"
        raise SetError(sentence(expected, ", ".join(columns), where, REMEDY))
    sums = [sum(row[i] for row in table) for i in range(len(columns))]
    return {
        "step": PurePosixPath(name).stem,
        **{member: body[member] for member in _TOLD},
        "totals": dict(zip(columns, sums, strict=True)),
    }
