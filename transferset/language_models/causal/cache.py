"""Keys and values of the rows in flight, in buffers that stay where they are.

Every place (row of the buffers) is at a position of its own. `transformers` hands a layer's new
keys and values to its cache and attends over what comes back: here they are written at each
place's own position, and the whole buffers come back. What lies beyond that position was left by
the row that was in the place before, and is not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from transformers import Cache

from transferset.compiled import kernel

if TYPE_CHECKING:
    from torch import Tensor


class RowCache(Cache):  # type: ignore[misc]  # mypy does not look into transformers
    """The keys and values of all layers.

    Attributes:
        positions: int64[places], the position of the piece that each place is shown next. Whoever
            moves the places on writes it.
        room: Positions of the buffers.
    """

    def __init__(self, places: int, longest: int, device: Any, *, compiled: bool) -> None:
        """Make it empty; buffers are made when shapes of keys and values are seen.

        Args:
            places: How many rows are in flight.
            longest: Positions of the longest row.
            device: Where the model is.
            compiled: Whether it is written by a compiled loop: in the processor's memory.
        """
        super().__init__(layers=[])
        self.room = longest
        self.positions = torch.zeros(places, dtype=torch.int64, device=device)
        self._places = torch.arange(places, device=device)
        self._compiled = compiled
        self._layers: list[tuple[Tensor, Tensor]] = []

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Write a layer's keys and values of one piece in each place; give those of all its rows.

        Args:
            key_states: float[places, heads, 1, size].
            value_states: float[places, heads, 1, size].
            layer_idx: Number of the layer.

        Returns:
            float[places, heads, positions, size] of both.
        """
        while layer_idx >= len(self._layers):
            self._layers.append((self._buffer(key_states), self._buffer(value_states)))
        keys, values = self._layers[layer_idx]
        new_keys, new_values = key_states[:, :, 0], value_states[:, :, 0]
        if self._compiled:
            new = new_keys.numpy(), new_values.numpy()
            _write(keys.numpy(), values.numpy(), *new, self.positions.numpy())
        else:
            keys[self._places, :, self.positions] = new_keys
            values[self._places, :, self.positions] = new_values
        return keys, values

    def fill(self, layers: Sequence[tuple[Tensor, Tensor]]) -> None:
        """Write the first keys and values of one row in all places.

        Args:
            layers: float[heads, positions, size] of both for each layer.
        """
        for (keys, values), (first_keys, first_values) in zip(self._layers, layers, strict=True):
            keys[:, :, : first_keys.shape[1]] = first_keys
            values[:, :, : first_values.shape[1]] = first_values

    @property
    def bytes(self) -> int:
        """What the buffers take."""
        return sum(one.numel() * one.element_size() for layer in self._layers for one in layer)

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """0: there is none that all places share; models are told positions."""
        return 0

    def get_mask_sizes(self, *_: Any, **__: Any) -> tuple[int, int]:
        """How many positions a mask covers, and the first of them."""
        return self.room, 0

    def get_max_length(self, *_: Any) -> int:
        """Positions of the buffers."""
        return self.room

    def _buffer(self, new: Tensor) -> Tensor:
        places, heads, _, size = new.shape
        return new.new_zeros((places, heads, self.room, size))


@kernel
def _write(keys: Any, values: Any, new_keys: Any, new_values: Any, positions: Any) -> None:
    """Write float[places, heads, size] at positions of [places, heads, positions, size]."""
    for place in range(len(positions)):
        at = positions[place]
        for head in range(new_keys.shape[1]):
            for i in range(new_keys.shape[2]):
                keys[place, head, at, i] = new_keys[place, head, i]
            for i in range(new_values.shape[2]):
                values[place, head, at, i] = new_values[place, head, i]
