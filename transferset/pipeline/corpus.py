"""What a build is told of its corpus: inputs known and checked, and how they become rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import pyarrow as pa

from transferset.executor import Executor
from transferset.manifest import FileEntry, Json
from transferset.pipeline.options import BuildParams
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


class Corpus(Protocol):
    """A planned build; nothing has been written yet."""

    @property
    def name(self) -> str:
        """Name of the set, for people."""

    @property
    def op(self) -> str:
        """The command: `build wiki`, `build books`, `build text`."""

    @property
    def params(self) -> BuildParams:
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
    def inputs(self) -> str:
        """Names of what is read, for messages."""

    def read(self, run: Run) -> list[Json]:
        """Turn the inputs into spilled rows and documents.

        Returns:
            A result for each task of the stage `READ`, in source order, with `pages`, `rows`,
            `tokens`, `ledger`, `statistics` and `engine`.
        """

    def origins(self, read: Sequence[Json]) -> list[Json]:
        """Sources as they stand in the manifest, after reading."""

    def statistics(self, read: Sequence[Json]) -> list[Json]:
        """Statistics by source code."""

    def tables(self, root: Path, read: Sequence[Json]) -> list[FileEntry]:
        """Write what else the set holds besides rows and documents."""

    def ledger(self, read: Sequence[Json]) -> dict[str, int]:
        """What was dropped before or beside the tasks of `READ`, by reason."""
