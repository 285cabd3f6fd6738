"""What a build is told of its corpus: inputs known and checked, and how they become rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import pyarrow as pa

from transferset.executor import Executor
from transferset.ledger import Ledger
from transferset.manifest import FileEntry, Json
from transferset.pipeline.rows import merge_statistics
from transferset.stage import Done, Progress, run_stage
from transferset.tokens import WordPiece

#: The stage whose tasks spill rows, in every build.
READ: Final = "read"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a build: where, of what recipe, on which workers."""

    root: Path
    recipe: str
    executor: Executor
    progress: Progress

    def stage(
        self,
        name: str,
        function: Callable[[Path, Any, Json], Done],
        tasks: Sequence[Json],
        context: object,
        weight: str,
    ) -> list[Json]:
        """See `stage.run_stage`."""
        return run_stage(
            name,
            function,
            tasks,
            root=self.root,
            recipe=self.recipe,
            context=context,
            executor=self.executor,
            progress=self.progress,
            weight=weight,
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of the inputs.

    Attributes:
        results: Of each task of the stage `READ`, in source order, with `pages`, `rows`, `tokens`,
            `ledger`, `statistics` and `engine`.
        sources: As they stand in the manifest.
        statistics: By source code.
        ledger: What was dropped before or beside those tasks.
        tables: Further JSON files of the set, by name.
        reason: Why the first document was dropped, if that is known.
        spent: Files below `_run/` that nobody needs once the set is committed.
        files: Further files of the set that are written already.
        data_bytes: Bytes of columns that `build` cannot tell from the counts of rows and tokens.
        content_tokens: Ids that are no special pieces; None: two of each row are.
        code: What else made the rows, and in which version.
        parents: Sets that rows come from, as they stand in the manifest.
    """

    results: list[Json]
    sources: list[Json]
    statistics: list[Json]
    ledger: Ledger = field(default_factory=Ledger)
    tables: Mapping[str, Json] = field(default_factory=dict)
    reason: str = ""
    spent: Sequence[Path] = ()
    files: Sequence[FileEntry] = ()
    data_bytes: int = 0
    content_tokens: int | None = None
    code: Mapping[str, str] = field(default_factory=dict)
    parents: Sequence[Json] = ()


def statistics_of(results: Sequence[Json], codes: Sequence[int]) -> list[Json]:
    """Statistics by source.

    Args:
        results: Of the tasks of `READ`.
        codes: The source code of each.

    Returns:
        One entry a source, in order.
    """
    found = []
    for code in sorted(set(codes)):
        mine = [result for result, of in zip(results, codes, strict=True) if of == code]
        pages = sum(result["pages"] for result in mine)
        merged = merge_statistics([result["statistics"] for result in mine])
        found.append({"source": code, "pages": pages, **merged})
    return found


class Params(Protocol):
    """The options of a build that determine bytes."""

    @property
    def keep_text(self) -> bool:
        """Whether rows have their text."""

    @property
    def shuffle(self) -> bool:
        """Whether rows are brought into a random order."""

    @property
    def shards(self) -> int | None:
        """Number of shards, or None."""

    def to_json(self) -> Json:
        """The parameters as they stand in recipe and manifest."""


class Corpus(Protocol):
    """A planned build; nothing has been written yet."""

    @property
    def name(self) -> str:
        """Name of the set, for people."""

    @property
    def op(self) -> str:
        """The command: `build wiki`, `build books`, `build text`, `build task`."""

    @property
    def params(self) -> Params:
        """Options that determine bytes."""

    @property
    def seed(self) -> int:
        """Of the shuffle."""

    @property
    def preset(self) -> Json | None:
        """Name and deviations of a preset, for the manifest."""

    @property
    def tokenizer(self) -> WordPiece:
        """Loaded tokenizer."""

    @property
    def recipe(self) -> Json:
        """Everything that determines the bytes of the set."""

    @property
    def schema(self) -> pa.Schema:
        """The schema of the set."""

    @property
    def names(self) -> Mapping[str, Sequence[str]]:
        """Names of the codes in columns."""

    @property
    def inputs(self) -> str:
        """Names of what is read, for messages."""

    def read(self, run: Run) -> Reading:
        """Turn the inputs into spilled rows and documents."""
