"""Packing in plain Python, row by row, and a driver that plays the pipeline for `--pack`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from driving import CLS, SEP, make_rows, make_setting

from transferset.ledger import Ledger, Reason
from transferset.steps import Pack
from transferset.transforms import Position, implement

AT = Position(0, 0)


class Row(NamedTuple):
    """A row that is to be packed: what stands between [CLS] and the last [SEP]."""

    content: list[int]
    document: tuple[int, int, int] | None = None  # part, source, doc_id
    parent_row: int = 0
    copy: int = 0


class Packed(NamedTuple):
    ids: list[int]
    parent_row: int
    copy: int


def near_equal(content: list[int], room: int) -> list[list[int]]:
    """As few parts as fit; their lengths differ by at most one."""
    count = max(1, -(-len(content) // room))
    ends = [len(content) * i // count for i in range(count + 1)]
    return [content[a:b] for a, b in pairwise(ends)]


def plain_pack(rows: Sequence[Row], length: int, by: str) -> tuple[list[Packed], int]:
    """Packed rows, and how many rows were joined."""
    room, joined = length - 2, 0
    packs: list[tuple[int, list[int], bool]] = []  # parent row, content, may more rows join
    last: Row | None = None
    for row in rows:
        other = last is None or row.document is None or row.document != last.document
        gap = [SEP] if other else []
        if (
            packs
            and packs[-1][2]
            and not (other and by == "document")
            and len(packs[-1][1]) + len(gap) + len(row.content) <= room
        ):
            packs[-1][1].extend(gap + row.content)
            joined += 1
        else:
            parts = near_equal(row.content, room)
            packs += [(row.parent_row, list(part), len(parts) == 1) for part in parts]
        last = row
    seen: Counter[int] = Counter()
    made = []
    for parent, content, _ in packs:
        made.append(Packed([CLS, *content, SEP], parent, seen[parent]))
        seen[parent] += 1
    return made, joined


@dataclass
class Found:
    rows: int
    tokens: int
    bounds: Sequence[int]
    found: list[pa.RecordBatch] = field(default_factory=list)

    def batches(self) -> Iterator[pa.RecordBatch]:
        return iter(self.found)


class Done(NamedTuple):
    packed: list[Packed]
    joined: int
    model: Any
    batches: list[pa.RecordBatch]


def as_batch(rows: Sequence[Row], **columns: Any) -> pa.RecordBatch:
    if rows and rows[0].document is not None:
        documents = [row.document for row in rows if row.document is not None]
        for i, name in enumerate(("part", "source", "doc_id")):
            columns[name] = [document[i] for document in documents]
    return make_rows(
        [[CLS, *row.content, SEP] for row in rows],
        addresses=[(row.parent_row, row.copy) for row in rows],
        **columns,
    )


def drive(
    batch: pa.RecordBatch,
    step: Pack,
    *,
    total: int,
    bounds: Sequence[int] = (),
    cuts: Sequence[int] = (),
    size: int = 10_000,
) -> Done:
    """Survey and pack.

    Args:
        batch: All rows.
        step: How.
        total: Rows of SRC.
        bounds: Where ranges might be cut, by `parent_row`, beside 0 and `total`.
        cuts: Where the survey's ranges are cut.
        size: Rows of a batch.
    """
    setting = make_setting()
    offered = sorted({0, *bounds, total})
    surveyed = []
    for part in ranges(batch, sorted({0, *cuts, total})):
        survey = implement(step, setting).survey(AT)
        for piece in pieces(part, size):
            surveyed += [found for found in [survey.add(piece)] if found is not None]
        assert survey.finish() is None
    found = Found(batch.num_rows, len(batch.column("input_ids").flatten()), offered, surveyed)
    folder = Path("nothing-is-written-here")
    model = implement(step, setting).conclude(found, AT, folder, intact=False)
    ledger, out = Ledger(), []
    for part in ranges(batch, model["bounds"]):
        transformer = implement(step, setting).fitted(model, folder)
        out += [transformer.apply(piece, AT, ledger) for piece in pieces(part, size)]
        last = transformer.finish(AT, ledger)
        out += [last] if last is not None else []
        assert transformer.finish(AT, ledger) is None
    names = ("input_ids", "parent_row", "copy")
    packed = [
        Packed(*values)
        for made in out
        for values in zip(*(made.column(name).to_pylist() for name in names), strict=True)
    ]
    return Done(packed, ledger[Reason.JOINED], model, out)


def ranges(batch: pa.RecordBatch, bounds: Sequence[int]) -> Iterator[pa.RecordBatch]:
    parents = batch.column("parent_row").to_pylist()
    for low, high in pairwise(bounds):
        inside = [i for i, row in enumerate(parents) if low <= row < high]
        yield batch.slice(inside[0] if inside else 0, len(inside))


def pieces(batch: pa.RecordBatch, size: int) -> Iterator[pa.RecordBatch]:
    for start in range(0, max(1, batch.num_rows), size):
        yield batch.slice(start, size)
