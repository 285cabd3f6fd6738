"""The chain of a derivation: rows of SRC, or generated ones, through one step after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from transferset.errors import SetError, sentence
from transferset.holding import RUN
from transferset.ledger import Ledger
from transferset.manifest import Json
from transferset.pipeline.setting import setting_of
from transferset.reading import read_rows
from transferset.schema import BATCH_ROWS
from transferset.shards import ShardSet
from transferset.steps import Generate, Step
from transferset.transforms import Position, implement
from transferset.transforms.buffers import addressed

#: Told of every batch: the step's ordinal (−1: the source) and the rows after it.
Watch = Callable[[int, pa.RecordBatch], None]

_SOURCE: Final = -1


@dataclass(frozen=True, slots=True)
class Chain:
    """A derivation as a worker sees it: picklable, small.

    Attributes:
        src: Directory of SRC.
        digest: Digest of SRC's manifest: what is read must be what was planned.
        root: Directory of the set that is made; models lie below it.
        steps: All steps.
        seed: The user's seed.
        models: Model of each step, as far as they are concluded; None for local steps.
        columns: Columns of SRC that are read.
        first: Ordinal of the first step, see `generations.first_ordinal`.
        keep_label: Rows that are changed keep their label.
    """

    src: Path
    digest: str
    root: Path
    steps: tuple[Step, ...]
    seed: int
    models: tuple[Json | None, ...]
    columns: tuple[str, ...]
    first: int = 0
    keep_label: bool = False

    @property
    def origin(self) -> int:
        """Ordinal of the concluded step whose rows are made, not changed; −1 is SRC."""
        made = [i for i in range(len(self.models)) if isinstance(self.steps[i], Generate)]
        return made[-1] if made else _SOURCE

    def rows(self, total: int) -> int:
        """Rows at the origin, where SRC has `total`."""
        model = self.models[self.origin] if self.origin >= 0 else None
        return total if model is None else int(model["rows"])

    @property
    def intact(self) -> bool:
        """Rows after the concluded steps are those of the origin: row i has address (i, 0)."""
        return all(s.keeps_rows for s in self.steps[self.origin + 1 : len(self.models)])

    def position(self, step: int) -> Position:
        """What a step's random numbers are addressed by."""
        return Position(self.seed, self.first + step)

    def folder(self, step: int) -> Path:
        """Where the files of a step's model are."""
        return self.root / RUN / f"model-{step:02d}"

    def batches(
        self, start: int, stop: int, ledger: Ledger, watch: Watch | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Rows with addresses from `start` to `stop` after all concluded steps.

        Args:
            start: First `parent_row`.
            stop: The one after the last.
            ledger: Where dropped rows are counted.
            watch: Told of every batch after every step.

        Yields:
            Batches with at least one row each, in ascending order of addresses.
        """
        found = self._open()
        setting = setting_of(found, self.steps, keep_label=self.keep_label)
        flow = _watched(self._source(found, setting, start, stop), self.origin, watch)
        for i in range(self.origin + 1, len(self.models)):
            made = implement(self.steps[i], setting)
            model = self.models[i]
            if model is not None:
                made = made.fitted(model, self.folder(i))
            flow = _watched(_through(flow, made, self.position(i), ledger), i, watch)
        return flow

    def _open(self) -> ShardSet:
        found = ShardSet.open(self.src)
        if found.manifest.digest != self.digest:
            expected, do = "the set that was planned with", "run the command again"
            raise SetError(sentence(expected, "another one", str(self.src), do))
        return found

    def _source(
        self, found: ShardSet, setting: Any, start: int, stop: int
    ) -> Iterator[pa.RecordBatch]:
        if self.origin == _SOURCE:
            for row, batch in read_rows(found, start, stop, self.columns):
                yield addressed(batch, row)
            return
        at = self.position(self.origin)
        model = self.models[self.origin]
        made = implement(self.steps[self.origin], setting).fitted(model, self.folder(self.origin))
        for row in range(start, stop, BATCH_ROWS):
            yield made.make(row, min(row + BATCH_ROWS, stop), at)


def _through(
    flow: Iterator[pa.RecordBatch], made: Any, at: Position, ledger: Ledger
) -> Iterator[pa.RecordBatch]:
    cut = getattr(made, "cut", None)  # steps whose output is much larger than what comes in
    for batch in flow:
        for part in cut(batch) if cut is not None else (batch,):
            result = made.apply(part, at, ledger)
            if result.num_rows:
                yield result
    finish = getattr(made, "finish", None)  # steps that hold rows back, as packing does
    last = finish(at, ledger) if finish is not None else None
    if last is not None and last.num_rows:
        yield last


def _watched(
    flow: Iterator[pa.RecordBatch], step: int, watch: Watch | None
) -> Iterator[pa.RecordBatch]:
    for batch in flow:
        if watch is not None:
            watch(step, batch)
        yield batch
