"""Optimisers: steps as in the papers, state that comes back."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from transferset.errors import InputError, UsageError  # noqa: E402
from transferset.training.optimizer import make_optimizer  # noqa: E402
from transferset.training.tensors import read_tensors, write_tensors  # noqa: E402

KINDS = ["adamw", "adam", "adadelta", "sparse"]


def small() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LayerNorm(4), torch.nn.Linear(4, 2))


class Words(torch.nn.Module):
    """A table of words and a head, and another head that may never be used."""

    def __init__(self, *, sparse: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table = torch.nn.Embedding(10, 3, sparse=sparse)
        self.head = torch.nn.Linear(3, 2)
        self.idle = torch.nn.Linear(3, 2)

    def forward(self, ids):
        return self.head(self.table(ids)).square().sum()


def words(kind: str, lr: float = 0.1, **options):
    """A module, and an optimiser of it."""
    module = Words(sparse=kind == "sparse")
    tables = [module.table.weight] if kind == "sparse" else []
    name = "adamw" if kind == "sparse" else kind
    return module, make_optimizer(module, name, lr, sparse=tables, **options)


def move(module, optimizer, steps, clip=None) -> list[float]:
    norms = []
    for step in steps:
        optimizer.zero_grad()
        module(torch.tensor([step, step, 9 - step])).backward()
        norms.append(optimizer.clip(clip))
        optimizer.set_rate(0.1 / (step + 1))
        optimizer.step()
    return norms


def adam_by_hand(x, gradients, rates, *, decay=0.0, coupled=0.0):
    """Loshchilov & Hutter 2019, algorithm 2, in numpy."""
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), 1):
        gradient = gradient + coupled * x
        m = 0.9 * m + 0.1 * gradient
        v = 0.999 * v + 0.001 * gradient**2
        x = x - rate * decay * x
        x = x - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return x


@pytest.mark.parametrize(("kind", "decay"), [("adamw", 0.1), ("adam", 0.0)])
def test_steps_of_adam_are_those_of_the_papers_and_biases_do_not_decay(kind, decay):
    module = small()
    optimizer = make_optimizer(module, kind, 0.01, weight_decay=decay)
    begun = [p.detach().numpy().astype(np.float64) for p in module.parameters()]
    begun = [p.copy() for p in begun]
    inputs = torch.tensor([[1.0, -2.0, 0.5], [0.3, 0.1, -1.0]])
    gradients, rates = [], [0.01 / t for t in range(1, 6)]
    for rate in rates:
        optimizer.set_rate(rate)
        optimizer.zero_grad()
        (module(inputs) ** 2).sum().backward()
        gradients.append([p.grad.numpy().astype(np.float64) for p in module.parameters()])
        optimizer.step()
    for i, (x, parameter) in enumerate(zip(begun, module.parameters(), strict=True)):
        of = decay if parameter.ndim == 2 else 0.0
        expected = adam_by_hand(x, [one[i] for one in gradients], rates, decay=of)
        assert parameter.detach().numpy() == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_steps_of_adadelta_are_those_of_the_paper():
    """Zeiler 2012, algorithm 1, in numpy."""
    module = torch.nn.Linear(3, 2)
    optimizer = make_optimizer(module, "adadelta", 1.0, rho=0.95)
    x = module.weight.detach().numpy().astype(np.float64).copy()
    squares, moved = np.zeros_like(x), np.zeros_like(x)
    inputs = torch.tensor([[1.0, -2.0, 0.5], [0.3, 0.1, -1.0]])
    for _ in range(5):
        optimizer.zero_grad()
        (module(inputs) ** 2).sum().backward()
        gradient = module.weight.grad.numpy().astype(np.float64)
        squares = 0.95 * squares + 0.05 * gradient**2
        step = -np.sqrt(moved + 1e-6) / np.sqrt(squares + 1e-6) * gradient
        moved = 0.95 * moved + 0.05 * step**2
        x = x + step
        optimizer.step()
        assert module.weight.detach().numpy() == pytest.approx(x, rel=1e-4)


def test_a_sparse_table_moves_as_a_dense_one_where_words_come_at_every_step():
    sparse, optimizer = words("sparse")
    dense, other = words("adamw")
    for _ in range(4):
        move(sparse, optimizer, [2])
        move(dense, other, [2])
    rows = [2, 7]
    assert torch.allclose(sparse.table.weight[rows], dense.table.weight[rows], atol=1e-6)
    still = [i for i in range(10) if i not in rows]
    assert torch.equal(sparse.table.weight[still], Words().table.weight[still])


def test_a_gradient_is_clipped_over_dense_and_sparse_parameters_alike():
    found = {}
    for kind in ("adamw", "sparse"):
        module, optimizer = words(kind)
        (norm,) = move(module, optimizer, [3], clip=0.5)
        grads = [p.grad.to_dense() for p in (module.table.weight, *module.head.parameters())]
        found[kind] = norm, torch.cat([one.flatten() for one in grads])
    assert found["sparse"][0] == pytest.approx(found["adamw"][0])
    assert found["sparse"][0] > 0.5
    assert torch.allclose(found["sparse"][1], found["adamw"][1])
    assert float(found["sparse"][1].norm()) == pytest.approx(0.5, rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stop", [0, 1, 3])
def test_a_state_that_is_restored_gives_the_same_steps(kind, stop, tmp_path):
    whole, optimizer = words(kind, weight_decay=0.01)
    move(whole, optimizer, range(6))
    broken, first = words(kind, weight_decay=0.01)
    move(broken, first, range(stop))
    write_tensors(tmp_path / "t", first.tensors(broken))
    kept = {name: one.clone() for name, one in broken.state_dict().items()}
    again, second = words(kind, weight_decay=0.01)
    again.load_state_dict(kept)
    second.restore(again, read_tensors(tmp_path / "t"))
    move(again, second, range(stop, 6))
    for one, other in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


def test_parameters_without_a_gradient_stay_and_have_no_state():
    module, optimizer = words("adamw", weight_decay=0.5)
    move(module, optimizer, range(3))
    assert torch.equal(module.idle.weight, Words().idle.weight)
    assert not any("idle" in name for name in optimizer.tensors(module))


def test_a_state_of_another_module_or_optimiser_is_refused():
    module, optimizer = words("adamw")
    move(module, optimizer, range(2))
    stored = optimizer.tensors(module)
    other = torch.nn.Linear(3, 4)
    with pytest.raises(InputError, match="expected moments of"):
        make_optimizer(other, "adamw", 0.1).restore(other, stored)
    again, adadelta = words("adadelta")
    move(again, adadelta, range(2))
    with pytest.raises(InputError, match="expected moments of"):
        optimizer.restore(module, adadelta.tensors(again))
    with pytest.raises(InputError, match="expected moments of"):
        optimizer.restore(module, {**stored, "exp_avg.head.weight": torch.zeros(5)})
    del stored["step.head.weight"]
    with pytest.raises(InputError, match=r"expected moments of head\.weight"):
        optimizer.restore(module, stored)


def test_what_cannot_be_trained_is_refused():
    module = Words(sparse=True)
    with pytest.raises(UsageError, match="adam or adamw for tables with sparse gradients"):
        make_optimizer(module, "adadelta", 1.0, sparse=[module.table.weight])
    module.requires_grad_(requires_grad=False)
    with pytest.raises(UsageError, match="something to train"):
        make_optimizer(module, "adam", 0.1)


def test_tables_alone_may_be_trained():
    module = Words(sparse=True)
    for parameter in (*module.head.parameters(), *module.idle.parameters()):
        parameter.requires_grad_(requires_grad=False)
    optimizer = make_optimizer(module, "adam", 0.1, sparse=[module.table.weight])
    move(module, optimizer, [1])
    assert not torch.equal(module.table.weight, Words().table.weight)
