"""A model shown one piece of each row in flight, with the pieces before it in a cache.

Positions and what may be looked at are each place's own; how a model takes that, `agreeing` finds
out.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from transferset.language_models.causal import attention
from transferset.language_models.causal.cache import RowCache
from transferset.language_models.causal.packing import Packed

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Forward:
    """Runs a model on one piece in each place.

    Attributes:
        places: How many rows are in flight.
        longest: Positions of the longest row.
        way: How attention is computed: `attention.NAME`, "sdpa" or "eager".
        positions: int64[places], where the pieces stand that are shown next; to be moved on.
        dtype: Of the weights.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        places: int,
        longest: int,
        way: str,
        packed: Packed | None = None,
    ) -> None:
        """Make buffers for so many rows of so many positions; `packed` has the model's weights."""
        self._model = model
        config = model.config.get_text_config()
        self._window = getattr(config, "sliding_window", None)
        self._mixed = "sliding_attention" in (getattr(config, "layer_types", None) or ())
        self.places, self.longest, self.way, self._packed = places, longest, way, packed
        self.dtype = model.dtype
        compiled = way == attention.NAME
        self._cache = RowCache(places, longest, model.device, compiled=compiled)
        self.positions = self._cache.positions
        self._columns = torch.arange(self._cache.room, device=model.device)
        accepted = inspect.signature(model.forward).parameters.values()
        self._told = any(
            one.name == "position_ids" or one.kind is one.VAR_KEYWORD for one in accepted
        )

    def __call__(self, ids: Tensor) -> Tensor:
        """Show each place a piece at its position.

        Args:
            ids: int64[places].

        Returns:
            float32[places, vocabulary], scores of the piece that comes next.
        """
        told = {"position_ids": self.positions[:, None]} if self._told else {}
        packed = self._packed.used() if self._packed else nullcontext()
        with torch.inference_mode(), attending(self._model, self.way), packed:
            found = self._model(
                input_ids=ids[:, None],
                attention_mask=self._mask(),
                past_key_values=self._cache,
                use_cache=True,
                return_dict=True,
                **told,
            )
        logits: Tensor = found.logits[:, -1]
        return logits.float()

    def of(self, places: int) -> Forward:
        """The same of so many places, without what they hold."""
        again = places != self.places and self._packed is not None
        packed = Packed(self._model, places) if again else self._packed
        return type(self)(self._model, places, self.longest, self.way, packed)

    def show(self, ids: Tensor, positions: Tensor) -> Tensor:
        """The same at positions that are given."""
        self.positions[:] = positions
        return self(ids)

    def begin(self, start: int) -> Tensor:
        """Write the start in all places.

        Returns:
            float32[1, vocabulary], scores of the first piece of a row.
        """
        ids = torch.full_like(self.positions, start)
        return self.show(ids, torch.zeros_like(ids))[:1]

    def fill(self, layers: Sequence[tuple[Tensor, Tensor]]) -> None:
        """See `RowCache.fill`."""
        with torch.inference_mode():
            self._cache.fill(layers)

    @property
    def bytes(self) -> int:
        """What the buffers of keys and values take."""
        return self._cache.bytes

    def _mask(self) -> Tensor | dict[str, Tensor]:
        if self.way == attention.NAME:
            return (self.positions + 1).view(-1, 1, 1, 1)
        back = self.positions[:, None] - self._columns  # how far behind each position lies
        if self._window is None:
            return self._as_mask(back >= 0)
        near = self._as_mask((back >= 0) & (back < self._window))
        if not self._mixed:
            return near
        return {"full_attention": self._as_mask(back >= 0), "sliding_attention": near}

    def _as_mask(self, seen: Tensor) -> Tensor:
        mask = torch.zeros(seen.shape, dtype=self._model.dtype, device=seen.device)
        return mask.masked_fill_(~seen, torch.finfo(mask.dtype).min)[:, None, None]


@contextmanager
def attending(model: PreTrainedModel, way: str) -> Iterator[None]:
    """With attention computed in a way; what the model had before comes back."""
    before = model.config._attn_implementation
    model.config._attn_implementation = way
    try:
        yield
    finally:
        model.config._attn_implementation = before
