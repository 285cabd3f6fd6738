"""The options of `label` that determine bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import pyarrow as pa

from transferset.distillation.examples.reading import LEAST
from transferset.errors import UsageError, sentence
from transferset.manifest import Json
from transferset.pipeline.options import MOST_SHARDS

#: Columns that `--mlm` adds to rows, and those that other labels are.
MASKED: Final = ("labels", "top_ids", "top_logits", "tail")
LOGITS: Final = "logits"

#: What the kinds of teachers are called in a manifest.
CLASSIFIER: Final = "classifier"
MASKED_LM: Final = "masked"

_NUMBERS: Final = {"float32": pa.float32(), "float16": pa.float16()}

#: Defaults of what only `--mlm` takes: as many logits as keep KL within a thousandth, T of
#: DistilBERT (Sanh et al. 2019).
_MASKED: Final[Mapping[str, Any]] = {"top_k": 64, "copies": 1, "temperature": 2.0}

#: Padded ids that go through a teacher at once. On a processor small batches of like lengths are
#: fastest, on other devices large ones.
USUAL_BATCH: Final = {"cpu": 1024, "other": 1 << 16}

#: Least and most of each number.
_RANGES: Final = {
    "top_k": (1, 1 << 16),
    "copies": (1, 1 << 16),
    "length": (LEAST, 1 << 20),
    "batch_tokens": (1, 1 << 30),
    "shards": (1, MOST_SHARDS),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelParams:
    """The options of `label`; names as on the command line.

    Attributes:
        mlm: The teacher is a masked language model; else it says something of whole rows.
        top_k: Highest logits that are kept of a masked position.
        copies: Masked copies of each row.
        temperature: By which logits are divided in the sum over the others.
        dtype: Of logits: `float32` or `float16`.
        task: Which of several heads is asked, by name.
        length: Most ids of a row that a teacher reads; None is what it has positions for.
        batch_tokens: Padded ids that go through a teacher at once; changes the rounding of sums.
        replace: Logits that are there already are replaced.
        shards: Number of shards, or None.
    """

    mlm: bool = False
    top_k: int | None = None
    copies: int | None = None
    temperature: float | None = None
    dtype: str | None = None
    task: str | None = None
    length: int | None = None
    batch_tokens: int | None = None
    replace: bool = False
    shards: int | None = None

    def checked(self, device: str | None) -> LabelParams:
        """The parameters, with defaults in the place of None.

        Args:
            device: Where the teacher runs, as torch names it.

        Raises:
            UsageError: A value is out of range, or belongs to the other kind of teacher.
        """
        foreign = ("dtype", "task", "replace") if self.mlm else tuple(_MASKED)
        for name in foreign:
            if getattr(self, name) not in (None, False):
                both = (f"{_option(name)} without --mlm", "it with --mlm")
                one = (f"{_option(name)} with --mlm", "it without")
                raise UsageError(sentence(*(both if self.mlm else one)))
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                expected = f"{_option(name)} from {least} to {most:,}"
                raise UsageError(sentence(expected, f"{value:,}"))
        if self.temperature is not None and not 0 < self.temperature < math.inf:
            raise UsageError(sentence("--temperature above 0", str(self.temperature)))
        if self.dtype is not None and self.dtype not in _NUMBERS:
            raise UsageError(sentence(f"--dtype {' or '.join(_NUMBERS)}", self.dtype))
        batch = USUAL_BATCH["cpu" if device in (None, "cpu") else "other"]
        usual = {**(_MASKED if self.mlm else {"dtype": "float32"}), "batch_tokens": batch}
        missing = {name: value for name, value in usual.items() if getattr(self, name) is None}
        return replace(self, **missing)

    @property
    def number(self) -> pa.DataType:
        """The type of a logit of a whole row."""
        return _NUMBERS[self.dtype or "float32"]

    @property
    def multiple(self) -> int:
        """Rows that come of one."""
        return self.copies or 1

    def to_json(self) -> Json:
        """The parameters as they stand in recipe and manifest."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
