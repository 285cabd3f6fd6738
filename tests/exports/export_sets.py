"""Sets that the tests of exports share."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from label_sets import SENTIMENT, TAGS, ids, make_labelled, words_of

from transferset.files import write_atomic
from transferset.holding import RUN
from transferset.manifest import pretty
from transferset.shards import ShardSet

#: Texts that formats of text get wrong.
NASTY = (
    'a "quoted" text', "it's", "back\\slash \\t \\n", "né à 漢字 \U0001f9ff", "x\x00\x01\x1f\x7fy",
    "\u2028\u2029\x85", " spaces ", "null", "nan", "", "#no, comment", "1e5", "[1, 2]", "{}",
)  # fmt: skip

ROWS = 57


def texts_of(rows: int) -> list[str]:
    return [f"{NASTY[i % len(NASTY)]}{i}" if i % 3 else f"row {i}, quickly" for i in range(rows)]


def make_task_set(root: Path, rows: int = ROWS, **members: Any) -> ShardSet:
    """Rows with every kind of column: ids, texts, classes and nulls, logits, words, numbers."""
    texts = texts_of(rows)
    columns = {
        "input_ids": ids(rows),
        "text": texts,
        "label": [None if i % 7 == 3 else i % 2 for i in range(rows)],
        "logits": [[i / 3, -1.5] for i in range(rows)],
        **words_of(texts),
        "doc_id": [2**63 + i for i in range(rows)],
        "finished": [i % 5 > 0 for i in range(rows)],
    }
    teacher = {
        "kind": "classifier", "classes": SENTIMENT["label"], "temperature": None, "top_k": None,
        "models": [{"name": "toy", "weights": "0" * 64}],
    }  # fmt: skip
    members = {"shards": [rows // 3, rows // 4], "teacher": teacher, **members}
    logits = pa.list_(pa.float32(), 2)
    return make_labelled(root, columns, names=SENTIMENT | TAGS, logits=logits, **members)


def make_pairs(root: Path, rows: int = 20) -> ShardSet:
    """Pairs with a score."""
    texts = texts_of(rows)
    columns = {
        "input_ids": ids(rows),
        "text": texts,
        "text_pair": texts[::-1],
        "label": [i / 4 for i in range(rows)],
    }
    return make_labelled(root, columns, score=True)


def make_splits(root: Path) -> Path:
    """A folder of two sets that are splits of one."""
    for name, rows in (("train", ROWS), ("validation", 11)):
        make_task_set(root / name, rows)
    write_atomic(root / "dataset_dict.json", pretty({"splits": ["train", "validation"]}))
    return root


def rows_of(found: ShardSet) -> pa.Table:
    return pa.Table.from_batches(found.batches()).combine_chunks()


def files_of(root: Path) -> dict[str, bytes]:
    """The bytes of all files of an export that are not of the run."""
    return {
        str(p.relative_to(root)): p.read_bytes()
        for p in sorted(root.rglob("*"))
        if p.is_file() and RUN not in p.relative_to(root).parts
    }


@dataclass(frozen=True)
class Dying:
    """An executor whose process is killed when so many tasks are done."""

    after: int

    def map(self, function: Callable[[Any], Any], tasks: list[Any]) -> Iterator[Any]:
        for i, task in enumerate(tasks):
            if i == self.after:
                (task.root / RUN / "parts").mkdir(exist_ok=True)
                # what a writer that is killed leaves behind
                (task.root / RUN / "parts" / f"x.tmp-{os.getpid()}").touch()
                os.kill(os.getpid(), signal.SIGKILL)
            yield function(task)
