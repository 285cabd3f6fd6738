from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from transferset.errors import InputError  # noqa: E402
from transferset.training.optimizer import (  # noqa: E402
    adamw,
    groups,
    moments,
    restore_moments,
    set_rate,
)


def small() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LayerNorm(4), torch.nn.Linear(4, 2))


def test_biases_and_norms_do_not_decay():
    decayed, exempt = groups(small(), 0.1)
    assert [p.ndim for p in decayed["params"]] == [2, 2]
    assert [p.ndim for p in exempt["params"]] == [1, 1, 1, 1]
    assert (decayed["weight_decay"], exempt["weight_decay"]) == (0.1, 0.0)


def test_steps_are_those_of_the_paper():
    """Loshchilov & Hutter 2019, algorithm 2, in numpy."""
    model = torch.nn.Linear(3, 2)
    optimizer = adamw(model, 0.01, 0.1)
    w, b = (p.detach().numpy().astype(np.float64) for p in (model.weight, model.bias))
    inputs = torch.tensor([[1.0, -2.0, 0.5], [0.3, 0.1, -1.0]])
    state = {name: [np.zeros_like(x), np.zeros_like(x)] for name, x in (("w", w), ("b", b))}
    for t in range(1, 6):
        rate = 0.01 / t
        set_rate(optimizer, rate)
        optimizer.zero_grad()
        (model(inputs) ** 2).sum().backward()
        for name, x, decay, parameter in (("w", w, 0.1, model.weight), ("b", b, 0, model.bias)):
            gradient = parameter.grad.numpy().astype(np.float64)
            m, v = state[name]
            m[:] = 0.9 * m + 0.1 * gradient
            v[:] = 0.999 * v + 0.001 * gradient**2
            x -= rate * decay * x
            x -= rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        optimizer.step()
        assert model.weight.detach().numpy() == pytest.approx(w, rel=1e-4)
        assert model.bias.detach().numpy() == pytest.approx(b, rel=1e-4)


def test_moments_that_are_restored_give_the_same_steps():
    torch.manual_seed(1)
    inputs = torch.randn(6, 5, 3)

    def run(model, optimizer, steps):
        for i in steps:
            optimizer.zero_grad()
            model(inputs[i]).square().sum().backward()
            optimizer.step()

    whole, broken = small(), small()
    run(whole, adamw(whole, 0.01, 0.1), range(6))
    first = adamw(broken, 0.01, 0.1)
    run(broken, first, range(3))
    stored = {name: one.clone() for name, one in moments(first, broken).items()}
    second = adamw(broken, 0.01, 0.1)
    restore_moments(second, broken, stored)
    run(broken, second, range(3, 6))
    for one, other in zip(whole.parameters(), broken.parameters(), strict=True):
        assert torch.equal(one, other)


def test_moments_of_another_model_are_refused():
    model, other = small(), torch.nn.Linear(3, 4)
    with pytest.raises(InputError, match="expected moments of"):
        restore_moments(adamw(model, 0.1, 0), model, moments(adamw(other, 0.1, 0), other))
