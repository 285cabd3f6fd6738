"""Progress while tasks sample: told from their journals, for one task may take minutes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

from transferset.manifest import Json
from transferset.pipeline.lm_sample.attempts import journal_path
from transferset.pipeline.lm_sample.journal import tally
from transferset.pipeline.order import spill_path
from transferset.stage import Progress, Quiet

_SECONDS: Final = 1.0


class Pulse(Quiet):
    """Tells of attempts and pieces as they come, in the place of tasks as they end.

    It is the `Progress` of the stage, which tells it when a task is done.
    """

    def __init__(self, root: Path, stage: str, tasks: Sequence[Json], progress: Progress) -> None:
        """Watch the tasks of a stage."""
        self._root, self._stage, self._tasks = root, stage, tasks
        self._progress = progress
        self._told = (0, 0)
        self._seen: dict[int, tuple[int, int]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Pulse:
        self._progress.start("attempts", sum(task["rows"] for task in self._tasks), "pieces")
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        if kind is None:
            self._tell()

    def _watch(self) -> None:
        while not self._stop.wait(_SECONDS):
            self._tell()

    def _tell(self) -> None:
        rows = pieces = 0
        for task in self._tasks:
            some, of = self._of(task)
            rows, pieces = rows + some, pieces + of
        more = (max(0, rows - self._told[0]), max(0, pieces - self._told[1]))
        self._told = (self._told[0] + more[0], self._told[1] + more[1])
        self._progress.advance(*more)

    def _of(self, task: Json) -> tuple[int, int]:
        """Rows and pieces of a task so far; a task that is done has no journal any more."""
        ordinal = task["ordinal"]
        found = tally(journal_path(self._root, self._stage, ordinal))
        if not found[0] and spill_path(self._root, self._stage, ordinal).exists():
            found = (task["rows"], self._seen.get(ordinal, (0, 0))[1])
        self._seen[ordinal] = max(found, self._seen.get(ordinal, (0, 0)))
        return self._seen[ordinal]
