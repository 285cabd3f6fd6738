"""Runs of `transferset`'s distiller and of its peers on the same rows, and rates of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from distill_models import CLASSES, Work
from distill_peers import BATCH, Padding, label, make_bilstm, train_masked, train_task

import transferset
from transferset.shards import ShardSet

Json = dict[str, Any]

OURS = "transferset"
FULL = "Trainer, padded to 128"
LONGEST = "Trainer, padded to the longest"
LOOP_FULL = "loop, padded to 128"
LOOP_LONGEST = "loop, padded to the longest"

#: Most that logits of one teacher may differ by, in float32 and in other batches.
_SAME = 1e-3


@dataclass(frozen=True, slots=True)
class Case:
    """One tool doing one job."""

    tool: str
    job: str

    def __str__(self) -> str:
        return f"{self.tool}, {self.job}"


@dataclass(frozen=True, slots=True)
class Took:
    """What a run took; ids are counted without padding."""

    rows: int
    tokens: int
    cpu_s: float
    wall_s: float


JOBS = ("masked", "bert", "bilstm", "label")


def make_cases(job: str) -> list[Case]:
    """All tools doing a job."""
    peers = (LOOP_FULL, LOOP_LONGEST) if job == "label" else (FULL, LONGEST)
    return [Case(tool, job) for tool in (*peers, OURS)]


@dataclass(slots=True)
class Jobs:
    """What all runs have in common."""

    work: Work
    device: str

    def run(self, case: Case) -> Took:
        """Do a job from what lies on the disk."""
        ours = case.tool == OURS
        ids = [] if ours else self.work.ids()  # a list in memory, for what reading is not measured
        does: Callable[..., Any] = getattr(self, f"{'our' if ours else 'their'}_{case.job}")
        before, wall = _cpu(), time.perf_counter()
        if ours:
            does()
        else:
            does(ids, case.tool in (FULL, LOOP_FULL))
        took = _cpu() - before, time.perf_counter() - wall
        return Took(len(ShardSet.open(self.work.rows)), self.work.tokens, *took)

    def our_masked(self) -> None:
        """Half of the teacher's layers."""
        work = self.work
        transferset.distill(
            work.rows,
            work.root / "ours-masked",
            mlm=True,
            student=str(work.masked),
            teacher=work.masked,
            layers=work.shape.layers // 2,
            init_layers="spread",
            **self._training,
        )

    def their_masked(self, ids: Any, full: bool) -> None:
        """As ours."""
        from transformers import AutoModelForMaskedLM

        teacher = AutoModelForMaskedLM.from_pretrained(self.work.masked)
        student = AutoModelForMaskedLM.from_pretrained(
            self.work.masked, num_hidden_layers=self.work.shape.layers // 2
        )
        train_masked(student, teacher, ids, self._padding(full, masked=True), self.device)

    def our_bert(self) -> None:
        """The small BERT of Sučík 2020."""
        self._our_task("transformer")

    def their_bert(self, ids: Any, full: bool) -> None:
        """As ours."""
        from transformers import BertConfig, BertForSequenceClassification

        sizes = {"hidden_size": 204, "num_hidden_layers": 5, "num_attention_heads": 3}
        config = BertConfig(vocab_size=self._size, intermediate_size=750, **sizes)
        config.num_labels = len(CLASSES)
        student = BertForSequenceClassification(config)
        padding = self._padding(full, masked=False)
        train_task(student, ids, self.work.logits(), padding, self.device)

    def our_bilstm(self) -> None:
        """The BiLSTM of Liu 2020."""
        self._our_task("bilstm")

    def their_bilstm(self, ids: Any, full: bool) -> None:
        """As ours."""
        student = make_bilstm(self._size, 300, 300, 400, len(CLASSES))
        padding = self._padding(full, masked=False)
        train_task(student, ids, self.work.logits(), padding, self.device)

    def our_label(self) -> None:
        """Logits as a column of a set on the disk."""
        work = self.work
        out = work.root / "ours-labelled"
        transferset.label(
            work.rows, out, teacher=work.classifier, workers=1, device=self.device, force=True
        )

    def their_label(self, ids: Any, full: bool) -> None:
        """Logits in memory; checked against ours."""
        found = label(self.work.classifier, ids, full=full, device=self.device)
        if self.device == "cpu" and not np.allclose(found, self.work.logits(), atol=_SAME):
            raise SystemExit("the loop's logits are not those of transferset")

    def _our_task(self, student: str) -> None:
        work = self.work
        out = work.root / f"ours-{student}"
        transferset.distill(work.labelled, out, student=student, mse=1.0, **self._training)

    @property
    def _training(self) -> Json:
        # one order, one optimiser, one rate for all
        return {
            "epochs": 1,
            "batch": BATCH,
            "optimizer": "adamw",
            "weight_decay": 0.0,
            "lr": 5e-4,
            "clip": 5.0,
            "device": self.device,
            "force": True,
        }

    @property
    def _tokenizer(self) -> Json:
        return ShardSet.open(self.work.rows).manifest.tokenizer or {}

    @property
    def _size(self) -> int:
        return int(self._tokenizer["vocab_size"])

    def _padding(self, full: bool, *, masked: bool) -> Padding:
        special = self._tokenizer["special_ids"]
        return Padding(full, masked, special["mask"], tuple(special.values()), self._size)


def _cpu() -> float:
    """CPU seconds of this process and of those that it waited for."""
    found = os.times()
    return found.user + found.system + found.children_user + found.children_system


def figures(job: str, cases: list[Case], results: dict[Case, list[Took]]) -> list[Json]:
    """Medians over runs, and how many times as fast ours is, also in each run."""
    rows = []
    ours = [took.cpu_s for took in results[Case(OURS, job)]]
    for case in cases:
        took = results[case]
        rows.append(
            {
                "job": job,
                "tool": case.tool,
                "rows": took[0].rows,
                "tokens": took[0].tokens,
                "cpu_s": [one.cpu_s for one in took],
                "wall_s": [one.wall_s for one in took],
                "rows_per_cpu_s": median(one.rows / one.cpu_s for one in took),
                "tokens_per_cpu_s": median(one.tokens / one.cpu_s for one in took),
                "ours": median(one.cpu_s for one in took) / median(ours),
                "ours_runs": [one.cpu_s / own for one, own in zip(took, ours, strict=True)],
            }
        )
    return rows
