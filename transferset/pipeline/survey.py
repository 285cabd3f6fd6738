"""Surveys: two-phase steps see all rows, range by range, before they act on the first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from transferset.files import HashingFile
from transferset.holding import RUN
from transferset.ledger import Ledger
from transferset.manifest import Json
from transferset.pipeline.chain import Chain
from transferset.pipeline.setting import setting_of
from transferset.shards import ShardSet
from transferset.stage import Done, Output
from transferset.steps import Step
from transferset.storage.mounts import present
from transferset.transforms import Survey, implement


@dataclass(frozen=True, slots=True)
class SurveyContext:
    """What all tasks of one survey share.

    Attributes:
        chain: The rows that are looked at.
        stage: Name of the stage; its folder holds what is found.
        step: The step that looks; None only counts rows and tokens.
        ordinal: The step's place in the recipe.
        model: What the rounds before have found; None in the first.
    """

    chain: Chain
    stage: str
    step: Step | None
    ordinal: int
    model: Json | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What all ranges found: a `transforms.Surveyed`."""

    rows: int
    tokens: int
    bounds: Sequence[int]
    spills: tuple[Path, ...] = ()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Everything that was written down, in order."""
        for path in self.spills:
            with pa.OSFile(str(present(path))) as source:
                reader = pa.ipc.open_stream(source)
                yield from reader


def survey_range(root: Path, context: SurveyContext, task: Json) -> Done:
    """Look at the rows of one range.

    Args:
        root: The directory of the set that is made.
        context: Shared configuration.
        task: `start`, `stop` and `ordinal` of the range.

    Returns:
        What was written down, as output; rows, tokens and ledger as result.
    """
    ledger = Ledger()
    survey = _new_survey(context)
    counts = {"rows": 0, "tokens": 0}
    sink = _Sink(spill_path(root, context.stage, task["ordinal"]))
    with sink:
        for batch in context.chain.batches(task["start"], task["stop"], ledger):
            counts["rows"] += batch.num_rows
            counts["tokens"] += len(batch.column("input_ids").flatten())
            if survey is not None:
                sink.write(survey.add(batch))
        if survey is not None:
            sink.write(survey.finish())
        outputs = sink.commit(root)
    return Done(outputs, {**counts, "ledger": {str(k): v for k, v in ledger.items()}})


def _new_survey(context: SurveyContext) -> Survey | None:
    if context.step is None:
        return None
    chain, at = context.chain, context.chain.position(context.ordinal)
    setting = setting_of(ShardSet.open(chain.src), [context.step], keep_label=chain.keep_label)
    made = implement(context.step, setting)
    survey: Survey | None = (
        made.survey(at)
        if context.model is None
        else made.survey_round(context.model, at, chain.folder(context.ordinal))
    )
    return survey


def spill_path(root: Path, stage: str, ordinal: int) -> Path:
    """Where a range's findings are."""
    return root / RUN / stage / f"{ordinal:05d}.arrow"


class _Sink:
    """A stream of record batches whose schema the first batch gives."""

    def __init__(self, path: Path) -> None:
        self._file = HashingFile(path)
        self._writer: pa.ipc.RecordBatchStreamWriter | None = None

    def __enter__(self) -> _Sink:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.__exit__(None, None, None)

    def write(self, batch: pa.RecordBatch | None) -> None:
        """Append a batch."""
        if batch is None:
            return
        if self._writer is None:
            self._writer = pa.ipc.new_stream(self._file, batch.schema)
        self._writer.write_batch(batch)

    def commit(self, root: Path) -> list[Output]:
        """Finish the file; nothing written is no file."""
        if self._writer is None:
            return []
        self._writer.close()
        digest = self._file.commit()
        path = self._file.path
        return [Output(str(path.relative_to(root)), self._file.size, digest)]
