"""The options of `evaluate`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from transferset.distillation.examples.reading import LEAST
from transferset.errors import UsageError, sentence
from transferset.manifest import Json
from transferset.pipeline.options import check_device, check_seed

#: Of all intervals.
LEVEL: Final = 0.95

#: Least and most of each number; fewer resamples have no interval of that level.
_RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "length": (LEAST, 1 << 20),
    "mistakes": (0, 10_000),
    "resamples": (39, 1 << 20),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateParams:
    """What determines the figures, beside models and sets.

    Attributes:
        mlm: The model is a masked language model; else a classifier or a model of scores.
        device: As torch names it; None is the processor.
        length: Most ids of a row that is read; None is what each model has positions for.
        mistakes: How many rows are told of the surest mistakes, and of the least sure.
        resamples: Of each interval.
        seed: Of resamples and masks.
    """

    mlm: bool = False
    device: str | None = None
    length: int | None = None
    mistakes: int = 10
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise UsageError(sentence(f"--{name} from {least} to {most:,}", f"{value:,}"))
        check_seed(self.seed)
        check_device(self.device)

    def to_json(self) -> Json:
        """As the result has them."""
        return {
            "mlm": self.mlm,
            "device": self.device or "cpu",
            "length": self.length,
            "mistakes": self.mistakes,
            "resamples": self.resamples,
            "level": LEVEL,
            "seed": self.seed,
        }
