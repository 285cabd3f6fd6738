"""A task of `label`: what one teacher says of some rows, spilled with the rows' numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.errors import InputError, sentence
from transferset.files import HashingFile
from transferset.language_models.scoring import one_thread
from transferset.manifest import Json
from transferset.pipeline.label.inputs import read_inputs
from transferset.pipeline.label.params import MASKED_LM, LabelParams
from transferset.pipeline.label.teacher import Teacher
from transferset.pipeline.lm_sample.survey import open_same
from transferset.pipeline.order import spill_path
from transferset.shards import ShardSet
from transferset.stage import Done, Output
from transferset.students.rows import Rows

if TYPE_CHECKING:
    from transferset.masking import Masking
    from transferset.teachers.topk import TopK

#: The column of a spill by which its rows are known.
ROW: Final = "row"

#: Of positions where nothing was masked.
_NO_LABEL: Final = -100


@dataclass(frozen=True, slots=True)
class AskContext:
    """What all tasks that ask one teacher share.

    Attributes:
        src: The set.
        digest: Of its manifest.
        stage: Where they spill.
        teacher: Who is asked.
        params: Options.
        pair: Rows are pairs.
        device: As torch names it, or None.
        seed: Of the masks.
        special: Ids that are never masked, and that of [MASK].
        vocabulary: Size of the set's.
    """

    src: Path
    digest: str
    stage: str
    teacher: Teacher
    params: LabelParams
    pair: bool
    device: str | None
    seed: int
    special: tuple[int, ...]
    mask: int
    vocabulary: int

    def open_set(self) -> ShardSet:
        """The set, if it is the one that was planned with."""
        return open_same(self.src, self.digest)


class Answer(NamedTuple):
    """What a teacher says of rows.

    Attributes:
        columns: By name, equally many rows.
        short: Whether memory was too short for a batch.
    """

    columns: dict[str, pa.Array]
    short: bool


def ask(root: Path, context: AskContext, task: Json) -> Done:
    """Ask a teacher of rows `start` to `stop`.

    Args:
        root: The new set's directory.
        context: Shared configuration.
        task: `ordinal`, `start`, `stop`.

    Returns:
        The spill as output: `ROW` and what the teacher said of each row, in order. Rows, ids and
        how many rows the teacher read the beginning of, as result.
    """
    with one_thread():  # so that sums are rounded alike, in this process or in a worker
        batch, result = answers(context, task["start"], task["stop"])
    path = spill_path(root, context.stage, task["ordinal"])
    with HashingFile(path) as sink:
        with pa.ipc.new_file(sink, batch.schema) as writer:
            writer.write_batch(batch)
        output = Output(str(path.relative_to(root)), sink.size, sink.commit())
    return Done([output], result)


def answers(context: AskContext, start: int, stop: int) -> tuple[pa.RecordBatch, Json]:
    """What a teacher says of rows `start` to `stop`, and the counts of `ask`.

    Raises:
        InputError: It says what is no number.
    """
    found = context.open_set()
    rows, cut = read_inputs(found, context.teacher.reading(context.device), start, stop)
    numbers = np.arange(start, stop)
    masked = context.teacher.kind == MASKED_LM
    said = _masked if masked else _logits
    columns, short = said(context, rows, numbers)
    result: Json = {"rows": len(numbers), "tokens": len(rows.ids), "cut": cut}
    if short:  # sums were made of other batches than the recipe says, and rounded otherwise
        result["short"] = True
    if masked:
        result["masked"] = len(columns["tail"].values)
        result["rows"] *= context.params.multiple
        result["tokens"] *= context.params.multiple
    return pa.RecordBatch.from_pydict(columns), result


def _logits(context: AskContext, rows: Rows, numbers: npt.NDArray[np.int64]) -> Answer:
    from transferset.teachers.logits import Logits

    teacher = context.teacher
    model = teacher.open(context.device).model
    asked = Logits(model, teacher.task, context.params.batch_tokens)
    found = asked.logits(rows.ids, rows.offsets, context.pair)[:, list(teacher.places)]
    _require_finite(found, teacher, numbers, context.src)
    flat = pa.array(found.ravel())
    logits = pa.FixedSizeListArray.from_arrays(flat, found.shape[1])
    return Answer({ROW: pa.array(numbers.astype(np.uint64)), "logits": logits}, asked.short)


def _require_finite(
    found: npt.NDArray[np.float32], teacher: Teacher, numbers: npt.NDArray[np.int64], src: Path
) -> None:
    wrong = ~np.isfinite(found).all(axis=1)
    if wrong.any():
        row = int(np.argmax(wrong))
        value = found[row][~np.isfinite(found[row])][0]
        where = f"row {numbers[row]:,} of {src}"
        do = f"take another teacher than {teacher.path}, or train it again"
        raise InputError(sentence("finite logits", str(value), where, do))


def _masked(context: AskContext, rows: Rows, numbers: npt.NDArray[np.int64]) -> Answer:
    """All copies of all rows, those of one row side by side."""
    copies = context.params.multiple
    masking = _masking(context)
    parts = [_copy(context, masking, rows, numbers, copy) for copy in range(copies)]
    # copy by copy as they were made; row by row as they are kept
    order = np.arange(len(numbers) * copies).reshape(copies, -1).T.ravel()
    tables = [pa.Table.from_pydict(part.columns) for part in parts]
    table = pa.concat_tables(tables).take(pa.array(order))
    columns = {name: table[name].combine_chunks() for name in table.column_names}
    return Answer(columns, any(part.short for part in parts))


def _masking(context: AskContext) -> Masking:
    from transferset.masking import Masking, rates_of

    rates = rates_of(context.vocabulary, list(context.special))
    return Masking(rates, context.mask, context.seed)


def _copy(
    context: AskContext,
    masking: Masking,
    rows: Rows,
    numbers: npt.NDArray[np.int64],
    copy: int,
) -> Answer:
    from transferset.teachers.topk import top_k

    params = context.params
    ids, offsets = rows.ids.astype(np.int32), rows.offsets
    made = masking(ids, offsets, numbers, copy)  # the copy is the epoch of dynamic masking
    try:
        found = top_k(
            context.teacher.open(context.device).model,
            Rows(made.ids.astype(np.int64), offsets),
            made.positions,
            params.top_k or 1,
            params.temperature or 1.0,
            params.batch_tokens,
        )
    except InputError as error:  # it knows nothing of the set
        where = f"{context.teacher.path}, rows {numbers[0]:,} to {numbers[-1]:,} of {context.src}"
        raise InputError(f"{error} ({where})") from error
    labels = np.full(len(ids), _NO_LABEL, np.int32)
    labels[made.positions] = ids[made.positions]
    ends = np.searchsorted(made.positions, offsets)
    columns = {
        ROW: pa.array(numbers.astype(np.uint64)),
        "copy": pa.array(np.full(len(numbers), copy, np.uint32)),
        "input_ids": _lists(offsets, made.ids.astype(_kind(context))),
        "labels": _lists(offsets, labels),
        **_tops(found, ends, _kind(context)),
    }
    return Answer(columns, found.short)


def _tops(found: TopK, ends: npt.NDArray[np.int64], kind: Any) -> dict[str, pa.Array]:
    k = found.ids.shape[1]
    return {
        "top_ids": _lists(ends * k, found.ids.ravel().astype(kind)),
        "top_logits": _lists(ends * k, found.logits.ravel()),
        "tail": _lists(ends, found.tail),
    }


def _kind(context: AskContext) -> Any:
    from transferset.schema import ids_type

    return ids_type(context.vocabulary).to_pandas_dtype()


def _lists(offsets: npt.NDArray[np.int64], values: npt.NDArray[Any]) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(values))
