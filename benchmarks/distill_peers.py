"""What people write today: transformers' `Trainer` with a loss of their own, and a padded loop.

Rows are padded to `FULL` ids, as `padding="max_length"` does, or to the longest of their batch.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

#: Ids of a padded row.
FULL = 128

#: Rows of a step.
BATCH = 32


@dataclass(frozen=True, slots=True)
class Padding:
    """Makes batches of rows; picklable, as `Trainer` wants it.

    Attributes:
        full: Whether all rows become `FULL` ids.
        masked: Whether pieces are masked; else rows carry logits.
        mask: Id of [MASK].
        special: Ids that are not masked.
        size: Of the vocabulary.
    """

    full: bool
    masked: bool
    mask: int
    special: tuple[int, ...]
    size: int

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """See `Trainer`'s `data_collator`."""
        import torch

        longest = FULL if self.full else max(len(row["input_ids"]) for row in rows)
        ids = torch.zeros(len(rows), longest, dtype=torch.long)
        there = torch.zeros(len(rows), longest, dtype=torch.long)
        for i, row in enumerate(rows):
            given = torch.tensor(row["input_ids"][:longest])
            ids[i, : len(given)], there[i, : len(given)] = given, 1
        if not self.masked:
            logits = torch.tensor(np.stack([row["logits"] for row in rows]))
            return {"input_ids": ids, "attention_mask": there, "labels": logits}
        labels = ids.clone()
        special = torch.isin(ids, torch.tensor(self.special)) | (there == 0)
        chosen = torch.bernoulli(torch.full(ids.shape, 0.15)).bool() & ~special
        labels[~chosen] = -100
        kind = torch.rand(ids.shape)
        ids[chosen & (kind < 0.8)] = self.mask
        other = chosen & (kind >= 0.8) & (kind < 0.9)
        ids[other] = torch.randint(self.size, ids.shape)[other]
        return {"input_ids": ids, "attention_mask": there, "labels": labels}


def _trainer(model: Any, rows: Any, padding: Padding, loss: Any, device: str) -> Any:
    from transformers import Trainer, TrainingArguments

    class Distiller(Trainer):  # type: ignore[misc]
        """A `Trainer` whose loss is given."""

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any
        ) -> Any:
            """See `Trainer`."""
            return loss(model, inputs)

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            per_device_train_batch_size=BATCH,
            num_train_epochs=1,
            learning_rate=5e-4,
            max_grad_norm=5.0,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            remove_unused_columns=False,
            use_cpu=device == "cpu",
            bf16=device != "cpu",
            logging_strategy="no",
        )
        trainer = Distiller(model, arguments, data_collator=padding, train_dataset=rows)
        trainer.train()
    return model


def train_masked(student: Any, teacher: Any, ids: Any, padding: Padding, device: str) -> Any:
    """The triple loss of DistilBERT: cross-entropy, T² · KL and cosine, a third each, T = 2."""
    import torch
    from torch.nn import functional

    teacher = teacher.eval().requires_grad_(False).to(device)

    def loss(model: Any, inputs: Any) -> Any:
        labels = inputs.pop("labels")
        own = model(**inputs, output_hidden_states=True)
        with torch.no_grad():
            given = teacher(**inputs, output_hidden_states=True)
        chosen = labels != -100
        hard = functional.cross_entropy(own.logits[chosen], labels[chosen])
        soft = 4 * functional.kl_div(
            functional.log_softmax(own.logits[chosen] / 2, -1),
            functional.softmax(given.logits[chosen] / 2, -1),
            reduction="batchmean",
        )
        there = inputs["attention_mask"].bool()
        states = own.hidden_states[-1][there], given.hidden_states[-1][there]
        cosine = 1 - functional.cosine_similarity(*states).mean()
        return (hard + soft + cosine) / 3

    return _trainer(student, [{"input_ids": row} for row in ids], padding, loss, device)


def train_task(student: Any, ids: Any, logits: Any, padding: Padding, device: str) -> Any:
    """The squared error of logits that stand with the rows."""
    from torch.nn import functional

    def loss(model: Any, inputs: Any) -> Any:
        wanted = inputs.pop("labels")
        found = model(**inputs)
        return functional.mse_loss(found.logits if hasattr(found, "logits") else found, wanted)

    rows = [{"input_ids": a, "logits": b} for a, b in zip(ids, logits, strict=True)]
    return _trainer(student, rows, padding, loss, device)


def make_bilstm(size: int, width: int, hidden: int, head: int, outputs: int) -> Any:
    """The BiLSTM that people write: padded rows, the last states of both directions, ReLU."""
    import torch
    from torch import nn

    class Plain(nn.Module):  # type: ignore[misc]
        """Embeddings, a BiLSTM, two linear layers."""

        def __init__(self) -> None:
            super().__init__()
            self.embeddings = nn.Embedding(size, width)
            self.lstm = nn.LSTM(width, hidden, batch_first=True, bidirectional=True)
            self.hidden, self.out = nn.Linear(2 * hidden, head), nn.Linear(head, outputs)

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            """Logits."""
            states, _ = self.lstm(self.embeddings(input_ids))
            ends = attention_mask.sum(1) - 1
            forward = states[torch.arange(len(ends)), ends, :hidden]
            both = torch.cat([forward, states[:, 0, hidden:]], 1)
            return self.out(torch.relu(self.hidden(both)))

    return Plain()


def label(path: Path, ids: Any, *, full: bool, device: str) -> Any:
    """Logits of all rows, batch by batch in their order."""
    import torch
    from transformers import AutoModelForSequenceClassification

    kind = torch.float32 if device == "cpu" else torch.bfloat16
    model = AutoModelForSequenceClassification.from_pretrained(path, dtype=kind).eval().to(device)
    padding = Padding(full, masked=False, mask=0, special=(), size=0)
    found = []
    with torch.no_grad():
        for start in range(0, len(ids), BATCH):
            rows = [{"input_ids": row, "logits": np.zeros(1)} for row in ids[start : start + BATCH]]
            batch = padding(rows)
            batch.pop("labels")
            given = model(**{name: x.to(device) for name, x in batch.items()})
            found.append(given.logits.float().cpu().numpy())
    return np.concatenate(found)
