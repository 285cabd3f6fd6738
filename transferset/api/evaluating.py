"""Judging teachers and students."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from transferset.api.sets import only_set
from transferset.manifest import Json

if TYPE_CHECKING:
    from transferset.stage import Progress


def evaluate(
    model: str | Path,
    sets: str | Path | Sequence[str | Path] = (),
    out: str | Path | None = None,
    *,
    teacher: str | Path | None = None,
    mlm: bool = False,
    device: str | None = None,
    length: int | None = None,
    mistakes: int = 10,
    resamples: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
) -> Json:
    """Judge a model on labelled rows, and by how far it answers as its teacher does.

    Scores are those of the task, with intervals by the bootstrap; what is left of the teacher's is
    told with intervals of the paired bootstrap. Rows without a label are left out of them. Nothing
    is written unless `out` is given, but for ids that are made anew, in a temporary directory.

    Args:
        model: Directory of a student, an encoder with heads or any sequence classifier of
            transformers; with `mlm` of a masked language model.
        sets: A set for each task of the model; in the order of the tasks, called as they, or as
            `TASK=SET`. None is the only one under `sets/`.
        out: File of JSON that the result is also written to, outside of what is read; an earlier
            result is replaced, and nothing else.
        teacher: Directory of a model of that kind; None for the logits that a set has.
        mlm: Judge a masked language model, by masked pieces.
        device: As torch names it: `cpu`, `cuda`; None is the processor.
        length: Most ids of a row that is read; None is what each model has positions for.
        mistakes: How many rows are told of the surest mistakes, and of the least sure.
        resamples: Of each interval, at least 39.
        seed: Of resamples and masks, 0 ≤ seed < 2**64.
        progress: Told of rows that were answered.

    Returns:
        A JSON object, see docs/evaluate.md; the same each time, but for `speed`.

    Raises:
        UsageError: An option is wrong; sets and models do not fit together; there are neither
            labels nor a teacher; torch is not installed.
        InputError: A directory holds no such model, or is damaged; classes are others than the
            model's; a logit is no number.
        SetError: A set is damaged.
        TransfersetError: Disk or memory.
    """
    from transferset.pipeline.evaluate import evaluate as judge
    from transferset.pipeline.evaluate import require_json, write_json
    from transferset.pipeline.evaluation.params import EvaluateParams
    from transferset.pipeline.remote import local, written
    from transferset.stage import Quiet

    given = [sets] if isinstance(sets, str | Path) else list(sets)
    given = given or [only_set(None)]
    model, teacher = local(model), local(teacher)
    read = [model, *given, *([] if teacher is None else [teacher])]
    params = EvaluateParams(
        mlm=mlm, device=device, length=length, mistakes=mistakes, resamples=resamples, seed=seed
    )
    if out is None:
        return judge(model, given, teacher, params, progress or Quiet())
    with written(out) as path:
        file = require_json(path, read)
        found = judge(model, given, teacher, params, progress or Quiet())
        write_json(found, file)
    return found
