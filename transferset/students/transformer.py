"""A small BERT, its features [CLS] through the pooler or the mean of [CLS] over the layers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from transferset.errors import InputError, sentence
from transferset.students.config import Config, TransformerSizes
from transferset.students.embeddings import Embeddings
from transferset.students.modes import NON_STATIC, POOLED
from transferset.students.rows import Rows, padded, present, sides


class Transformer(nn.Module):  # type: ignore[misc]
    """BERT of transformers (L5 H204 FF750 A3: Sučík 2020, § 4.2; three layers: Liu 2020, § 4.1.3).

    Embeddings of one trained table are BERT's own; others take their place.
    """

    def __init__(self, config: Config, sizes: TransformerSizes) -> None:
        """Random weights, those of BERT drawn as transformers does.

        Args:
            config: Of the student.
            sizes: Its encoder's.
        """
        super().__init__()
        self._vocabulary, self._sizes = config.vocabulary, sizes
        self.bert = BertModel(bert_config(config, sizes), add_pooling_layer=sizes.reading == POOLED)
        tables = config.embeddings
        if tables.channels != NON_STATIC or tables.projection is not None:
            ids = config.vocabulary
            own = Embeddings(ids.size, tables, ids.padding)
            self.bert.embeddings.word_embeddings = own

    def width(self, *, pair: bool) -> int:
        """Numbers of the features."""
        return self._sizes.hidden

    def forward(self, rows: Rows, *, pair: bool) -> Tensor:
        """Features.

        Args:
            rows: As a set has them, [CLS] first; token types tell the texts of a pair apart.
            pair: Whether each holds two texts.

        Returns:
            float32[rows, width]

        Raises:
            InputError: A row is empty, or has more ids than the model has positions.
        """
        lengths = rows.lengths
        if len(lengths) and not 0 < lengths.min() <= lengths.max() <= self._sizes.positions:
            wrong = int(lengths.max() if lengths.min() else 0)
            do = "cut the rows or raise positions"
            raise InputError(sentence(f"1 to {self._sizes.positions} ids", f"{wrong}", "a row", do))
        given = self._laid(rows, pair=pair)
        if self._sizes.reading == POOLED:
            pooled: Tensor = self.bert(**given).pooler_output
            return pooled
        layers = self.bert(**given, output_hidden_states=True).hidden_states[1:]
        return torch.stack([states[:, 0] for states in layers]).mean(0)

    def _laid(self, rows: Rows, *, pair: bool) -> dict[str, Tensor]:
        arrays: dict[str, Any] = {"input_ids": padded(rows, rows.ids, self._vocabulary.padding)}
        longest = arrays["input_ids"].shape[1]
        arrays["attention_mask"] = present(rows.lengths, longest).astype("int64")
        if pair:
            second = sides(rows, self._vocabulary).clip(max=1)
            arrays["token_type_ids"] = padded(rows, second, 0)
        return {name: torch.from_numpy(x).to(self.bert.device) for name, x in arrays.items()}


def bert_config(config: Config, sizes: TransformerSizes) -> BertConfig:
    """The configuration that transformers knows."""
    return BertConfig(
        vocab_size=config.vocabulary.size,
        pad_token_id=config.vocabulary.padding,
        hidden_size=sizes.hidden,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.intermediate,
        max_position_embeddings=sizes.positions,
        hidden_dropout_prob=sizes.dropout,
        attention_probs_dropout_prob=sizes.dropout,
    )
