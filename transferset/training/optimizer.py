"""Optimisers as in the literature, whose state is kept as named tensors.

A word table whose gradient is sparse has an optimiser of its own: a dense one would move all of the
table at each step, which is most of a small model's work.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from transferset.errors import InputError, UsageError, sentence

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

Kind = Literal["adamw", "adam", "adadelta"]

#: What an optimiser keeps of each parameter.
_ADAM: Final = ("step", "exp_avg", "exp_avg_sq")
_ADADELTA: Final = ("step", "square_avg", "acc_delta")

#: Added where AdaDelta divides, if nothing else is said (Zeiler 2012, § 4.1).
_ADADELTA_EPS: Final = 1e-6
_ADAM_EPS: Final = 1e-8


class Optimizer:
    """One or two of torch's optimisers as one.

    Attributes:
        parameters: What it moves, in the module's order.
    """

    def __init__(self, parameters: Sequence[Tensor], optimizers: Sequence[Any]) -> None:
        """Take torch's optimisers, each of some of the parameters."""
        self.parameters, self._optimizers = list(parameters), list(optimizers)

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for optimizer in self._optimizers:
            optimizer.zero_grad()

    def step(self) -> None:
        """Move the parameters that have a gradient."""
        for optimizer in self._optimizers:
            optimizer.step()

    def set_rate(self, lr: float) -> None:
        """Set the learning rate of all parameters."""
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = lr

    def clip(self, most: float | None) -> float:
        """Make a gradient that is too long as short as it may be.

        Args:
            most: Its greatest length (Pascanu et al. 2013, algorithm 1); None changes nothing.

        Returns:
            The length that it had, over all parameters.
        """
        import torch

        norm = torch.nn.utils.clip_grad_norm_(
            [_dense(one) for one in self.parameters], math.inf if most is None else most
        )
        return float(norm)

    def tensors(self, module: Module) -> dict[str, Tensor]:
        """The state, as `exp_avg.NAME` and so on; parameters that never moved have none.

        Args:
            module: Whose parameters they are.
        """
        states = {
            id(one): optimizer.state[one]
            for optimizer in self._optimizers
            for one in _parameters(optimizer)
            if one in optimizer.state
        }
        return {
            f"{kept}.{name}": _tensor(value)
            for name, parameter in trained(module).items()
            for kept, value in states.get(id(parameter), {}).items()
        }

    def restore(self, module: Module, stored: Mapping[str, Tensor]) -> None:
        """Set the state to what `tensors` gave.

        Raises:
            InputError: It is of another model, or of another optimiser.
        """
        names = {id(parameter): name for name, parameter in trained(module).items()}
        left = dict(stored)
        for optimizer in self._optimizers:
            states = {}
            for number, parameter in enumerate(_parameters(optimizer)):
                name = names[id(parameter)]
                found = {kept: left.pop(f"{kept}.{name}", None) for kept in _kept(optimizer)}
                if any(one is not None for one in found.values()):
                    states[number] = _state(name, parameter, found)
            # torch's own way: it knows on which device a kind of optimiser keeps its steps
            optimizer.load_state_dict({**optimizer.state_dict(), "state": states})
        if left:
            raise _others(next(iter(left)))


def make_optimizer(
    module: Module,
    kind: Kind,
    lr: float,
    *,
    weight_decay: float = 0.0,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float | None = None,
    rho: float = 0.95,
    sparse: Sequence[Tensor] = (),
) -> Optimizer:
    """An optimiser of a module's trained parameters.

    Args:
        module: What is trained.
        kind: `adamw` (Loshchilov & Hutter 2019, algorithm 2), `adam` (Kingma & Ba 2015) or
            `adadelta` (Zeiler 2012, algorithm 1).
        lr: Full learning rate.
        weight_decay: Of all but biases, norms and sparse tables; ≥ 0.
        betas: Decay of Adam's moments.
        eps: Keeps it from dividing by 0; None is 1e-8, or 1e-6 for AdaDelta.
        rho: Decay of AdaDelta's means.
        sparse: Tables with sparse gradients: Adam of the rows that a batch has.

    Raises:
        UsageError: Nothing is trained, or AdaDelta is to move sparse tables.
    """
    import torch

    parameters = list(trained(module).values())
    if not parameters:
        raise UsageError(sentence("a model with something to train", "one that is frozen"))
    tables = {id(one) for one in sparse}
    given = _groups([one for one in parameters if id(one) not in tables], weight_decay)
    optimizers: list[Any] = []
    if kind == "adadelta":
        if sparse:
            expected = "adam or adamw for tables with sparse gradients"
            raise UsageError(sentence(expected, "adadelta", do="train them densely"))
        eps = _ADADELTA_EPS if eps is None else eps
        optimizers.append(torch.optim.Adadelta(given, lr=lr, rho=rho, eps=eps, foreach=True))
        return Optimizer(parameters, optimizers)
    eps = _ADAM_EPS if eps is None else eps
    if given:
        made = torch.optim.AdamW if kind == "adamw" else torch.optim.Adam
        # one kernel a group; a loop over parameters takes several times as long
        optimizers.append(made(given, lr=lr, betas=betas, eps=eps, fused=True))
    if sparse:
        optimizers.append(torch.optim.SparseAdam(list(sparse), lr=lr, betas=betas, eps=eps))
    return Optimizer(parameters, optimizers)


def trained(module: Module) -> dict[str, Tensor]:
    """The parameters that are trained, by name; one that is used twice has its first name."""
    return {name: p for name, p in module.named_parameters() if p.requires_grad}


def _groups(parameters: Sequence[Tensor], weight_decay: float) -> list[dict[str, Any]]:
    """Parameters with and without decay.

    Biases and weights of norms are the parameters of fewer than two dimensions.
    """
    decayed = [p for p in parameters if p.ndim >= 2]
    others = [p for p in parameters if p.ndim < 2]
    given = ((decayed, weight_decay), (others, 0.0))
    return [{"params": some, "weight_decay": decay} for some, decay in given if some]


def _parameters(optimizer: Any) -> list[Tensor]:
    """In the order in which torch numbers them."""
    return [one for group in optimizer.param_groups for one in group["params"]]


def _dense(parameter: Tensor) -> Tensor:
    """What has the gradient, or a sparse gradient's values, as its gradient."""
    if parameter.grad is None or not parameter.grad.is_sparse:
        return parameter
    # a word that came twice has one gradient, the sum; its values share their memory with it
    parameter.grad = parameter.grad.coalesce()
    stand_in = parameter.grad.values().detach()
    stand_in.grad = parameter.grad.values()
    return stand_in


def _tensor(value: Any) -> Tensor:
    import torch

    # SparseAdam counts its steps with a number
    return value if isinstance(value, torch.Tensor) else torch.tensor(value)


def _kept(optimizer: Any) -> tuple[str, ...]:
    import torch

    return _ADADELTA if isinstance(optimizer, torch.optim.Adadelta) else _ADAM


def _state(name: str, parameter: Tensor, found: Mapping[str, Tensor | None]) -> dict[str, Any]:
    """What torch's optimiser keeps of a parameter."""
    # copies: what was read may be mapped from the file
    state: dict[str, Any] = {kept: one.clone() for kept, one in found.items() if one is not None}
    shapes = {tuple(one.shape) for kept, one in state.items() if kept != "step"}
    if len(state) < len(found) or shapes != {tuple(parameter.shape)}:
        raise _others(name)
    if not state["step"].is_floating_point():
        state["step"] = int(state["step"])  # of SparseAdam
    return state


def _others(name: str) -> InputError:
    return InputError(sentence(f"moments of {name} in the checkpoint", "others"))
