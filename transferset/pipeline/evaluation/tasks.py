"""What is told of a model on the set of one of its tasks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from transferset.distillation.examples.tasks import layout_of
from transferset.manifest import Json
from transferset.metrics.agreement import agreement, score_agreement
from transferset.metrics.calibration import calibration
from transferset.metrics.classes import by_class
from transferset.metrics.mistakes import Mistake, largest_errors, mistakes
from transferset.metrics.scores import accuracy, pearson, spearman
from transferset.metrics.tasks import Macro, Metric, macro
from transferset.pipeline.evaluation.answers import Answers, Array
from transferset.pipeline.evaluation.params import EvaluateParams
from transferset.pipeline.evaluation.scoring import compared, number
from transferset.pipeline.evaluation.texts import texts_of
from transferset.shards import ShardSet

#: Most pairs of classes that are told.
_MOST_PAIRS: Final = 1000

#: A task's one score.
SCORE: Final = "score"

#: What only rows with labels tell.
_OF_LABELS: Final = (
    "metrics",
    "score",
    "by_class",
    "confused",
    "mistakes",
    "deviations",
    "calibration",
)


def task_json(answers: Answers, params: EvaluateParams) -> Json:
    """All that is told of a model on a set.

    Args:
        answers: Of the model, and of its teacher.
        params: Resamples, seed, mistakes.

    Returns:
        See docs/evaluate.md.

    Raises:
        SetError: The set is damaged.
    """
    examples, task = answers.ours.examples, answers.task
    found = examples.found
    labelled = int(answers.labelled.sum())
    return {
        "task": task.name,
        "set": {
            "name": found.manifest.name,
            "label": found.label,
            "path": found.place,
            "digest": found.manifest.digest,
        },
        "rows": len(examples),
        "labelled": labelled,
        "unlabelled": len(examples) - labelled,
        "read": examples.how,
        "cut_rows": examples.cut_rows,
        "pair": task.pair,
        "classes": None if task.classes is None else list(task.classes),
        "teacher_from": answers.source,
        **dict.fromkeys(_OF_LABELS),
        **(_of_labels(answers, params) if labelled else {}),
        "agreement": None if answers.taught is None else _agreement(answers, params),
    }


def macro_json(tasks: Sequence[Json], sets: Sequence[ShardSet]) -> Json | None:
    """GLUE's macro score over tasks, of the model and of its teacher.

    Args:
        tasks: From `task_json`.
        sets: Their sets.

    Returns:
        `tasks`, how many; `all` and `without` (CoLA and STS-B), each with `value`, `teacher`,
        `difference` and `retention`; None unless there are several scores.
    """
    scored = [(task, one) for task, one in zip(tasks, sets, strict=True) if task["score"]]
    if len(scored) < 2:
        return None
    ours = _macro(scored, lambda score: score["value"])
    theirs = _macro(scored, lambda score: (score["teacher"] or {}).get("value"))
    return {
        "tasks": len(scored),
        "all": _beside(ours.all, theirs.all),
        "without": _beside(ours.without, theirs.without),
    }


def _macro(scored: Sequence[tuple[Json, ShardSet]], value: Any) -> Macro:
    found: dict[str, float] = {}
    for task, one in scored:
        # CoLA and STS-B are known by their layouts, whatever the tasks are called
        layout, score = layout_of(one.manifest), value(task["score"])
        name = layout if layout and layout not in found else task["task"]
        found[name] = math.nan if score is None else score
    return macro(found)


def _beside(ours: float, theirs: float) -> Json:
    return {
        "value": number(ours),
        "teacher": number(theirs),
        "difference": number(ours - theirs),
        "retention": number(ours / theirs) if theirs > 0 else None,
    }


def _of_labels(answers: Answers, params: EvaluateParams) -> Json:
    here = answers.labelled
    gold, rows = answers.labels[here], answers.rows[here]
    logits = answers.logits[here]
    taught = None if answers.taught is None else answers.taught[here]
    metrics = answers.ours.examples.metrics
    ours, theirs = (
        _decided(answers, logits),
        taught if taught is None else _decided(answers, taught),
    )
    *told, score = compared([*metrics, _score(metrics)], gold, ours, theirs, params)
    scores = {"metrics": told, "score": score}
    if answers.task.classes is None:
        return {**scores, "deviations": _deviations(answers, gold, ours, rows, params)}
    return {
        **scores,
        "by_class": _by_class(answers.task.classes, gold, ours),
        "confused": _confused(answers.task.classes, gold, ours),
        "mistakes": _mistakes(answers, gold, logits, rows, params),
        "calibration": _calibration(gold, logits, taught),
    }


def _decided(answers: Answers, logits: Array) -> Array:
    """Codes of classes, or scores."""
    return logits[:, 0] if answers.task.classes is None else logits.argmax(1)


def _score(metrics: Sequence[Metric]) -> Metric:
    """The task's one score as a score of its own: it has an interval too."""

    def score(gold: Array, predicted: Array) -> Array:
        counting = [one.score(gold, predicted) for one in metrics if one.counts]
        return np.asarray(np.mean(counting, axis=0))

    return Metric(SCORE, score)


