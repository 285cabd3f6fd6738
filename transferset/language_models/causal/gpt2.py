"""GPT-2 shown one piece of each row, without what its modules cost in Python.

In a step of a small model a tenth of the time goes into finding out, module by module, what is to
be computed. Here it is written down, as `transformers.models.gpt2` does it (Radford et al. 2019,
§ 2.3), with the model's own weights. As any way, it is used only if it says what the model says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor
from transformers import GPT2LMHeadModel
from transformers.activations import NewGELUActivation

from transferset.language_models.causal.attention import attend
from transferset.language_models.causal.forward import Forward
from transferset.language_models.causal.weighing import gelu

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from transferset.language_models.causal.packing import Packed


class _Block(NamedTuple):
    """A layer's parts, as functions."""

    before: Any
    joint: Callable[[Tensor], Tensor]
    out: Callable[[Tensor], Tensor]
    scaling: float | None
    between: Any
    wide: Callable[[Tensor], Tensor]
    bend: Callable[[Tensor], Tensor]
    narrow: Callable[[Tensor], Tensor]


class Gpt2(Forward):
    """See `Forward`."""

    def __init__(
        self, model: PreTrainedModel, places: int, longest: int, way: str, packed: Packed | None
    ) -> None:
        """Look up the parts; see `Forward`."""
        super().__init__(model, places, longest, way, packed)
        assert packed is not None
        body = model.transformer
        self._embedding, self._place = body.wte.weight.detach(), body.wpe.weight.detach()
        self._blocks = [
            _Block(
                before=one.ln_1,
                joint=packed[one.attn.c_attn],
                out=packed[one.attn.c_proj],
                scaling=getattr(one.attn, "scaling", None),  # older releases do not say
                between=one.ln_2,
                wide=packed[one.mlp.c_fc],
                bend=_bend(one.mlp.act),
                narrow=packed[one.mlp.c_proj],
            )
            for one in body.h
        ]
        self._last, self._head, self._heads = (
            body.ln_f,
            packed[model.lm_head],
            body.h[0].attn.num_heads,
        )

    def __call__(self, ids: Tensor) -> Tensor:
        """See `Forward`."""
        with torch.inference_mode():
            hidden = self._embedding[ids] + self._place[self.positions]
            lengths = self.positions + 1
            for number, block in enumerate(self._blocks):
                joint = block.joint(_normal(hidden, block.before))
                query, key, value = joint.view(len(ids), 3, self._heads, 1, -1).unbind(1)
                seen = self._cache.update(key, value, number)
                found, _ = attend(block, query, *seen, lengths, scaling=block.scaling)
                hidden = hidden + block.out(found.view(len(ids), -1))
                wide = block.wide(_normal(hidden, block.between))
                hidden = hidden + block.narrow(block.bend(wide))
            return self._head(_normal(hidden, self._last))


def _bend(module: torch.nn.Module) -> Callable[[Tensor], Tensor]:
    """What a module of GELU computes, in place; any other module as it is."""

    def bend(wide: Tensor) -> Tensor:
        gelu(wide.view(-1).numpy())
        return wide

    return bend if type(module) is NewGELUActivation else module.__call__


def is_gpt2(model: PreTrainedModel) -> bool:
    """Whether a model is one that is written down here."""
    return type(model) is GPT2LMHeadModel and not model.config.add_cross_attention


def _normal(hidden: Tensor, norm: torch.nn.LayerNorm) -> Tensor:
    """LayerNorm."""
    return torch.layer_norm(hidden, norm.normalized_shape, norm.weight, norm.bias, norm.eps)
