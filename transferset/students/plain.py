"""Transformers as transformers knows them: what was tables and a map becomes one table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from transferset.students.config import Config, Tables, TransformerSizes
from transferset.students.embeddings import Embeddings
from transferset.students.modes import NON_STATIC, POOLED
from transferset.students.student import Student, word_embeddings


def is_plain(student: Student) -> bool:
    """Whether it is a `BertForSequenceClassification`: one head, linear, over BERT's pooler."""
    sizes, config = student.config.encoder, student.config
    pooled = isinstance(sizes, TransformerSizes) and sizes.reading == POOLED
    return pooled and len(config.tasks) == 1 and config.head.hidden is None


def folded(student: Student) -> Student:
    """The same function with one table of embeddings.

    Channels and the map come before everything else of a BERT, so nothing is lost but what was
    frozen: trained on, all of it moves.

    Args:
        student: Any; all but a transformer with other embeddings come back as they are.
    """
    config = folded_config(student)
    if config is student.config:
        return student
    name = "encoder.bert.embeddings.word_embeddings."
    kept = {n: x for n, x in student.state_dict().items() if not n.startswith(name)}
    with torch.random.fork_rng(devices=[]):  # its random weights are overwritten
        made = Student(config)
    made.load_state_dict({**kept, f"{name}weight": word_embeddings(student).folded()})
    made.train(student.training)
    return made


def folded_config(student: Student) -> Config:
    """What a student is when it is saved: see `folded`."""
    config, sizes = student.config, student.config.encoder
    own = isinstance(word_embeddings(student), Embeddings)
    if not isinstance(sizes, TransformerSizes) or not own:
        return config
    return replace(config, embeddings=Tables(width=sizes.hidden, channels=NON_STATIC))


def save_plain(student: Student, out: Path) -> None:
    """Write `config.json` and `model.safetensors` as transformers does.

    Args:
        student: See `is_plain`.
        out: An existing directory.
    """
    from transformers import BertForSequenceClassification

    from transferset.students.transformer import bert_config

    config, one = student.config, folded(student)
    sizes: Any = config.encoder
    task = config.tasks[0]
    names = {} if task.classes is None else dict(enumerate(task.classes))
    settings = bert_config(config, sizes)
    settings.num_labels = task.outputs
    if names:
        settings.id2label, settings.label2id = names, {name: i for i, name in names.items()}
    else:
        settings.problem_type = "regression"
    settings.classifier_dropout = config.head.dropout
    with torch.random.fork_rng(devices=[]):
        model = BertForSequenceClassification(settings)
    own = {n.removeprefix("encoder."): x for n, x in one.encoder.state_dict().items()}
    head = one.heads[0].output.state_dict()
    model.load_state_dict({**own, **{f"classifier.{n}": x for n, x in head.items()}})
    model.save_pretrained(out, safe_serialization=True)
