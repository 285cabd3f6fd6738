"""Losses against numbers worked out by hand, and numpy's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from transferset.students.losses import (  # noqa: E402
    DIRECTIONS,
    FORWARD,
    REVERSE,
    UNLABELLED,
    Top,
    cosine_distance,
    cross_entropy,
    divergence,
    hard,
    squared_error,
    top_divergence,
)

LOG = math.log


def plain_softmax(z, temperature=1.0):
    e = np.exp((z - z.max(1, keepdims=True)) / temperature)
    return e / e.sum(1, keepdims=True)


def plain_kl(p, q):
    return np.array(
        [
            sum(a * LOG(a / b) for a, b in zip(x, y, strict=True) if a)
            for x, y in zip(p, q, strict=True)
        ]
    )


def logits(rows=5, outputs=7, seed=0, size=3.0):
    return np.random.default_rng(seed).normal(0, size, (rows, outputs))


def both(seed=0, **settings):
    student, teacher = (logits(seed=seed + i, **settings) for i in (0, 100))
    return torch.from_numpy(student), torch.from_numpy(teacher)


def test_squared_error_by_hand():
    student, teacher = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, 1.0]])
    assert squared_error(student, teacher).tolist() == [(1 + 9) / 2]
    student, teacher = both()
    wanted = torch.nn.MSELoss()(student, teacher)
    assert float(squared_error(student, teacher).mean()) == pytest.approx(float(wanted), rel=1e-6)


def test_divergence_by_hand():
    """p = (3/4, 1/4), q = (1/2, 1/2)."""
    teacher, student = torch.tensor([[LOG(3), 0.0]]), torch.tensor([[0.0, 0.0]])
    forward = 0.75 * LOG(0.75 / 0.5) + 0.25 * LOG(0.25 / 0.5)
    reverse = 0.5 * LOG(0.5 / 0.75) + 0.5 * LOG(0.5 / 0.25)
    assert forward == pytest.approx(0.130812, abs=1e-6)
    assert reverse == pytest.approx(0.143841, abs=1e-6)
    assert float(divergence(student, teacher, 1.0)) == pytest.approx(forward, rel=1e-5)
    assert float(divergence(student, teacher, 1.0, FORWARD)) == pytest.approx(forward, rel=1e-5)
    assert float(divergence(student, teacher, 1.0, REVERSE)) == pytest.approx(reverse, rel=1e-5)


def test_the_temperature_divides_both_and_comes_back_squared():
    """At T = 2 logits (log 9, 0) are p = (3/4, 1/4)."""
    teacher, student = torch.tensor([[LOG(9), 0.0]]), torch.tensor([[0.0, 0.0]])
    forward = 0.75 * LOG(1.5) + 0.25 * LOG(0.5)
    assert float(divergence(student, teacher, 2.0)) == pytest.approx(4 * forward, rel=1e-5)


def test_the_square_keeps_gradients_about_as_long():
    student, teacher = both(size=0.1)
    lengths = []
    for temperature in (1.0, 10.0):
        given = student.clone().requires_grad_()
        divergence(given, teacher, temperature).sum().backward()
        lengths.append(float(given.grad.norm()))
    assert lengths[1] == pytest.approx(lengths[0], rel=0.1)


@settings(max_examples=40)
@given(st.integers(0, 1000), st.floats(0.5, 8), st.sampled_from(DIRECTIONS))
def test_divergence_is_numpys(seed, temperature, direction):
    student, teacher = both(seed)
    q, p = (plain_softmax(x.numpy(), temperature) for x in (student, teacher))
    wanted = temperature**2 * (plain_kl(p, q) if direction == FORWARD else plain_kl(q, p))
    found = divergence(student, teacher, temperature, direction)
    assert found.numpy() == pytest.approx(wanted, rel=1e-4, abs=1e-4)


def test_its_gradient_is_that_of_hintons_cross_entropy():
    student, teacher = both()
    given, other = (student.clone().requires_grad_() for _ in range(2))
    divergence(given, teacher, 3.0).sum().backward()
    soft = torch.softmax(teacher / 3, 1)
    (-9 * (soft * torch.log_softmax(other / 3, 1)).sum()).backward()
    assert given.grad.numpy() == pytest.approx(other.grad.numpy(), abs=1e-5)


def test_bfloat16_logits_are_summed_in_float32():
    student, teacher = (x.bfloat16() for x in both())
    assert divergence(student, teacher, 2.0).dtype == torch.float32
    assert squared_error(student, teacher).dtype == torch.float32
    assert cosine_distance(student, teacher).dtype == torch.float32


def top_of(teacher, k, temperature):
    order = np.argsort(-teacher, 1, kind="stable")
    ids, rest = order[:, :k], order[:, k:]
    tails = np.take_along_axis(teacher, rest, 1) / temperature
    with np.errstate(divide="ignore"):
        tail = np.log(np.exp(tails).sum(1))
    picked = np.take_along_axis(teacher, ids, 1)
    return Top(*(torch.from_numpy(x) for x in (ids, picked, tail)), temperature)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_all_of_the_logits_as_the_highest_give_the_full_divergence(direction, temperature):
    student, teacher = both()
    top = top_of(teacher.numpy(), 7, temperature)
    assert top.tail.tolist() == [-math.inf] * 5
    wanted = divergence(student, teacher, temperature, direction).numpy()
    first, second = (student.clone().float().requires_grad_() for _ in range(2))
    found = top_divergence(first, top, direction)
    assert found.detach().numpy() == pytest.approx(wanted, rel=1e-4)
    found.sum().backward()
    divergence(second, teacher, temperature, direction).sum().backward()
    assert first.grad.numpy() == pytest.approx(second.grad.numpy(), abs=1e-5)


@settings(max_examples=40)
@given(
    st.integers(0, 1000),
    st.integers(1, 6),
    st.sampled_from([1.0, 2.0]),
    st.sampled_from(DIRECTIONS),
)
def test_the_rest_is_one_bucket(seed, k, temperature, direction):
    student, teacher = both(seed)
    top = top_of(teacher.numpy(), k, temperature)
    q, p = (plain_softmax(x.numpy(), temperature) for x in (student, teacher))
    joined = []
    for one in (p, q):
        head = np.take_along_axis(one, top.ids.numpy(), 1)
        joined.append(np.concatenate([head, 1 - head.sum(1, keepdims=True)], 1))
    p, q = joined
    wanted = temperature**2 * (plain_kl(p, q) if direction == FORWARD else plain_kl(q, p))
    found = top_divergence(student, top, direction).numpy()
    assert found == pytest.approx(wanted, rel=1e-3, abs=1e-4)
    whole = divergence(student, teacher, temperature, direction).numpy()
    assert (found <= whole + 1e-4).all()


def test_a_vanishing_tail_does_no_harm():
    """The teacher is sure; in half precision its tail is all but nothing."""
    teacher = np.full((1, 5), -60.0)
    teacher[0, 2] = 60
    top = top_of(teacher, 2, 1.0)
    top = top._replace(logits=top.logits.half(), tail=top.tail.half())
    student = torch.zeros(1, 5, requires_grad=True)
    for direction in DIRECTIONS:
        loss = top_divergence(student, top, direction)
        loss.sum().backward()
        assert loss.isfinite().all()
        assert student.grad.isfinite().all()
    found = top_divergence(student.detach(), top)
    assert float(found) == pytest.approx(LOG(5), rel=1e-5)


def test_cross_entropy_by_hand():
    given = torch.tensor([[LOG(3), 0.0], [0.0, 0.0]])
    found = cross_entropy(given, torch.tensor([0, 1]))
    assert found.tolist() == pytest.approx([LOG(4 / 3), LOG(2)])


def test_hard_losses_are_of_labelled_rows_alone():
    student = torch.tensor([[LOG(3), 0.0], [9.0, -9.0], [0.0, 0.0]])
    found = hard(student, torch.tensor([0, UNLABELLED, 1]))
    assert found.tolist() == pytest.approx([LOG(4 / 3), LOG(2)])
    scores = torch.tensor([[1.0], [5.0], [2.0]])
    found = hard(scores, torch.tensor([3.0, math.nan, 2.5]))
    assert found.tolist() == [4.0, 0.25]
    assert hard(student, torch.full((3,), UNLABELLED)).shape == (0,)


def test_a_row_without_a_label_gets_no_gradient():
    student = logits(3, 1)
    given = torch.from_numpy(student).requires_grad_()
    hard(given, torch.tensor([1.0, math.nan, 0.0])).sum().backward()
    assert (given.grad[:, 0] != 0).tolist() == [True, False, True]
    assert given.grad.isfinite().all()


def test_cosine_distance_by_hand():
    student = torch.tensor([[1.0, 0.0], [2.0, 0.0], [1.0, 1.0], [-1.0, 0.0]])
    teacher = torch.tensor([[3.0, 0.0], [0.0, 4.0], [1.0, 0.0], [1.0, 0.0]])
    assert cosine_distance(student, teacher).tolist() == pytest.approx(
        [0, 1, 1 - math.sqrt(0.5), 2]
    )
    student, teacher = both(seed=3)
    wanted = torch.nn.CosineEmbeddingLoss()(student, teacher, torch.ones(len(student)))
    assert float(cosine_distance(student, teacher).mean()) == pytest.approx(float(wanted), rel=1e-5)
