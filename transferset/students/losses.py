"""What a student loses on each row or token, before means and weights (see `objectives`).

All sums are in float32, whatever the logits came in.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

#: Directions of KL(p‖q) = Σ p·log(p/q). Sanh et al.'s code computes KL(teacher‖student), which is
#: Hinton et al.'s cross-entropy but for a constant; eq. 4.1 of van de Graaf 2021 has the other.
FORWARD, REVERSE = DIRECTIONS = ("teacher‖student", "student‖teacher")

#: The label of a row without a class; a row without a score has NaN.
UNLABELLED: Final = -100

#: Stands for log 0 where an infinity would make 0·∞.
_NOTHING: Final = torch.finfo(torch.float32).min


class Top(NamedTuple):
    """A teacher's k highest logits at each position; the others are one bucket more.

    Attributes:
        ids: int64[n, k], different within a position.
        logits: float[n, k], theirs, not divided by the temperature.
        tail: float[n], log Σ exp(z/T) over all other ids; −∞ if there are none.
        temperature: T of the tail.
    """

    ids: Tensor
    logits: Tensor
    tail: Tensor
    temperature: float


def squared_error(student: Tensor, teacher: Tensor) -> Tensor:
    """Squared differences of logits, their mean over the outputs.

    Liu 2020, eq. 3.4, is the sum over them, C times as much; the code of Tang et al. 2019 takes the
    mean, and so do we.

    Args:
        student: float[n, C].
        teacher: float[n, C].

    Returns:
        float32[n]
    """
    return (student.float() - teacher.float()).square().mean(1)


def divergence(
    student: Tensor, teacher: Tensor, temperature: float, direction: str = FORWARD
) -> Tensor:
    """T² · KL between softmaxes at a temperature (Hinton et al. 2015, § 2).

    T² keeps the length of gradients about what it is at T = 1.

    Args:
        student: float[n, C], logits.
        teacher: float[n, C], logits.
        temperature: T > 0, divides both.
        direction: Out of `DIRECTIONS`.

    Returns:
        float32[n], the sum over C.
    """
    q = functional.log_softmax(student.float() / temperature, 1)
    p = functional.log_softmax(teacher.float() / temperature, 1)
    return temperature**2 * _kl(p, q, direction)


def top_divergence(student: Tensor, teacher: Top, direction: str = FORWARD) -> Tensor:
    """T² · KL over the teacher's k ids and one bucket of all others.

    Both distributions sum to 1 over these k + 1. With k = V this is `divergence`; with less it is
    at most that, for joining outcomes never raises a KL (the data processing inequality).

    Args:
        student: float[n, V], logits.
        teacher: Its k highest, with their temperature.
        direction: Out of `DIRECTIONS`.

    Returns:
        float32[n]
    """
    scaled = student.float() / teacher.temperature
    whole = scaled.logsumexp(1, keepdim=True)
    # 1 − Σ top would cancel where the tail is small
    others = scaled.scatter(1, teacher.ids, _NOTHING).logsumexp(1, keepdim=True)
    q = torch.cat([scaled.gather(1, teacher.ids), others], 1) - whole
    given = torch.cat([teacher.logits.float() / teacher.temperature, teacher.tail[:, None]], 1)
    p = functional.log_softmax(given.float(), 1)
    return teacher.temperature**2 * _kl(p.clamp_min(_NOTHING), q.clamp_min(_NOTHING), direction)


def _kl(teacher: Tensor, student: Tensor, direction: str) -> Tensor:
    p, q = (teacher, student) if direction == FORWARD else (student, teacher)
    found: Tensor = (p.exp() * (p - q)).sum(1)
    return found


def cross_entropy(student: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy with given classes or pieces.

    Args:
        student: float[n, C], logits.
        labels: int64[n].

    Returns:
        float32[n]
    """
    found: Tensor = functional.cross_entropy(student.float(), labels, reduction="none")
    return found


def hard(student: Tensor, labels: Tensor) -> Tensor:
    """Loss with gold labels, on labelled rows alone.

    Args:
        student: float[n, C].
        labels: int64[n], classes or `UNLABELLED`: cross-entropy. Or float[n], scores or NaN, with
            C = 1: squared error.

    Returns:
        float32[labelled rows]
    """
    here = labelled(labels)
    if labels.dtype.is_floating_point:
        return squared_error(student[here], labels[here, None])
    return cross_entropy(student[here], labels[here])


def labelled(labels: Tensor) -> Tensor:
    """Which rows have a label, bool[n]."""
    return ~labels.isnan() if labels.dtype.is_floating_point else labels != UNLABELLED


def cosine_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """1 − cos of hidden states (Sanh et al. 2019, § 3; van de Graaf 2021, eq. 3.13).

    Args:
        student: float[n, H].
        teacher: float[n, H].

    Returns:
        float32[n]
    """
    return 1 - functional.cosine_similarity(student.float(), teacher.float(), 1)
