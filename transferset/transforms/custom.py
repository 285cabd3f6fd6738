"""A transform from outside: what it gives back is checked before anything else sees it."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from transferset.compiled import kernel
from transferset.errors import TransfersetError, sentence
from transferset.ledger import Ledger, Reason
from transferset.schema import ADDRESS, holds_lists
from transferset.steps import Custom, load_function
from transferset.transforms.buffers import addresses, flat
from transferset.transforms.protocol import Position, Setting

#: What is expected of the addresses of any transform's rows.
_KEPT: Final = "rows of its batch in their order, each at most once, by parent_row and copy"


class CallFunction:
    """Calls a function from outside on each batch; rows that it drops are counted."""

    def __init__(self, step: Custom, setting: Setting) -> None:
        """Import the function.

        Args:
            step: Which function, and its parameters.
            setting: The set's tokenizer.

        Raises:
            UsageError: It cannot be imported, or is no transform.
        """
        self._name, self._values = step.transform, dict(step.values)
        self._function, self._setting = load_function(step), setting

    def apply(self, batch: pa.RecordBatch, at: Position, ledger: Ledger) -> pa.RecordBatch:
        """Call the function and check what comes back.

        Raises:
            TransfersetError: The function failed, or returned something else than a transform does.
        """
        if not batch.num_rows:
            return batch
        result = self._checked(self._called(batch, at), batch)
        dropped = batch.num_rows - result.num_rows
        if dropped:
            ledger[Reason.BY_TRANSFORM] += dropped
        return result

    def _called(self, batch: pa.RecordBatch, at: Position) -> Any:
        try:
            return self._function(batch, at, **self._values)
        except TransfersetError:
            raise
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            place = frames[min(2, len(frames) - 1)]  # after this one and the decorator's: its line
            where = f"{Path(place.filename).name}, line {place.lineno}"
            found = f"{type(error).__name__}: {error}"
            raise self._wrong("a batch", found, where) from error

    def _checked(self, result: Any, batch: pa.RecordBatch) -> pa.RecordBatch:
        if not isinstance(result, pa.RecordBatch):
            raise self._wrong("a pyarrow.RecordBatch", type(result).__name__)
        try:
            result.validate(full=True)
        except pa.ArrowInvalid as error:
            raise self._wrong("a valid batch", str(error)) from None
        result = self._with_columns(result, batch)
        self._check_addresses(result, batch)
        self._check_ids(result)
        return result

    def _with_columns(self, result: pa.RecordBatch, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns of the batch, in its order."""
        names = result.schema.names
        if sorted(names) != sorted(batch.schema.names):
            expected = f"the columns {', '.join(batch.schema.names)}"
            raise self._wrong(expected, ", ".join(names) or "none")
        result = result.select(batch.schema.names)
        for name, before, after in zip(
            batch.schema.names, batch.columns, result.columns, strict=True
        ):
            if before.type != after.type:
                raise self._wrong(f"{name} of type {before.type}", str(after.type))
            if _nulls(after) > _nulls(before):
                raise self._wrong(f"{name} without nulls", f"{_nulls(after)} of them")
        return result

    def _check_addresses(self, result: pa.RecordBatch, batch: pa.RecordBatch) -> None:
        stray = _first_stray(*addresses(batch), *addresses(result))
        if stray >= 0:
            found = ", ".join(f"{name} {result.column(name)[stray]}" for name in ADDRESS)
            raise self._wrong(_KEPT, found, f"its row {stray}")

    def _check_ids(self, result: pa.RecordBatch) -> None:
        ids, offsets = flat(result)
        size = self._setting.vocab_size
        row = _first_wrong(ids, offsets, self._setting.cls, self._setting.sep, size)
        if row >= 0:
            expected = f"[CLS] … [SEP] and ids from 0 to {size - 1}"
            found = str(ids[offsets[row] : offsets[row + 1]].tolist())
            raise self._wrong(expected, found, f"its row {row}")

    def _wrong(self, expected: str, found: str, at: str | None = None) -> TransfersetError:
        where = f"{at} of transform {self._name}" if at else f"transform {self._name}"
        return TransfersetError(sentence(expected, found, where))


def _nulls(column: pa.Array) -> int:
    """Nulls of a column, and within its lists."""
    inner = column.flatten().null_count if holds_lists(column.type) else 0
    return int(column.null_count + inner)


@kernel
def _first_stray(rows: Any, copies: Any, new_rows: Any, new_copies: Any) -> int:
    """The first of the new addresses that is not found further on among the old ones, or −1."""
    at = 0
    for i in range(len(new_rows)):
        while at < len(rows) and (rows[at] != new_rows[i] or copies[at] != new_copies[i]):
            at += 1
        if at == len(rows):
            return i
        at += 1
    return -1


@kernel
def _first_wrong(ids: Any, offsets: Any, cls: int, sep: int, size: int) -> int:
    """The first row that is not [CLS] … [SEP], or has an id that the vocabulary lacks, or −1."""
    for i in range(len(offsets) - 1):
        start, stop = offsets[i], offsets[i + 1]
        if stop - start < 2 or ids[start] != cls or ids[stop - 1] != sep:
            return i
        for j in range(start, stop):
            if not 0 <= ids[j] < size:
                return i
    return -1
