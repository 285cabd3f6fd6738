"""Plays the pipeline for one step: surveys range by range, concludes, fits, applies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from transferset.ledger import Ledger
from transferset.schema import make_schema
from transferset.transforms import Position, Setting, buffers, implement

#: Ids of the special pieces as tests have them; content begins at 5.
PAD, UNK, CLS, SEP, MASK = 0, 1, 2, 3, 4


class Driven(NamedTuple):
    """What came of a step."""

    batches: list[pa.RecordBatch]
    ledger: Ledger
    model: Any

    def rows(self) -> list[dict[str, Any]]:
        """All rows as plain Python."""
        return [row for batch in self.batches for row in batch.to_pylist()]

    def addresses(self) -> list[tuple[int, int]]:
        """(parent_row, copy) of each row."""
        return [(row["parent_row"], row["copy"]) for row in self.rows()]


@dataclass
class Found:
    """What surveys wrote down, as the pipeline gives it to `conclude`."""

    rows: int
    tokens: int
    bounds: Sequence[int]
    files: Sequence[Path]

    def batches(self) -> Iterator[pa.RecordBatch]:
        for path in self.files:
            with pa.memory_map(str(path)) as source:
                reader = pa.ipc.open_file(source)
                for i in range(reader.num_record_batches):
                    yield reader.get_batch(i)


def make_setting(vocab_size: int = 1000, **known: Any) -> Setting:
    return Setting(vocab_size, cls=CLS, sep=SEP, pad=PAD, unk=UNK, mask=MASK, **known)


def make_rows(
    rows: Sequence[Sequence[int]],
    *,
    ids: pa.DataType | None = None,
    addresses: Sequence[tuple[int, int]] | None = None,
    **columns: Sequence[Any],
) -> pa.RecordBatch:
    """Rows of ids as given, with the addresses (0, 0), (1, 0), … unless others are given.

    `columns` have the types that they have in a set.
    """
    types = make_schema(["input_ids", *columns, "parent_row", "copy"], ids or pa.uint16())
    where = list(addresses) if addresses is not None else [(i, 0) for i in range(len(rows))]
    values = {
        "input_ids": [list(row) for row in rows],
        **columns,
        "parent_row": [row for row, _ in where],
        "copy": [copy for _, copy in where],
    }
    arrays = [pa.array(values[field.name], field.type) for field in types]
    return pa.RecordBatch.from_arrays(arrays, names=types.names)


def cut(batch: pa.RecordBatch, bounds: Sequence[int]) -> list[pa.RecordBatch]:
    """The batch cut at these row numbers."""
    ends = [0, *sorted(b for b in bounds if 0 < b < batch.num_rows), batch.num_rows]
    return [batch.slice(a, b - a) for a, b in pairwise(ends)]


def run_step(
    step: Any,
    batches: Sequence[pa.RecordBatch],
    setting: Setting,
    *,
    seed: int = 0,
    ordinal: int = 0,
    cuts: Sequence[int] = (),
    intact: bool | None = None,
    take: str | None = None,
) -> Driven:
    """Run one step over a set.

    Args:
        step: From `transferset.steps`.
        batches: All rows, with addresses, ascending.
        setting: What is known of the set.
        seed: The user's seed.
        ordinal: The step's.
        cuts: Rows of SRC at which ranges of tasks begin, beside 0.
        intact: Whether to say that the rows are exactly those of SRC; None looks.
        take: Which split to write.

    Returns:
        The rows that came out, what was dropped, and the model (None of a local step).
    """
    before = [_frozen(batch) for batch in batches]
    at, ledger = Position(seed, ordinal), Ledger()
    with TemporaryDirectory() as name:
        folder = Path(name)
        model = None
        transformer = implement(step, setting)
        if step.two_phase:
            intact = _is_intact(batches) if intact is None else intact
            found = _survey(transformer, batches, at, folder, cuts, intact=intact)
            model = transformer.conclude(found, at, folder, intact=intact)
            if take is not None:
                model = {**model, "take": take}
            model = json.loads(json.dumps(model, allow_nan=False))
            # workers start from the step, the model and the files alone
            transformer = implement(step, setting).fitted(model, folder)
        if hasattr(transformer, "make"):
            ends = sorted({0, *(c for c in cuts if c < model["rows"]), model["rows"]})
            out = [transformer.make(a, b, at) for a, b in pairwise(ends)]
        else:
            bounds = (model or {}).get("bounds", cuts)
            out = [
                transformer.apply(b, at, ledger) for part in _ranges(batches, bounds) for b in part
            ]
        out = [_frozen(batch) for batch in out]
    assert all(a.equals(b) for a, b in zip(before, batches, strict=True)), "an input was changed"
    return Driven(out, ledger, model)


def _survey(
    fitter: Any,
    batches: Sequence[pa.RecordBatch],
    at: Position,
    folder: Path,
    cuts: Sequence[int],
    *,
    intact: bool,
) -> Found:
    rows = sum(batch.num_rows for batch in batches)
    tokens = sum(len(buffers.flat(batch)[0]) for batch in batches)
    last = int(batches[-1].column("parent_row")[-1].as_py()) + 1 if rows else 0
    bounds = sorted({0, *(c for c in cuts if c < last), last})
    files = []
    if fitter.needs_survey(intact=intact):
        for i, part in enumerate(_ranges(batches, cuts)):
            survey = fitter.survey(at)
            seen = [*(survey.add(batch) for batch in part), survey.finish()]
            kept = [batch for batch in seen if batch is not None]
            if kept:
                files.append(folder / f"survey-{i}.arrow")
                with pa.ipc.new_file(str(files[-1]), kept[0].schema) as sink:
                    for batch in kept:
                        sink.write_batch(batch)
    return Found(rows, tokens, bounds, files)


def _ranges(batches: Sequence[pa.RecordBatch], cuts: Sequence[int]) -> list[list[pa.RecordBatch]]:
    """Batches by range of SRC rows."""
    parts: list[list[pa.RecordBatch]] = [[] for _ in range(len(cuts) + 1)]
    inner = np.sort(np.array(cuts, np.uint64))
    for batch in batches:
        ends = np.searchsorted(batch.column("parent_row").to_numpy(), inner).tolist()
        ends = [0, *ends, batch.num_rows]
        for part, a, b in zip(parts, ends[:-1], ends[1:], strict=True):
            if a < b or batch.num_rows == 0:
                part.append(batch.slice(a, b - a))
    return parts


def _is_intact(batches: Sequence[pa.RecordBatch]) -> bool:
    rows = [buffers.addresses(batch) for batch in batches]
    where = np.concatenate([row for row, _ in rows]) if rows else np.zeros(0)
    copies = np.concatenate([copy for _, copy in rows]) if rows else np.zeros(0)
    return bool((where == np.arange(len(where))).all() and not copies.any())


def _frozen(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A copy on memory of its own, so that mapped files may go and changes show."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    with pa.ipc.open_stream(sink.getvalue()) as reader:
        return reader.read_next_batch()
