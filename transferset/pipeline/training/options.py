"""The options by which a model is trained, checked, as the recipe has them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from transferset.distillation.examples.reading import LEAST
from transferset.errors import UsageError, sentence
from transferset.manifest import Json
from transferset.training.loop import Settings

ADADELTA: Final = "adadelta"
OPTIMIZERS: Final = ("adamw", "adam", ADADELTA)
SCHEDULES: Final = ("linear", "constant")

#: Most trainings of one command, as `--seeds`.
MOST_SEEDS: Final = 1000

#: Largest values of options that count something; the least is 1.
_MOST: Final = {
    "batch": 1 << 20,
    "batch_tokens": 1 << 30,
    "epochs": 100_000,
    "steps": 1 << 40,
    "evaluate_every": 1 << 40,
    "seeds": MOST_SEEDS,
}

_LENGTHS: Final = (LEAST, 1 << 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How a model is trained; names as on the command line.

    Attributes:
        batch: Rows of a step; or `batch_tokens`.
        batch_tokens: Most ids of a step, padding included.
        epochs: Times that each row is seen; or `steps`.
        steps: Of the whole training.
        length: Ids of a row, special ones included, at which it is cut.
        warmup: Share of the steps in which the rate rises.
        clip: Longest gradient; None is no limit.
        sparse: Whether the optimiser moves only the vectors of ids that a batch has.
        evaluate_every: Steps between measurements; None measures after each epoch.
        seeds: Trainings, with seed, seed + 1, …; the one of the median score is kept.
    """

    optimizer: str
    lr: float
    schedule: str
    warmup: float
    clip: float | None
    weight_decay: float
    beta1: float
    beta2: float
    eps: float
    rho: float
    sparse: bool
    batch: int | None
    batch_tokens: int | None
    epochs: int | None
    steps: int | None
    length: int
    evaluate_every: int | None
    seeds: int

    @classmethod
    def of(cls, given: Mapping[str, Any], defaults: Mapping[str, Any]) -> Training:
        """What the user states, and for the rest the defaults.

        Args:
            given: By name; None is not stated.
            defaults: By name.

        Raises:
            UsageError: A value is out of range, or two exclude each other.
        """
        stated = {name: value for name, value in given.items() if value is not None}
        for one, other in (("batch", "batch_tokens"), ("epochs", "steps")):
            if one in stated and other in stated:
                both = f"{option(one)} or {option(other)}"
                raise UsageError(sentence(both, "both"))
        merged = {**defaults, **stated}
        for one, other in (("batch_tokens", "batch"), ("steps", "epochs")):
            if one in stated:
                merged[other] = None
        names = {field.name for field in fields(cls)}
        return cls(**{name: merged.get(name) for name in names}).checked()  # type: ignore[arg-type]

    def checked(self) -> Training:
        """The same, if they are possible.

        Raises:
            UsageError: A value is out of range.
        """
        for name, most in _MOST.items():
            value = getattr(self, name)
            if value is not None and not 1 <= value <= most:
                raise _out_of_range(name, f"from 1 to {most:,}", value)
        least, longest = _LENGTHS
        if not least <= self.length <= longest:
            raise _out_of_range("length", f"from {least} to {longest:,}", self.length)
        if self.optimizer not in OPTIMIZERS:
            raise _out_of_range("optimizer", " or ".join(OPTIMIZERS), self.optimizer)
        if self.schedule not in SCHEDULES:
            raise _out_of_range("schedule", " or ".join(SCHEDULES), self.schedule)
        self._check_numbers()
        if self.sparse and self.optimizer == ADADELTA:
            do = "leave --sparse out, or take another --optimizer"
            raise UsageError(sentence("an optimizer for sparse gradients", ADADELTA, do=do))
        return self

    def _check_numbers(self) -> None:
        positive = {"lr": self.lr, "eps": self.eps}
        if self.clip is not None:
            positive["clip"] = self.clip
        for name, value in positive.items():
            if not 0 < value < math.inf:
                raise _out_of_range(name, "above 0", value)
        if not 0 <= self.weight_decay < math.inf:
            raise _out_of_range("weight_decay", "of at least 0", self.weight_decay)
        if not 0 <= self.warmup <= 1:
            raise _out_of_range("warmup", "from 0 to 1", self.warmup)
        for name in ("beta1", "beta2", "rho"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise _out_of_range(name, "from 0 to below 1", value)

    def settings(self) -> Settings:
        """What the loop has to know."""
        return Settings(
            schedule=self.schedule,  # type: ignore[arg-type]
            lr=self.lr,
            warmup=self.warmup,
            evaluate_every=self.evaluate_every,
        )

    def to_json(self) -> Json:
        """As recipe and record have them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def option(name: str) -> str:
    """A parameter as the command line calls it."""
    return f"--{name.replace('_', '-')}"


def _out_of_range(name: str, allowed: str, value: object) -> UsageError:
    return UsageError(sentence(f"{option(name)} {allowed}", str(value)))
