"""What came of the attempts to make variants of rows, as a derivation wrote it down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from blake3 import blake3

from transferset.errors import SetError, sentence
from transferset.manifest import Json
from transferset.shapes import Misshapen, Nullable, check, count, text
from transferset.shards import REMEDY, ShardSet

#: Accounts of the steps that vary rows.
TABLES: Final = ("_tables/augment.json", "_tables/replace-lm.json")

#: Largest file that is read: of ten thousand attempts it has a megabyte.
MOST_BYTES: Final = 1 << 24

#: What is counted of each number of attempts, in the order in which it is shown.
OUTCOMES: Final = ("made", "unchanged", "repeated", "leaked", "surplus", "accepted")


def yes_or_no(value: object) -> bool:
    """True or false."""
    return isinstance(value, bool)


def number(value: object) -> bool:
    """A number from 0 on."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e18


_SHAPE: Final = {
    "rows_before": count,
    "attempts": count,
    "multiple": number,
    "target": Nullable(text),
    "reached": yes_or_no,
    "columns": [text],
    "table": [[count]],
    ...: lambda value: True,
}


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
    listed = {entry.file: entry.blake3 for entry in found.manifest.files}
    return [_account(found.root / name, listed[name]) for name in TABLES if name in listed]


def _account(path: Path, digest: str) -> Json:
    body = _read(path, digest)
    columns, table = body["columns"], body["table"]
    if columns != list(OUTCOMES) or any(len(row) != len(columns) for row in table):
        expected = f"columns {', '.join(OUTCOMES)}"
        raise SetError(sentence(expected, ", ".join(columns), str(path), REMEDY))
    sums = [sum(row[i] for row in table) for i in range(len(columns))]
    kept = {name: body[name] for name in _SHAPE if name is not ...}
    return {"step": path.stem, **kept, "totals": dict(zip(columns, sums, strict=True))}


def _read(path: Path, digest: str) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError("a file that is too large")
        raw = path.read_bytes()
        if blake3(raw).hexdigest() != digest:
            raise ValueError("other bytes than its manifest says")
        body: dict[str, Any] = json.loads(raw)
        check(body, _SHAPE)
    except Misshapen as error:
        where = f"{path}, member {error.member}"
        raise SetError(sentence(error.expected, error.found, where, REMEDY)) from None
    except (OSError, ValueError, RecursionError) as error:
        expected = "an account of attempts as JSON"
        raise SetError(sentence(expected, str(error), str(path), REMEDY)) from None
    return body
