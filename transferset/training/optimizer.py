"""AdamW as in the literature: no decay of biases and of the weights of norms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from transferset.errors import InputError, sentence

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module
    from torch.optim import Optimizer

#: What AdamW keeps of each parameter.
_KEPT: Final = ("exp_avg", "exp_avg_sq", "step")


def trained(model: Module) -> dict[str, Tensor]:
    """The parameters that are trained, by name; one that is used twice has its first name."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def groups(model: Module, weight_decay: float) -> list[dict[str, Any]]:
    """Parameters with and without decay.

    Biases and weights of norms are the parameters of fewer than two dimensions.

    Args:
        model: Its trained parameters are taken.
        weight_decay: Of the others.
    """
    parameters = list(trained(model).values())
    return [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]


def adamw(
    model: Module,
    lr: float,
    weight_decay: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
) -> Optimizer:
    """AdamW (Loshchilov & Hutter 2019, algorithm 2) over the trained parameters.

    Args:
        model: What is trained.
        lr: Full learning rate.
        weight_decay: Of all but biases and norms.
        betas: Decay of the moments.
        eps: Added to the root of the second moment.
    """
    import torch

    given = [group for group in groups(model, weight_decay) if group["params"]]
    # one kernel a group; a loop over parameters takes several times as long
    return torch.optim.AdamW(given, lr=lr, betas=betas, eps=eps, fused=True)


def set_rate(optimizer: Optimizer, lr: float) -> None:
    """Set the learning rate of all groups."""
    for group in optimizer.param_groups:
        group["lr"] = lr


def moments(optimizer: Optimizer, model: Module) -> dict[str, Tensor]:
    """The optimiser's state as named tensors, `exp_avg.NAME` and so on; empty before a step."""
    return {
        f"{kept}.{name}": optimizer.state[parameter][kept]
        for name, parameter in trained(model).items()
        if parameter in optimizer.state
        for kept in _KEPT
    }


def restore_moments(optimizer: Optimizer, model: Module, stored: Mapping[str, Tensor]) -> None:
    """Set the optimiser's state to what `moments` gave.

    Raises:
        InputError: It is of another model.
    """
    for name, parameter in trained(model).items():
        found = {kept: stored.get(f"{kept}.{name}") for kept in _KEPT}
        known = {kept: one for kept, one in found.items() if one is not None}
        if len(known) < len(_KEPT) or known["exp_avg"].shape != parameter.shape:
            raise InputError(sentence(f"moments of {name} in the checkpoint", "others"))
        optimizer.state[parameter] = {
            # a copy: what was read may be mapped from the file
            kept: one.to(parameter.device, copy=True)
            for kept, one in known.items()
        }
