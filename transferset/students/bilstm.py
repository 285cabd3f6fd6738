"""The BiLSTM of Liu 2020, § 3.1.2 (Tang et al. 2019): single texts and siamese pairs."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from transferset.students.config import BilstmSizes, Config
from transferset.students.embeddings import Embeddings
from transferset.students.rows import Rows, packed, texts


class Bilstm(nn.Module):  # type: ignore[misc]
    """Last hidden states of both directions; of a pair those of both texts, compared."""

    def __init__(self, config: Config, sizes: BilstmSizes) -> None:
        """Random weights.

        Args:
            config: Of the student.
            sizes: Its encoder's.
        """
        super().__init__()
        ids = config.vocabulary
        self._vocabulary, self._hidden = ids, sizes.hidden
        self.embeddings = Embeddings(ids.size, config.embeddings, ids.padding)
        self.lstm = nn.LSTM(
            config.embeddings.outputs, sizes.hidden, sizes.layers, bidirectional=True
        )

    def width(self, *, pair: bool) -> int:
        """Numbers of the features."""
        return 2 * self._hidden * (4 if pair else 1)

    def forward(self, rows: Rows, *, pair: bool) -> Tensor:
        """Features (eq. 3.1; of pairs [a, b, a⊙b, |a−b|], eq. 3.2).

        Args:
            rows: As a set has them; special ids are not read.
            pair: Whether each holds two texts.

        Returns:
            float32[rows, width]
        """
        a, *others = (self._read(part) for part in texts(rows, self._vocabulary, pair=pair))
        if not others:
            return a
        b = others[0]
        return torch.cat([a, b, a * b, (a - b).abs()], 1)

    def _read(self, rows: Rows) -> Tensor:
        _, (last, _) = self.lstm(embedded(self.embeddings, rows))
        # of the last layer: the forward direction has read the last word, the other the first
        return torch.cat([last[-2], last[-1]], 1)


def embedded(embeddings: Embeddings, rows: Rows) -> PackedSequence:
    """Vectors of rows as recurrent layers read them, without padding anywhere.

    Args:
        embeddings: Of ids.
        rows: Each of at least one id.
    """
    laid = packed(rows)
    device = next(embeddings.parameters()).device
    ids, order, back = (torch.from_numpy(x).to(device) for x in (laid.ids, laid.order, laid.back))
    return PackedSequence(embeddings(ids), torch.from_numpy(laid.sizes), order, back)
