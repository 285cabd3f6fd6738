"""A masked language model of transformers as an encoder and a head.

The head over a vocabulary is a large part of a small model's work, and a masked-LM loss needs it at
one position in seven: so hidden states are gathered between the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from transferset.errors import InputError, sentence
from transferset.students.config import Vocabulary
from transferset.students.rows import Rows, present, rows_of
from transferset.teachers.layout import Layout as EncoderLayout
from transferset.teachers.trying import require_alone, tried

if TYPE_CHECKING:
    from transformers import PreTrainedModel

#: The modules between last hidden states and logits, one after the other: of BERT and its kin; of
#: RoBERTa and MPNet; ALBERT; DistilBERT; ELECTRA; ModernBERT.
_HEADS: Final = (
    ("cls",),
    ("lm_head",),
    ("predictions",),
    ("vocab_transform", "activation", "vocab_layer_norm", "vocab_projector"),
    ("generator_predictions", "generator_lm_head"),
    ("head", "decoder"),
)

#: Between the head's logits and the model's own, as a share of the largest.
_NEAR: Final = 1e-3


class Layout(NamedTuple):
    """Rows as a model takes them.

    Attributes:
        given: Arguments of the encoder, each [rows, longest].
        places: int64[n], where each id of the rows stands among rows · longest places.
    """

    given: dict[str, Tensor]
    places: Tensor


class MaskedModel:
    """A masked language model in two parts; what is trained and saved is `model`.

    Attributes:
        model: As transformers has it.
        vocabulary: What its ids mean.
        size: V, of its logits.
        hidden_size: H, of its last hidden states.
        positions: Most ids of a row.
    """

    def __init__(
        self, model: PreTrainedModel, vocabulary: Vocabulary, at: str = "the model"
    ) -> None:
        """Find the parts, and check on a row that together they are the model.

        Args:
            model: With its head; attention is going to be computed by torch's own function.
            vocabulary: What its ids mean.
            at: The model's directory, for messages.

        Raises:
            InputError: The head is of a kind that is not known.
        """
        self.model, self.vocabulary = model, vocabulary
        if getattr(model, "_supports_sdpa", False):
            model.set_attn_implementation("sdpa")
        self._layout = EncoderLayout(model, vocabulary)
        self.positions = self._layout.positions
        self._head, self.size, self.hidden_size = self._parts(at)
        self._try(at)

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        found: torch.device = self.model.device
        return found

    def layout(self, rows: Rows) -> Layout:
        """Rows side by side, padded to the longest.

        Args:
            rows: Each of 1 to `positions` ids.

        Raises:
            InputError: An id is out of range, or a row is empty or too long.
        """
        given = self._layout.lay_out(rows)
        here = present(rows.lengths, int(rows.lengths.max(initial=0)))
        return Layout(given, self.tensor(np.flatnonzero(here)))

    def tensor(self, array: Any) -> Tensor:
        """An array on the model's device."""
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)

    def hidden(self, layout: Layout) -> Tensor:
        """Last hidden states.

        Returns:
            float[rows · longest, H], with those of padding; see `Layout.places`.
        """
        states: Tensor = self.model.base_model(**layout.given).last_hidden_state
        return states.flatten(0, 1)

    def head(self, hidden: Tensor) -> Tensor:
        """Logits of pieces.

        Args:
            hidden: float[n, H], last hidden states.

        Returns:
            float[n, V]
        """
        for part in self._head:
            hidden = part(hidden)
        return hidden

    def _try(self, at: str) -> None:
        training, what = self.model.training, str(self.model.config.model_type)
        self.model.eval()
        try:
            require_alone(self._said, self.vocabulary, self.positions, what, at)
        finally:
            self.model.train(training)

    def _said(self, rows: Rows) -> Tensor:
        return self.head(self.hidden(self.layout(rows))[: int(rows.lengths[0])])

    def _parts(self, at: str) -> tuple[list[Any], int, int]:
        """The modules of the head, V and H."""
        training = self.model.training
        self.model.eval()
        try:
            with torch.inference_mode():
                layout = self.layout(_row(self.vocabulary, self.positions))
                own = self.model(**layout.given).logits[0]
                hidden = self.hidden(layout)
                for names in _HEADS:
                    self._head = [getattr(self.model, name, None) for name in names]
                    if None not in self._head and _same(self.head, hidden, own):
                        return self._head, own.shape[1], hidden.shape[1]
        finally:
            self.model.train(training)
        do = "take a model of the kind of BERT, RoBERTa, DistilBERT or ELECTRA"
        expected = "a masked-LM head that works on single positions"
        raise InputError(sentence(expected, type(self.model).__name__, at, do))


def _same(head: Any, hidden: Tensor, own: Tensor) -> bool:
    try:
        found = head(hidden)
    except (TypeError, RuntimeError, IndexError):  # it takes something else
        return False
    if found.shape != own.shape:
        return False
    return bool((found - own).abs().amax() <= _NEAR * own.abs().amax().clamp_min(1))


def _row(vocabulary: Vocabulary, positions: int) -> Rows:
    row = tried(vocabulary, positions)
    return rows_of(row, np.array([0, len(row)]))
