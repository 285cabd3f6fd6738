"""Weights laid out for products with a fixed number of rows: once, and not at every step.

MKL arranges a matrix of weights anew in each product, which for few rows takes a sixth of its
time. Torch can have it done beforehand, as its compiler does when it freezes a model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from transformers.pytorch_utils import Conv1D


class Packed:
    """The linear maps of a model, each with its weights in MKL's order as well."""

    def __init__(self, model: torch.nn.Module, rows: int) -> None:
        """Lay out the weights; it takes as much memory again as they do.

        Args:
            model: In float32, on the processor. Its weights must not change from here on.
            rows: Rows of all products; others are left to the model.
        """
        maps = [one for one in model.modules() if type(one) in (torch.nn.Linear, Conv1D)]
        known = torch.backends.mkl.is_available() and hasattr(torch.ops.mkl, "_mkl_linear")
        self._maps = {one: _packed(one, rows) for one in maps} if known else {}

    def __getitem__(self, module: torch.nn.Module) -> Callable[[Tensor], Tensor]:
        """What computes a module: the module itself if it is no linear map."""
        found: Callable[[Tensor], Tensor] = self._maps.get(module, module)
        return found

    @contextmanager
    def used(self) -> Iterator[None]:
        """With the model's linear maps computed so."""
        try:
            for module, forward in self._maps.items():
                module.__dict__["forward"] = forward  # found before the one of the class
            yield
        finally:
            for module in self._maps:
                module.__dict__.pop("forward", None)


def _packed(module: Any, rows: int) -> Callable[[Tensor], Tensor]:
    """What a linear map gives, of products with so many rows."""
    weight = module.weight.detach()
    weight = weight if type(module) is torch.nn.Linear else weight.t()
    bias = None if module.bias is None else module.bias.detach()
    laid_out = torch.ops.mkl._mkl_reorder_linear_weight(weight.contiguous(), rows)
    size, product, plain = weight.shape[1], torch.ops.mkl._mkl_linear, type(module).forward

    def forward(given: Tensor) -> Tensor:
        if given.numel() != rows * size:
            found: Tensor = plain(module, given)
            return found
        found = product(given.reshape(rows, size), laid_out, weight, bias, rows)
        return found.view(*given.shape[:-1], -1)

    return forward
