"""What transformers' Trainer has to be told of a set's rows."""

from __future__ import annotations

from typing import Any, Final

from transformers import TrainerCallback

from transferset.feeds.torch_loader import Loader
from transferset.feeds.torch_rows import ShardDataset

#: What a sum of shares of an epoch may lack of a whole one.
_ROUNDING: Final = 1e-6


class Epochs(TrainerCallback):  # type: ignore[misc]
    """Tells the epoch to the rows, so that dynamic masks are those of the epoch.

    The loaders of accelerate do so themselves, but not where several processes share an epoch, nor
    in the epoch that a checkpoint is resumed in.
    """

    def __init__(self, rows: ShardDataset | Loader) -> None:
        """Take what the trainer trains on; a loader needs it to be resumed."""
        self._rows = rows

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        """Before an epoch's first batch is read."""
        self._rows.set_epoch(int((state.epoch or 0) + _ROUNDING))
