"""One progress bar, in the driver, on a terminal only."""

from __future__ import annotations

from types import TracebackType
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from transferset.errors import printable

_VERBS: Final = {
    "read": "reading",
    "order": "writing",
    "survey": "surveying",
    "fit": "fitting",
    "count": "counting",
    "mix": "choosing",
    "write": "writing",
    "rows": "writing",
    "join": "joining",
    "measure": "measuring",
    "compare": "comparing",
    "pieces": "spelling",
    "train": "training",
    "attempts": "sampling",
}


class Bar:
    """Draws the stages of a build on standard error: share done, rows/s, time left.

    Silent when standard error is not a terminal. It is a `stage.Progress`.
    """

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None
        self._downloads: dict[str, TaskID] = {}
        self._rows = 0
        self._counted = "rows"
        #: What earlier runs had done, in words.
        self.earlier: list[str] = []

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def download(self, name: str, received: int, total: int | None) -> None:
        """Bytes of a download that are here, of all if known; called from several threads."""
        task = self._downloads.get(name)
        if task is None:
            task = self._downloads[name] = self._bar.add_task(printable(name), rate="")
        self._bar.update(task, completed=received, total=total, rate=f"{received / 1e6:,.0f} MB")

    def start(self, stage: str, total: int, unit: str) -> None:
        """A stage begins: `total` units of work; only of pieces the rate is told, else of rows."""
        self._rows = 0
        self._counted = "pieces" if unit == "pieces" else "rows"
        self._task = self._bar.add_task(
            _VERBS.get(stage.partition("-")[0], stage), total=total, rate=""
        )

    def advance(self, amount: int, rows: int) -> None:
        """A task ended: units of work, and rows (where a model writes: pieces) it gave."""
        if self._task is None:
            return
        self._rows += rows
        elapsed = self._bar.tasks[self._task].elapsed or 0.0
        rate = f"{self._rows / elapsed:,.0f} {self._counted}/s" if elapsed > 0 else ""
        self._bar.update(self._task, advance=amount, rate=rate)

    def resumed(self, what: str) -> None:
        """Work of an earlier run is taken; it is told when all is done."""
        self.earlier.append(what)
