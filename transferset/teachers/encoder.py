"""An encoder of transformers with a head for each of its tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

from transferset.students.config import Task, Vocabulary
from transferset.students.rows import Rows
from transferset.teachers.layout import Layout

if TYPE_CHECKING:
    from transformers import PreTrainedModel

#: Of a head, where a configuration says nothing.
_DROPOUT: Final = 0.1

#: Where configurations say it, the nearest to a head first.
_DROPOUTS: Final = ("classifier_dropout", "seq_classif_dropout", "hidden_dropout_prob", "dropout")

_SPREAD: Final = 0.02


class Encoder(nn.Module):  # type: ignore[misc]
    """A text classifier: a sequence classifier of transformers, or one encoder with several heads.

    Several tasks share all of the encoder (Liu 2020, §§ 4.1 and 4.2); each head is dropout and a
    linear map of what the pooler says, or of [CLS] where there is no pooler.

    Attributes:
        tasks: In the order of the heads.
        base: The model of transformers: with its own classifier if there is one task.
        heads: Of several tasks; empty if there is one.
        vocabulary: The ids that it reads.
        positions: Most ids of a row.
        states_layout: Whether it is known that `tasks` say right what are pairs; of a foreign
            model nobody knows, and it reads either.
    """

    def __init__(
        self,
        base: PreTrainedModel,
        tasks: Sequence[Task],
        vocabulary: Vocabulary,
        *,
        states_layout: bool = True,
    ) -> None:
        """Put together; heads of several tasks get random weights from torch's generator.

        Args:
            base: See the class; of one task a sequence classifier with as many outputs.
            tasks: One or more.
            vocabulary: The ids that it reads.
            states_layout: See the class.
        """
        super().__init__()
        self.base, self.tasks, self.vocabulary = base, tuple(tasks), vocabulary
        self.states_layout = states_layout
        if base.config.pad_token_id is None:  # some look there for where a row ends
            base.config.pad_token_id = vocabulary.padding
        several = self.tasks if len(self.tasks) > 1 else ()
        self.heads = nn.ModuleList(_head(base.config, task) for task in several)
        self._layout = Layout(base, vocabulary)
        self.positions = self._layout.positions

    def states(self, rows: Rows) -> Tensor:
        """Last hidden states.

        Args:
            rows: See `forward`; one or more.

        Returns:
            float[rows, longest, H], with those of padding.
        """
        found: Tensor = self.base.base_model(**self._layout.lay_out(rows)).last_hidden_state
        return found

    def forward(self, rows: Rows, task: int = 0) -> Tensor:
        """Logits.

        Args:
            rows: As a set has them, on the host.
            task: Which, in the order of `tasks`.

        Returns:
            float32[rows, outputs]; what a row gets does not depend on those beside it, but for
            rounding.

        Raises:
            InputError: An id is out of range, or a row is empty or too long.
        """
        if not len(rows.lengths):  # models of transformers cannot
            return next(self.parameters()).new_zeros(0, self.tasks[task].outputs)
        given = self._layout.lay_out(rows)
        device: str = self.base.device.type
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            if not self.heads:
                logits: Tensor = self.base(**given).logits
            else:
                logits = self.heads[task](_features(self.base(**given)))
        return logits.float()


def _head(config: Any, task: Task) -> nn.Sequential:
    stated = [getattr(config, name, None) for name in _DROPOUTS]
    dropout = next((float(x) for x in stated if x is not None), _DROPOUT)
    linear = nn.Linear(config.hidden_size, task.outputs)
    nn.init.normal_(linear.weight, 0, float(getattr(config, "initializer_range", None) or _SPREAD))
    nn.init.zeros_(linear.bias)
    return nn.Sequential(nn.Dropout(dropout), linear)


def _features(output: Any) -> Tensor:
    pooled: Tensor | None = getattr(output, "pooler_output", None)
    if pooled is not None:
        return pooled
    states: Tensor = output.last_hidden_state
    return states[:, 0]
