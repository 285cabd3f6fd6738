"""When a training stops to write a checkpoint."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

#: Least share of the time between checkpoints to the time that writing one takes.
_WORTH: Final = 20


@dataclass(slots=True)
class Clock:
    """Tells when a checkpoint is due, and how long a training took over all of its runs.

    Attributes:
        every: Seconds of work between checkpoints; more where writing one takes long.
        before: Seconds of the runs before this one.
    """

    every: float
    before: float = 0.0
    _began: float = field(default_factory=time.monotonic)
    _last: float = field(default_factory=time.monotonic)
    _took: float = 0.0

    @property
    def seconds(self) -> float:
        """Of all runs, this one included."""
        return self.before + time.monotonic() - self._began

    def due(self) -> bool:
        """Whether a checkpoint is worth its time now."""
        return time.monotonic() - self._last >= max(self.every, _WORTH * self._took)

    def start(self) -> float:
        """A checkpoint begins; give what it returns to `wrote`."""
        return time.monotonic()

    def wrote(self, began: float) -> None:
        """It is written."""
        self._last = time.monotonic()
        self._took = self._last - began
