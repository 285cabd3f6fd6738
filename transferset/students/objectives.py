"""Weighted sums of losses, exact however a batch is parted.

Each loss is a mean of its own: over all rows, over labelled rows, over masked positions or over
tokens. Parts of a batch therefore give sums, and what they are divided by is counted over the whole
batch. Losses of weight 0 are not computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor

from transferset.errors import UsageError, sentence
from transferset.students.losses import (
    DIRECTIONS,
    FORWARD,
    Top,
    cosine_distance,
    cross_entropy,
    divergence,
    hard,
    labelled,
    squared_error,
    top_divergence,
)


class Part(NamedTuple):
    """One loss of some rows.

    Attributes:
        total: Sum over what it counts, a tensor of one number.
        over: How many that are.
    """

    total: Tensor
    over: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskObjective:
    """Losses of a task's rows.

    Attributes:
        mse: Weight of the squared error of logits, mean over rows.
        soft: Weight of T² · KL, mean over rows.
        hard: Weight of the loss with gold labels, mean over labelled rows.
        temperature: T of the soft loss.
        direction: Of the KL.
    """

    mse: float = 1.0
    soft: float = 0.0
    hard: float = 0.0
    temperature: float = 1.0
    direction: str = FORWARD

    def __post_init__(self) -> None:
        _check(self.weights, self.temperature, self.direction)

    @property
    def weights(self) -> dict[str, float]:
        """By name of the loss."""
        return {"mse": self.mse, "soft": self.soft, "hard": self.hard}

    def parts(
        self, student: Tensor, teacher: Tensor | None, labels: Tensor | None
    ) -> dict[str, Part]:
        """The losses whose weight is not 0.

        Args:
            student: float[rows, C], logits.
            teacher: float[rows, C], logits; needed by `mse` and `soft`.
            labels: See `losses.hard`; needed by `hard`.

        Raises:
            UsageError: Something needed is missing, or a score is to be softened.
        """
        found = {}
        if self.mse:
            found["mse"] = _part(squared_error(student, _needed(teacher, "the teacher's logits")))
        if self.soft:
            if student.shape[1] == 1:
                # a softmax over one output says 1, whatever the score
                do = "take the squared error"
                raise UsageError(sentence("classes for a soft loss", "a score", do=do))
            wanted = _needed(teacher, "the teacher's logits")
            given = divergence(student, wanted, self.temperature, self.direction)
            found["soft"] = _part(given)
        if self.hard:
            found["hard"] = _part(hard(student, _needed(labels, "labels")))
        return found

    def counts(self, rows: int, labels: Tensor | None) -> dict[str, int]:
        """What a whole batch's means are taken over, for `combined`."""
        known = 0 if labels is None else int(labelled(labels).sum())
        return {"mse": rows, "soft": rows, "hard": known}


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedObjective:
    """The triple loss of DistilBERT (Sanh et al. 2019, § 3; weights of van de Graaf 2021, § 4.3).

    Attributes:
        hard: Weight of the cross-entropy with the pieces that were masked, mean over them.
        soft: Weight of T² · KL, mean over the positions that it is given: here the masked ones, so
            that no other goes through a head; Sanh et al.'s code can take all.
        cosine: Weight of 1 − cos of last hidden states, mean over the tokens that it is given: all
            but padding, as in that code.
        temperature: T of the soft loss.
        direction: Of the KL.
    """

    hard: float = 1 / 3
    soft: float = 1 / 3
    cosine: float = 1 / 3
    temperature: float = 2.0
    direction: str = FORWARD

    def __post_init__(self) -> None:
        _check(self.weights, self.temperature, self.direction)

    @property
    def weights(self) -> dict[str, float]:
        """By name of the loss."""
        return {"hard": self.hard, "soft": self.soft, "cosine": self.cosine}

    def parts(
        self,
        student: Tensor | None,
        targets: Tensor | None,
        teacher: Tensor | Top | None,
        hidden: tuple[Tensor, Tensor] | None = None,
    ) -> dict[str, Part]:
        """The losses whose weight is not 0.

        Args:
            student: float[masked, V], logits at masked positions.
            targets: int64[masked], the pieces that stood there.
            teacher: float[masked, V], logits there, or the highest of them.
            hidden: Last hidden states of student and teacher, each float[tokens, H].

        Raises:
            UsageError: Something needed is missing, or the tail is of another temperature.
        """
        found = {}
        if self.hard:
            logits = _needed(student, "the student's logits")
            found["hard"] = _part(cross_entropy(logits, _needed(targets, "masked pieces")))
        if self.soft:
            logits = _needed(student, "the student's logits")
            found["soft"] = _part(self._soft(logits, _needed(teacher, "the teacher's logits")))
        if self.cosine:
            found["cosine"] = _part(cosine_distance(*_needed(hidden, "hidden states")))
        return found

    def counts(self, masked: int, tokens: int) -> dict[str, int]:
        """What a whole batch's means are taken over, for `combined`."""
        return {"hard": masked, "soft": masked, "cosine": tokens}

    def _soft(self, student: Tensor, teacher: Tensor | Top) -> Tensor:
        if not isinstance(teacher, Top):
            return divergence(student, teacher, self.temperature, self.direction)
        if teacher.temperature != self.temperature:
            expected = f"logits labelled at temperature {self.temperature:g}"
            do = "label the set again, or train at that temperature"
            raise UsageError(sentence(expected, f"{teacher.temperature:g}", do=do))
        return top_divergence(student, teacher, self.direction)


def combined(
    parts: Mapping[str, Part],
    weights: Mapping[str, float],
    counts: Mapping[str, int] | None = None,
) -> Tensor:
    """The weighted sum of means.

    Args:
        parts: Of some rows.
        weights: By name of the loss.
        counts: Of the whole batch, of which these rows are a part; the sum over all parts is then
            the loss of the batch. None if they are the batch. A loss that counts nothing is 0.

    Returns:
        A tensor of one number, with gradients.

    Raises:
        UsageError: All weights are 0.
    """
    terms = []
    for name, part in parts.items():
        count = part.over if counts is None else counts[name]
        terms.append(part.total * (weights[name] / max(count, 1)))
    if not terms:
        raise UsageError(sentence("a loss with a weight", "none"))
    total: Tensor = sum(terms[1:], terms[0])
    return total


def _part(losses: Tensor) -> Part:
    return Part(losses.sum(), len(losses))


def _needed(value: Any, name: str) -> Any:
    if value is None:
        raise UsageError(sentence(f"{name} for a loss that has a weight", "none"))
    return value


def _check(weights: Mapping[str, float], temperature: float, direction: str) -> None:
    right = all(0 <= weight < float("inf") for weight in weights.values())
    if not right or not any(weights.values()):
        raise UsageError(sentence("weights of losses from 0, one above", str(dict(weights))))
    if not 0 < temperature < float("inf"):
        raise UsageError(sentence("a temperature above 0", str(temperature)))
    if direction not in DIRECTIONS:
        raise UsageError(sentence(" or ".join(DIRECTIONS), direction))
