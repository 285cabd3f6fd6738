"""Tasks that ask models, on nodes with caches of their own; model and set are at URLs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from deriving import files_of
from lm_writers import task_set, writer
from other_caches import Elsewhere
from small_tasks import sentences

import transferset
from transferset import api
from transferset.pipeline.build import build
from transferset.pipeline.label.passes import label
from transferset.pipeline.remote import output
from transferset.stage import Quiet

pytestmark = pytest.mark.slow


@pytest.fixture
def task(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    rows = [(text, ("bad", "good")[i % 2]) for i, text in enumerate(sentences(600))]
    return task_set(tmp_path, rows)


@pytest.fixture
def one_elsewhere(tmp_path):
    """One node: each imports torch."""
    found = Elsewhere(tmp_path, 1)
    yield found
    found.pools[0].shutdown()


def classifier(folder: Path, src: transferset.ShardSet) -> Path:
    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=src.manifest.tokenizer["vocab_size"],
        hidden_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=40,
        max_position_embeddings=48,
        id2label={0: "bad", 1: "good"},
        label2id={"bad": 0, "good": 1},
    )
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    shutil.copy(src.root / "tokenizer.json", folder)
    return folder


def test_labels_are_those_of_one_process(bucket, one_elsewhere, task, tmp_path):
    teacher = classifier(tmp_path / "teacher", task)
    bucket.upload(teacher, "teacher")
    bucket.upload(task.root, "task")
    here = transferset.label(task.root, tmp_path / "here", teacher=teacher, shards=2, workers=1)
    plan = api.plan_label("s3://sets/task", teacher="s3://sets/teacher", shards=2)
    label(plan, output("s3://sets/labelled"), one_elsewhere, Quiet(), force=False)
    assert bucket("labelled") == files_of(here.root)


def test_written_rows_are_those_of_one_process(bucket, one_elsewhere, task, tmp_path):
    weights = {"good": 2, "Ġfilm": 3, "Ġbad": 2, "Ġplot": 1, "Ġa": 1, "<|endoftext|>": 2}
    model = writer(tmp_path / "writer", weights)
    bucket.upload(model, "writer")
    bucket.upload(task.root, "task")
    options = {"rows": 300, "max_length": 20, "max_attempts": 4000}
    here = transferset.lm_sample(task.root, tmp_path / "here", model=model, workers=1, **options)
    plan = api.plan_lm_sample("s3://sets/task", model="s3://sets/writer", **options)
    build(plan, output("s3://sets/written"), one_elsewhere, Quiet(), force=False)
    assert bucket("written") == files_of(here.root)
