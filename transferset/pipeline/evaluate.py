"""Judge a model on sets: scores with intervals, mistakes, its teacher, speed and size."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from transferset.errors import UsageError, sentence
from transferset.files import write_atomic, writing
from transferset.manifest import Json
from transferset.pipeline.evaluation.answers import Answers, Int64, Side, ask
from transferset.pipeline.evaluation.masked import masked_json, run_masked
from transferset.pipeline.evaluation.masked_rows import masked_rows
from transferset.pipeline.evaluation.models import Judged
from transferset.pipeline.evaluation.pairing import sets_of_tasks
from transferset.pipeline.evaluation.params import EvaluateParams
from transferset.pipeline.evaluation.speed import timed, timed_rows
from transferset.pipeline.evaluation.tasks import macro_json, task_json
from transferset.pipeline.places import require_apart
from transferset.shards import ShardSet
from transferset.stage import Progress
from transferset.training.room import with_memory

#: Version of the JSON; members may be added to it.
FORMAT: Final = 1

#: What all results have, and no other file of ours.
_MEMBERS: Final = {"format", "settings", "model", "teacher", "tasks", "masked", "size", "speed"}

#: What may help where memory ends.
_MEMORY: Final = "lower --length or --resamples, or run it where there is more"

#: Larger files are no results.
_MOST_BYTES: Final = 1 << 28


def evaluate(
    model: str | Path,
    sets: Sequence[str | Path],
    teacher: str | Path | None,
    params: EvaluateParams,
    progress: Progress,
) -> Json:
    """Judge a model.

    Args:
        model: Its directory.
        sets: One for each task; of a masked language model one.
        teacher: Directory of another model of that kind; None for the logits that sets have.
        params: Options.
        progress: Told of rows that were answered.

    Returns:
        See docs/evaluate.md; the same each time, but for `speed`.

    Raises:
        UsageError: Sets and models do not fit together; torch is not installed.
        InputError: A model is none, or means other classes; a logit is no number.
        SetError: A set is damaged.
    """
    ours = Judged.open(model, mlm=params.mlm, device=params.device)
    ours.require_positions(params.length)
    theirs = None
    if teacher is not None:
        theirs = Judged.open(teacher, mlm=params.mlm, device=params.device)
    told = _of_pieces if params.mlm else _of_tasks
    with with_memory(_MEMORY), tempfile.TemporaryDirectory(prefix="transferset-") as folder:
        found, speed = told(ours, sets, theirs, params, Path(folder), progress)
    return {
        "format": FORMAT,
        "settings": params.to_json(),
        "model": ours.to_json(),
        "teacher": None if theirs is None else theirs.to_json(),
        "tasks": [],
        "macro": None,
        "masked": None,
        **found,
        "size": {"model": ours.size(), "teacher": None if theirs is None else theirs.size()},
        "speed": speed,
    }


def write_json(found: Json, out: Path) -> None:
    """Write a result, whole or not at all.

    Raises:
        TransfersetError: The system refuses.
    """
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        body = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False)
        write_atomic(out, f"{body}\n".encode())


def require_json(out: Path, read: Iterable[str | Path] = ()) -> Path:
    """Refuse what could be the path of something else, before hours of judging.

    Args:
        out: Where a result is to be written.
        read: Directories of models and sets that are read; sets also as `TASK=DIRECTORY`.

    Raises:
        UsageError: It is no `.json`, or inside such a directory, or there is something else.
    """
    if out.suffix != ".json" or out.is_dir():
        raise UsageError(sentence("an --out FILE.json", str(out)))
    places = [Path(name) for one in map(str, read) for name in (one, one.partition("=")[2]) if name]
    require_apart([out], [place for place in places if place.is_dir()])
    if out.exists() and not _is_result(out):
        expected = "an --out that is free, or holds an earlier result"
        raise UsageError(sentence(expected, "another file", str(out), "choose another --out"))
    return out


def _is_result(path: Path) -> bool:
    """Whether a file holds what `evaluate` found, by what is in it."""
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return False
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.keys() >= _MEMBERS


def _of_tasks(
    model: Judged,
    sets: Sequence[str | Path],
    teacher: Judged | None,
    params: EvaluateParams,
    folder: Path,
    progress: Progress,
) -> tuple[Json, Json]:
    pairs = sets_of_tasks(sets, model.tasks)
    sides = 1 if teacher is None else 2
    told = _teller(progress, sides * sum(len(found) for _, found in pairs))
    tasks, speed = [], None
    for number, found in pairs:
        answers = ask(found, number, model, teacher, params, folder, told)
        tasks.append(task_json(answers, params))
        speed = speed or _speed_of_task(answers)
    return {"tasks": tasks, "macro": macro_json(tasks, [one for _, one in pairs])}, speed or {}


def _of_pieces(
    model: Judged,
    sets: Sequence[str | Path],
    teacher: Judged | None,
    params: EvaluateParams,
    folder: Path,
    progress: Progress,
) -> tuple[Json, Json]:
    if len(sets) != 1:
        raise UsageError(sentence("one set with --mlm", f"{len(sets)}"))
    most = min(one.opened.positions for one in (model, teacher) if one is not None)
    length = min(params.length or most, most)
    rows = masked_rows(ShardSet.open(sets[0]), model, length, params.seed, folder)
    told = _teller(progress, len(rows.masks.lengths))
    found = masked_json(rows, model, teacher, params, told)
    lengths = rows.masks.lengths
    chosen = timed_rows(lengths)
    speed: Json = {"model": timed(run_masked(rows, model), chosen, lengths), "teacher": None}
    if teacher is not None:
        speed["teacher"] = timed(run_masked(rows, teacher), chosen, lengths)
    return {"masked": found}, speed


def _speed_of_task(answers: Answers) -> Json:
    """Of both on the same rows, whatever ids each reads of them."""
    rows = timed_rows(answers.ours.examples.lengths)
    sides = {"model": answers.ours, "teacher": answers.theirs}
    return {
        name: None if side is None else timed(_runs(side), rows, side.examples.lengths)
        for name, side in sides.items()
    }


def _runs(side: Side) -> Callable[[Int64], Any]:
    return side.logits


def _teller(progress: Progress, rows: int) -> Callable[[int], None]:
    progress.start("measure", rows, "rows")
    return lambda count: progress.advance(count, count)
