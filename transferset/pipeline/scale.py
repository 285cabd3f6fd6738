"""What jobs take, by size: one table of measured slopes, and the arithmetic of `--dry-run`.

`benchmarks/scale.py` measures the slopes again, `docs/scale.md` shows what follows from them.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from transferset.executor import default_workers
from transferset.manifest import Json
from transferset.pipeline.order import SHARD_BYTES, SORT_BYTES
from transferset.pipeline.ranges import SURVEY_BYTES
from transferset.schema import FIXED_WIDTH, holds_lists
from transferset.storage.urls import parse


@dataclass(frozen=True, slots=True)
class Slope:
    """What a job takes on one processor of the machine that it was measured on.

    Attributes:
        cpu: CPU-seconds for a million ids.
        driver: Those of them that one process needs alone, however many workers there are.
        row: Temporary bytes for each row.
        share: Temporary bytes for each byte that comes out.
        memory: Bytes of a process at its peak, files that it maps not counted.
        surveys: Looks at all rows before it acts on the first.
        measured: Rows of the largest set that it was measured on.
    """

    cpu: float
    driver: float = 0.0
    row: int = 0
    share: float = 0.0
    memory: int = 0
    surveys: bool = False
    measured: int = 1_000_000


#: Measured on two shared 2.8 GHz cores, Python 3.11, rows of 29 ids. A step's is what it adds to
#: `derive`, which reads and writes. Temporary bytes are those of the files' formats; memory
#: was measured of `build wiki`, `books` and `text`, and of the exports on 10⁷ rows; that of the
#: others is a guess.
SLOPES: Final[Mapping[str, Slope]] = {
    "build wiki": Slope(1.9, row=8, share=1.0, memory=160_000_000, measured=30_000),
    "build books": Slope(0.7, row=8, share=4.4, memory=250_000_000, measured=20_000),
    "build text": Slope(0.5, row=8, share=1.0, memory=140_000_000, measured=20_000),
    "build task": Slope(2.9, 1.4, row=8, share=1.3, memory=200_000_000, measured=15_000),
    "derive": Slope(0.008, memory=160_000_000),
    "derive filter": Slope(0.001, memory=160_000_000),
    "derive shuffle": Slope(0.008, memory=160_000_000),
    "derive mask": Slope(0.014, memory=160_000_000),
    "derive sample": Slope(0.007, 0.001, memory=160_000_000),
    "derive draw": Slope(0.013, 0.004, row=16, memory=160_000_000),
    "derive generate": Slope(0.014, 0.001, memory=160_000_000, surveys=True),
    "derive dedupe": Slope(0.018, 0.0065, row=60, memory=220_000_000, surveys=True),
    "derive pack": Slope(0.015, 0.001, row=13, memory=160_000_000, surveys=True),
    "derive split": Slope(0.021, 0.003, row=12, memory=160_000_000, surveys=True),
    "derive augment": Slope(0.5, 0.3, row=60, memory=250_000_000, surveys=True, measured=60_000),
    "mix": Slope(0.067, row=10, share=1.0, memory=250_000_000),
    "export hf": Slope(0.051, memory=300_000_000),
    "export parquet": Slope(0.061, memory=290_000_000),
    "export arrow-file": Slope(0.016, memory=180_000_000),
    "export megatron": Slope(0.024, 0.007, share=1.0, memory=150_000_000),
    "export mds": Slope(0.03, memory=180_000_000, measured=60_000),
    "export nanogpt": Slope(0.019, 0.002, share=1.0, memory=140_000_000),
    "export tsv": Slope(1.7, share=1.0, memory=150_000_000, measured=60_000),
    "export jsonl": Slope(1.75, share=1.0, memory=160_000_000, measured=60_000),
    "verify": Slope(0.0036, memory=160_000_000),
}

#: CPU-seconds of a command before it does anything.
START: Final = 2.0

#: CPU-seconds in which the second pass of a shuffle looks for one range of keys in one file of the
#: first.
VISIT: Final = 335e-6

#: Of each shard: bytes of the manifest, CPU-seconds and memory of each process that opens the set.
SHARD_ENTRY: Final = 6_400
SHARD_OPENED: Final = 1.1e-3
SHARD_HELD: Final = 25_000

#: CPU-seconds in which a task opens a set that its process knows, for each shard: it does so twice.
SHARD_AGAIN: Final = 2 * 12.4e-6

#: Bytes of a document in the set's table, and in the memory of the driver.
DOCUMENT: Final = 150
DOCUMENT_HELD: Final = 45

#: Files of a set that are no shards and no receipts.
FILES: Final = 12

#: Ids that a task of each kind reads.
_TASK_IDS: Final = SURVEY_BYTES // 2


@dataclass(frozen=True, slots=True)
class Part:
    """A job, or a step of one, and what goes through it: the more of what comes in and goes out."""

    name: str
    rows: float
    ids: float

    @property
    def slope(self) -> Slope:
        """What it takes."""
        return SLOPES[self.name]


@dataclass(frozen=True, slots=True)
class Work:
    """What a command is going to do.

    Attributes:
        parts: One after the other.
        rows: That come out.
        ids: That come out.
        bytes: That come out.
        tasks: Tasks besides those that write a shard each.
        shards: That come out; None is one a `SHARD_BYTES`.
        opened: Shards of the sets that are read.
        spills: Files of a first pass whose rows the second brings into random order; 0 where rows
            stay in order.
        documents: In the set's table.
        files: Files besides shards and receipts.
    """

    parts: Sequence[Part]
    rows: float
    ids: float
    bytes: float
    tasks: int = 1
    shards: int | None = None
    opened: int = 0
    spills: float = 0
    documents: float = 0
    files: int = FILES

    @property
    def count(self) -> int:
        """Shards."""
        return self.shards or max(1, -(-int(self.bytes) // SHARD_BYTES))

    @property
    def temporary(self) -> float:
        """Bytes below `_run/` at their peak."""
        rows = sum(part.slope.row * part.rows for part in self.parts)
        share = sum(part.slope.share for part in self.parts)
        return rows + share * self.bytes + (self.documents * DOCUMENT if share else 0)

    @property
    def visits(self) -> float:
        """How often a range of keys is looked for in a file: the square of the size."""
        each = max(1, -(-int(self.bytes) // self.count // SORT_BYTES))
        return self.spills * self.count * each

    def cpu(self) -> tuple[float, float]:
        """CPU-seconds of the workers and, one after the other, of the driver."""
        ids = [part.ids / 1e6 for part in self.parts]
        total = sum(n * part.slope.cpu for n, part in zip(ids, self.parts, strict=True))
        alone = sum(n * part.slope.driver for n, part in zip(ids, self.parts, strict=True))
        again = SHARD_AGAIN * self.opened * (self.tasks + self.count)
        return total - alone + VISIT * self.visits + again, alone + START

    def memory(self, workers: int) -> float:
        """Bytes of all processes."""
        processes = workers + (workers > 1)
        each = max(part.slope.memory for part in self.parts)
        held = SHARD_HELD * (self.opened * processes + self.count)
        return each * processes + held + DOCUMENT_HELD * self.documents

    def estimate(self, workers: int | None = None) -> Json:
        """What is told of it; the same members for every command.

        Args:
            workers: Worker processes; None is the number of processors.

        Returns:
            `rows`, `tokens`, `bytes` and `files` that come out; `temporary_bytes`, `memory_bytes`
            (of all processes), `cpu_seconds`, and `minutes` with so many workers.
        """
        busy = self.busy(workers)
        spread, alone = self.cpu()
        return {
            "rows": round(self.rows),
            "tokens": round(self.ids),
            "bytes": round(self.bytes),
            "temporary_bytes": round(self.temporary),
            "files": self.files + self.tasks + 2 * self.count,
            "memory_bytes": round(self.memory(busy)),
            "cpu_seconds": round(spread + alone + self._begun(busy) * busy, 1),
            "minutes": round(self.seconds(workers) / 60, 1),
        }

    def busy(self, workers: int | None) -> int:
        """Workers that have something to do."""
        return max(1, min(workers or default_workers(), max(self.tasks, self.count)))

    def seconds(self, workers: int | None) -> float:
        """Seconds with so many workers, each with a processor of its own."""
        busy = self.busy(workers)
        spread, alone = self.cpu()
        return spread / busy + alone + self._begun(busy)

    def _begun(self, busy: int) -> float:
        # each worker starts and opens the sets for itself
        return (START if busy > 1 else 0) + SHARD_OPENED * self.opened


def survey_tasks(ids: float) -> int:
    """Tasks of a pass over so many ids."""
    return max(1, -(-int(ids) // _TASK_IDS))


def data_bytes(schema: pa.Schema, rows: float, ids: float, text: float | None = None) -> float:
    """Bytes of rows, from counts alone.

    Args:
        schema: Of the set.
        rows: How many.
        ids: How many they have in all.
        text: Bytes of each column of texts; None is four for each id, as in English.
    """
    size = 0.0
    for column in schema:
        if column.name in FIXED_WIDTH:
            size += rows * column.type.bit_width / 8
        elif column.name in ("input_ids", "labels"):
            size += rows * 4 + ids * column.type.value_type.bit_width / 8
        elif pa.types.is_fixed_size_list(column.type):
            size += rows * column.type.list_size * column.type.value_type.bit_width / 8
        elif holds_lists(column.type):  # words are fewer than ids, each with an offset
            wide = 0 if pa.types.is_string(column.type.value_type) else 1
            size += rows * 4 + ids * (wide or 8) * 0.8
        else:
            size += rows * 4 + (4 * ids if text is None else text)
    return size


def disk(estimated: Json, out: str | Path | None) -> Json | None:
    """Whether there is room for what is going to be made.

    Args:
        estimated: Of `Work.estimate`: `bytes`, and `temporary_bytes` if there are any.
        out: Where it goes; None is below the working directory.

    Returns:
        `needed` and `free` bytes, and whether that is `enough`; None where nobody can tell.
    """
    if parse(out or ".") is not None:  # an object store
        return None
    place = Path(out or ".").absolute()
    while not place.is_dir():
        place = place.parent
    needed = estimated["bytes"] + estimated.get("temporary_bytes", 0)
    free = shutil.disk_usage(place).free
    return {"needed": needed, "free": free, "enough": needed <= free}


def names_of(job: str) -> tuple[str, ...]:
    """The lines of the table that a job of one step is made of."""
    return ("derive", job) if job.startswith("derive ") else (job,)