def _by_class(classes: Sequence[str], gold: Array, predicted: Array) -> list[Json]:
    table = by_class(gold, predicted, len(classes))
    columns = {name: values.tolist() for name, values in table._asdict().items()}
    return [
        {"class": name, **{key: values[i] for key, values in columns.items()}}
        for i, name in enumerate(classes)
    ]


def _confused(classes: Sequence[str], gold: Array, predicted: Array) -> Json:
    """Pairs of classes of which one is taken for the other, the most frequent first."""
    wrong = gold != predicted
    # not by a matrix: of many classes most pairs never occur
    cells, counts = np.unique(gold[wrong] * len(classes) + predicted[wrong], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_MOST_PAIRS]
    pairs = [
        {
            "gold": classes[cell // len(classes)],
            "predicted": classes[cell % len(classes)],
            "rows": n,
        }
        for cell, n in zip(cells[order].tolist(), counts[order].tolist(), strict=True)
    ]
    return {"count": len(cells), "pairs": pairs}


def _mistakes(
    answers: Answers, gold: Array, logits: Array, rows: Array, params: EvaluateParams
) -> Json:
    found = mistakes(gold, logits, params.mistakes)
    return {
        "rows": found.rows,
        "surest": _mistaken(answers, found.surest, rows),
        "least_sure": _mistaken(answers, found.least_sure, rows),
    }


def _mistaken(answers: Answers, found: Sequence[Mistake], rows: Array) -> list[Json]:
    classes = answers.task.classes or ()
    places = rows[[one.row for one in found]].tolist() if found else []
    texts = texts_of(answers.ours.examples.found, places)
    return [
        {
            "row": place,
            "texts": text,
            "gold": classes[one.gold],
            "predicted": classes[one.predicted],
            "confidence": one.confidence,
        }
        for one, place, text in zip(found, places, texts, strict=True)
    ]


def _deviations(
    answers: Answers, gold: Array, predicted: Array, rows: Array, params: EvaluateParams
) -> list[Json]:
    found = largest_errors(gold, predicted, params.mistakes)
    places = rows[[one.row for one in found]].tolist() if found else []
    texts = texts_of(answers.ours.examples.found, places)
    return [
        {
            "row": place,
            "texts": text,
            "gold": one.gold,
            "predicted": one.predicted,
            "error": one.error,
        }
        for one, place, text in zip(found, places, texts, strict=True)
    ]


def _calibration(gold: Array, logits: Array, taught: Array | None) -> Json:
    found = calibration(gold, logits)
    return {
        "error": found.error,
        "teacher": None if taught is None else calibration(gold, taught).error,
        "bins": [one._asdict() for one in found.table],
    }


def _agreement(answers: Answers, params: EvaluateParams) -> Json:
    """How far the model answers as its teacher does, on all rows, with or without labels."""
    taught: Any = answers.taught
    theirs, ours = _decided(answers, taught), _decided(answers, answers.logits)
    if answers.task.classes is None:
        metrics = [Metric("pearson", pearson), Metric("spearman", spearman)]
        more: Mapping[str, float] = {"distance": score_agreement(theirs, ours).distance}
    else:
        metrics = [Metric("decisions", accuracy)]
        found = agreement(taught, answers.logits)
        more = {"kl": found.kl, "pearson": found.pearson}
    told = compared(metrics, theirs, ours, None, params)
    plain = {name: number(value) for name, value in more.items()}
    kept = ("value", "low", "high", "undefined")
    return {
        "rows": len(answers.rows),
        **{one["name"]: {key: one[key] for key in kept} for one in told},
        **plain,
    }
