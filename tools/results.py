"""Tables of the experiments with students, from the folders that the recipes made.

    python tools/results.py liu OUT          # of pipelines/liu-sst2.toml
    python tools/results.py thesis OUT       # of pipelines/thesis-miniature.toml
    python tools/results.py losses OUT       # of pipelines/loss-composition.toml

Scores of a task come from `transferset.evaluate` on its development set, with intervals over its
rows; those of several seeds from the model's record.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import transferset
from transferset.models import Model

TASKS = ("sst2", "cola", "stsb")

LIU = {
    "label": "gold labels",
    "logit": "logits",
    "logit-mask": "logits, masking",
    "logit-mask-pos": "logits, masking + POS",
    "logit-written": "logits, written rows",
}

THESIS = {
    "student.from=all/student": "all, natural",
    "student.from=tenth/student": "10 %, as many steps",
    "student.from=hundredth/student": "1 %, as many steps",
    "tenth": "10 %, as many epochs",
    "hundredth": "1 %, as many epochs",
    "student.from=shuffled/student": "all, shuffled",
    "student.from=generated/student": "all, generated",
}

LOSSES = {
    f"student.from={rows},student.hard={loss}/student": f"{rows}, {loss} the masked-LM loss"
    for rows in ("natural", "shuffled", "generated")
    for loss in ("with", "without")
}


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table, numbers to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def liu(out: Path) -> str:
    """Mean of the seeds, its interval (Student's t), each score, and the set's rows."""
    teacher = transferset.evaluate(out / "teacher", out / "dev")["tasks"][0]["score"]
    rows = [["teacher", _percent(teacher), "", "", _seen(out / "teacher")]]
    for name, told in LIU.items():
        seeds = Model.open(out / name).record.metrics["seeds"]
        scores = " ".join(f"{100 * one:.2f}" for one in seeds["scores"].values())
        interval = f"{100 * seeds['low']:.2f} to {100 * seeds['high']:.2f}"
        mean = f"{100 * seeds['mean']:.2f}"
        rows.append([told, mean, interval, scores, _seen(out / name)])
    return table(["trained on", "accuracy", "interval", "seeds", "rows, steps, tokens"], rows)


def _percent(score: dict[str, Any]) -> str:
    low, high = 100 * score["low"], 100 * score["high"]
    return f"{100 * score['value']:.2f} [{low:.2f}, {high:.2f}]"


def _seen(place: Path) -> str:
    record = Model.open(place).record
    rows = record.examples["train"][0]["rows"]
    return f"{rows:,}, {record.metrics['steps']:,}, {record.metrics['tokens']:,}"


def students(out: Path, names: dict[str, str], *, teacher: str | None) -> str:
    """Scores of the three tasks, macro with and without CoLA and STS-B, retention."""
    head = ["student", *TASKS, "macro", "without CoLA, STS-B"]
    rows = []
    for place, told in {**({teacher: "teacher"} if teacher else {}), **names}.items():
        scores = {task: _score(out, f"{place}-{task}", task, teacher) for task in TASKS}
        cells = [_percent(scores[task]["score"]) for task in TASKS]
        line = [told, *cells, _macro(scores), f"{100 * scores['sst2']['score']['value']:.2f}"]
        if teacher:
            line.append("" if place == teacher else _retention(scores))
        line.append(_seen(out / place))
        rows.append(line)
    retention = ["macro of the teacher's"] if teacher else []
    return table([*head, *retention, "rows, steps, tokens"], rows)


def _score(out: Path, model: str, task: str, teacher: str | None) -> dict[str, Any]:
    beside = out / f"{teacher}-{task}" if teacher and model != f"{teacher}-{task}" else None
    found = transferset.evaluate(out / model, out / f"{task}-dev", teacher=beside)
    one: dict[str, Any] = found["tasks"][0]
    return one


def _macro(scores: dict[str, dict[str, Any]]) -> str:
    """The mean, and an interval as if the tasks' were normal and independent."""
    values = [one["score"]["value"] for one in scores.values()]
    halves = [(one["score"]["high"] - one["score"]["low"]) / 2 for one in scores.values()]
    mean, half = sum(values) / len(values), math.hypot(*halves) / len(halves)
    return f"{100 * mean:.2f} ± {100 * half:.2f}"


def _retention(scores: dict[str, dict[str, Any]]) -> str:
    """The macro score as a share of the teacher's, from paired differences of the tasks."""
    own = sum(one["score"]["value"] for one in scores.values())
    whole = sum(one["score"]["teacher"]["value"] for one in scores.values())
    halves = [
        (one["score"]["difference"]["high"] - one["score"]["difference"]["low"]) / 2
        for one in scores.values()
    ]
    return f"{100 * own / whole:.1f} % ± {100 * math.hypot(*halves) / whole:.1f}"


def main(arguments: list[str]) -> int:
    """Print one table."""
    what, out = arguments[0], Path(arguments[1])
    made = {
        "liu": lambda: liu(out),
        "thesis": lambda: students(out, THESIS, teacher="teacher"),
        "losses": lambda: students(out, LOSSES, teacher=None),
    }
    print(made[what]())  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
