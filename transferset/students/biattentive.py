"""The bi-attentive BiLSTM of Liu 2020, § 4.1.2 (after McCann et al. 2017, § 5)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import softmax
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from transferset.students.bilstm import embedded
from transferset.students.config import BiattentiveSizes, Config
from transferset.students.embeddings import Embeddings
from transferset.students.rows import Rows, present, texts


class Biattentive(nn.Module):  # type: ignore[misc]
    """Two texts, each read with the other in view.

    A single text is both (§ 4.1.2: "the input sequence is duplicated"); what would be computed
    twice alike is computed once. Where the text leaves a choice: each of the two BiLSTMs reads both
    texts with the same weights; pooled are maximum, mean and self-attention (eq. 4.12; the
    sentence before it also names the minimum).
    """

    def __init__(self, config: Config, sizes: BiattentiveSizes) -> None:
        """Random weights.

        Args:
            config: Of the student.
            sizes: Its encoder's.
        """
        super().__init__()
        ids, hidden = config.vocabulary, sizes.hidden
        self._vocabulary, self._hidden = ids, hidden
        self.embeddings = Embeddings(ids.size, config.embeddings, ids.padding)
        self.feed = nn.Linear(config.embeddings.outputs, sizes.feed)
        self.encoder = nn.LSTM(sizes.feed, hidden, bidirectional=True)
        self.integrator = nn.LSTM(6 * hidden, hidden, bidirectional=True)
        self.first = nn.Linear(2 * hidden, 1)
        self.second = nn.Linear(2 * hidden, 1)

    def width(self, *, pair: bool) -> int:
        """Numbers of the features, the same for texts and pairs."""
        return 12 * self._hidden

    def forward(self, rows: Rows, *, pair: bool) -> Tensor:
        """Features: the pooled of both texts (eq. 4.12), side by side.

        Args:
            rows: As a set has them; special ids are not read.
            pair: Whether each holds two texts.

        Returns:
            float32[rows, width]
        """
        parts = texts(rows, self._vocabulary, pair=pair)
        read = [self._encode(part) for part in parts]
        (x, here_x), (y, here_y) = read[0], read[-1]
        x_y = self._integrate(x, here_x, attended(x, y, here_y), parts[0])
        y_x = x_y if not pair else self._integrate(y, here_y, attended(y, x, here_x), parts[1])
        pooled = [*self._pool(x_y, here_x, self.first), *self._pool(y_x, here_y, self.second)]
        return torch.cat(pooled, 1)

    def _encode(self, rows: Rows) -> tuple[Tensor, Tensor]:
        """Hidden states [rows, longest, 2·hidden] (eq. 4.5 and 4.6), and where there are some."""
        given = embedded(self.embeddings, rows)
        fed = PackedSequence(self.feed(given.data).relu(), *given[1:])
        states, lengths = pad_packed_sequence(self.encoder(fed)[0], batch_first=True)
        here = torch.from_numpy(present(rows.lengths, int(lengths.max())))
        return states, here.to(states.device)

    def _integrate(self, states: Tensor, here: Tensor, context: Tensor, rows: Rows) -> Tensor:
        """Eq. 4.9."""
        given = torch.cat([states, states - context, states * context], 2)
        lengths = torch.from_numpy(rows.lengths)
        laid = pack_padded_sequence(given, lengths, batch_first=True, enforce_sorted=False)
        found: Tensor = pad_packed_sequence(self.integrator(laid)[0], batch_first=True)[0]
        return found

    def _pool(self, states: Tensor, here: Tensor, attention: nn.Linear) -> list[Tensor]:
        """Maximum, mean and self-attention (eq. 4.10 and 4.11), each float32[rows, 2·hidden]."""
        present = here[..., None]
        highest = states.masked_fill(~present, float("-inf")).amax(1)
        mean = (states * present).sum(1) / present.sum(1)
        scores = attention(states).masked_fill(~present, float("-inf"))
        return [highest, mean, (states * softmax(scores, 1)).sum(1)]


def attended(x: Tensor, y: Tensor, here: Tensor) -> Tensor:
    """What each state of one text finds in the other (C_y of eq. 4.7 and 4.8).

    Args:
        x: float32[rows, n, d], asks.
        y: float32[rows, m, d], is asked.
        here: bool[rows, m], where there is a state in `y`.

    Returns:
        float32[rows, n, d]
    """
    # A = XYᵀ; normalised over the other text's states, which are the rows of Aᵀ
    scores = (x @ y.transpose(1, 2)).masked_fill(~here[:, None], float("-inf"))
    return softmax(scores, 2) @ y
