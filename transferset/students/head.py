"""From features to logits."""

from __future__ import annotations

from torch import Tensor, nn

from transferset.students.config import HeadSizes


class Head(nn.Module):  # type: ignore[misc]
    """A layer with ReLU and a linear map (Liu 2020, eq. 3.1 and § 4.2), or the map alone."""

    def __init__(self, width: int, sizes: HeadSizes, outputs: int) -> None:
        """Random weights.

        Args:
            width: Of the features.
            sizes: Of the layer, if there is one.
            outputs: Logits.
        """
        super().__init__()
        self.layer = None if sizes.hidden is None else nn.Linear(width, sizes.hidden)
        self.dropout = nn.Dropout(sizes.dropout)
        self.output = nn.Linear(sizes.hidden or width, outputs)

    def forward(self, features: Tensor) -> Tensor:
        """Logits.

        Args:
            features: float32[rows, width].

        Returns:
            float32[rows, outputs]
        """
        hidden = features if self.layer is None else self.layer(features).relu()
        logits: Tensor = self.output(self.dropout(hidden))
        return logits
