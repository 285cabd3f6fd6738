"""One step: parts of a batch, and what may go wrong in it."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from transferset.errors import TransfersetError  # noqa: E402
from transferset.training.learning import NotFinite, Part, learn  # noqa: E402
from transferset.training.optimizer import make_optimizer  # noqa: E402

SIZES = np.array([1, 2, 2, 3, 5, 8], np.int32)


def line():
    torch.manual_seed(0)
    return torch.nn.Linear(3, 1, bias=False)


def inputs():
    return torch.from_numpy(np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32))


def step(module, part, at_once=100, kind="adadelta", **options):
    optimizer = make_optimizer(module, kind, 1.0)
    return learn(
        optimizer, part, SIZES, at_once,
        **{"seed": 0, "step": 0, "rate": 1.0, "clip": None, **options},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("at_once", "expected"),
    [
        (100, [(0, 6)]),
        (10, [(0, 3), (3, 5), (5, 6)]),  # 3 × 2, 2 × 5, 8
        (6, [(0, 3), (3, 4), (4, 5), (5, 6)]),
        (1, [(i, i + 1) for i in range(6)]),  # a row alone may be larger
    ],
)
def test_parts_are_as_many_rows_as_go_in_and_their_gradients_that_of_the_batch(at_once, expected):
    module, seen, rows = line(), [], inputs()

    def part(some):
        seen.append((some.start, some.stop))
        loss = module(rows[some]).square().sum() / SIZES.sum()
        return Part(loss, {"half": loss / 2, "none": math.nan})

    found = step(module, part, at_once)
    assert seen == expected
    whole = line()
    loss = whole(rows).square().sum() / SIZES.sum()
    loss.backward()
    assert torch.allclose(module.weight.grad, whole.weight.grad, atol=1e-6)
    assert found.loss == pytest.approx(loss.item(), rel=1e-5)
    assert found.parts["half"] == pytest.approx(loss.item() / 2, rel=1e-5)
    assert math.isnan(found.parts["none"])
    assert (found.at_once, found.short) == (at_once, "")


def test_a_failed_try_leaves_no_gradient_and_the_same_dropout_comes_again():
    module, rows, masks = line(), inputs(), []

    def part(some):
        masks.append(torch.rand(1).item())
        loss = module(rows[some]).square().sum()
        if some.stop - some.start > 1 and some.start > 0:
            loss.backward()  # what a part before had given
            raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate")
        return Part(loss)

    found = step(module, part)
    assert found.at_once == 100  # all at once begins at 0 and is no part that fails
    masks.clear()
    module = line()
    found = step(module, part, 10)
    assert found.short == "none left"
    assert found.at_once == 5  # where only the first part has more than one row
    assert masks[0] == masks[2]
    whole = line()
    whole(rows).square().sum().backward()
    assert torch.allclose(module.weight.grad, whole.weight.grad, atol=1e-5)


def test_with_no_memory_for_a_row_it_ends():
    def part(some):
        raise RuntimeError("[enforce fail] can't allocate memory: you tried")

    with pytest.raises(TransfersetError, match=r"memory for one example, found .*; buy some"):
        step(line(), part, shrink="buy some")


def test_another_failure_is_not_taken_for_memory():
    def part(some):
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        step(line(), part)


def test_memory_that_ends_while_parameters_move_is_not_tried_again(monkeypatch):
    module, tried = line(), []

    def part(some):
        tried.append(some)
        return Part(module(inputs()[some]).sum())

    def full(_):
        raise MemoryError

    monkeypatch.setattr("transferset.training.optimizer.Optimizer.step", full)
    with pytest.raises(TransfersetError, match="memory for the optimiser, found none left"):
        step(module, part)
    assert len(tried) == 1


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_or_a_gradient_that_is_not_finite_moves_nothing(value):
    module = line()
    for part in (
        lambda some: Part(module(inputs()[some]).sum() * value),
        lambda some: Part((module(inputs()[some]).sum() * 0 + 1e-30).sqrt() * 0 + value),
    ):
        with pytest.raises(NotFinite, match=r"finite numbers, found .* at step 8"):
            step(module, part, step=7)
    assert torch.equal(module.weight, line().weight)


def test_a_gradient_that_overflows_is_not_finite_though_the_loss_is():
    module = line()

    def part(some):
        zero = (module(inputs()[some]) * 0).sum()
        return Part(zero.sqrt())  # 0, with an infinite slope

    with pytest.raises(NotFinite, match="a loss of 0 and a gradient of length nan"):
        step(module, part)


def test_a_part_may_have_nothing_to_learn():
    module = line()
    found = step(module, lambda some: Part(torch.zeros(())), kind="adamw")
    assert found.loss == 0
    assert torch.equal(module.weight, line().weight)


def test_a_long_gradient_is_made_as_short_as_asked():
    module = line()
    step(module, lambda some: Part(module(inputs()[some]).sum() * 1000), clip=0.25)
    assert float(module.weight.grad.norm()) == pytest.approx(0.25, rel=1e-4)
