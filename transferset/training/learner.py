"""What the loop of a training asks of what is trained, and what it keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from transferset.manifest import Json
from transferset.training.batches import Batch
from transferset.training.optimizer import Optimizer

if TYPE_CHECKING:
    from torch.nn import Module


class Learnt(NamedTuple):
    """What a step did.

    Attributes:
        loss: Mean over what it counts; the weighted sum of the losses if there are several.
        over: How many it is the mean over: its weight in the log.
        tokens: Ids of the batch, padding not counted: what `Batches` was told of them.
        parts: Mean of each loss; nan where nothing counts.
        at_once: See `learning.Taken`.
        short: See `learning.Taken`.
        counts: What each of the parts is the mean over, where it is not `over`.
    """

    loss: float
    over: int
    tokens: int
    parts: Mapping[str, float]
    at_once: int
    short: str = ""
    counts: Mapping[str, int] = MappingProxyType({})


class Measured(NamedTuple):
    """What a model makes of held-out examples.

    Attributes:
        values: To be told, by name.
        score: The weights of the highest one are kept; nan is never the highest.
    """

    values: Mapping[str, float]
    score: float


class Learner(Protocol):
    """What is trained, and how one step of it goes."""

    @property
    def module(self) -> Module:
        """What is trained."""

    @property
    def optimizer(self) -> Optimizer:
        """Of its parameters."""

    def learn(self, batch: Batch, at_once: int, rate: float, step: int) -> Learnt:
        """Make a step; see `learning.learn`."""

    def measure(self) -> Measured | None:
        """Measure the weights, the module being in evaluation; None if nothing is held out."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a training goes.

    Attributes:
        lr: Full learning rate.
        schedule: Of the rate; see `schedule`.
        warmup: Share of the steps in which the rate rises, 0 to 1.
        evaluate_every: Steps between measurements, the last one at the end; None is after epochs.
        evaluate_first: Whether the weights to begin with are measured too; they are never kept.
        unit: What `Learnt.tokens` counts.
    """

    lr: float
    schedule: Literal["linear", "constant"] = "linear"
    warmup: float = 0.0
    evaluate_every: int | None = None
    evaluate_first: bool = False
    unit: str = "tokens"


@dataclass(slots=True)
class State:
    """Where a training is; JSON in a checkpoint.

    Attributes:
        step: Steps done.
        tokens: Seen so far, in the unit of the settings.
        at_once: What goes through the model at a time; less than a batch if memory is short.
        loss: Sum since the last line of the log, over `since`.
        since: Of `Learnt.over`.
        parts: Sum of each loss since that line, and what it is over.
        log_bytes: Of the log.
        seconds: Of work.
        threads: Of torch: sums are rounded otherwise with another number.
        evaluations: Step and values; a value that is not finite is None.
        best: Of the evaluations, the one whose weights are kept.
        score: Of the best.
    """

    step: int = 0
    tokens: int = 0
    at_once: int = 0
    loss: float = 0.0
    since: int = 0
    parts: dict[str, list[float]] = field(default_factory=dict)
    log_bytes: int = 0
    seconds: float = 0.0
    threads: int = 1
    evaluations: list[Json] = field(default_factory=list)
    best: Json | None = None
    score: float | None = None
