"""The end of a training: weights, vocabulary, card and record are written, the record last."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from transferset import rng
from transferset.files import digest_file, sync_directory, write_atomic
from transferset.holding import RUN
from transferset.manifest import FileEntry, Json
from transferset.models import RECORD, RECORD_VERSION, Record
from transferset.pipeline.lineage import ancestors
from transferset.pipeline.training.plan import TrainPlan
from transferset.report.trained_card import about_lines, hub_header
from transferset.version import __version__

if TYPE_CHECKING:
    from transferset.pipeline.training.seeds import Trained
    from transferset.pipeline.training.work import Begun, Work

_CARD: Final = "README.md"


def commit_model(
    plan: TrainPlan,
    root: Path,
    recipe: str,
    work: Work,
    begun: Begun,
    kept: Trained,
    trained: Sequence[Trained],
) -> None:
    """Write a model's directory.

    Args:
        plan: What was done.
        root: The directory, locked.
        recipe: Digest of the recipe.
        work: Models and data.
        begun: The training whose weights are kept.
        kept: What it came to.
        trained: All trainings.
    """
    folder = root / RUN / "result"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    record = _record(plan, recipe, work, begun, kept, trained)
    paths = work.save(begun.learner.module, folder, about_lines(record))
    card = (folder / _CARD).read_text("utf-8")
    files = [_moved(path, root) for path in paths if path.name != _CARD]
    sync_directory(root)
    write_atomic(root / _CARD, f"{hub_header(record)}\n\n{card}".encode())
    write_atomic(root / RECORD, replace(record, files=tuple(files)).to_bytes())


def _moved(path: Path, root: Path) -> FileEntry:
    entry = FileEntry(path.name, path.stat().st_size, digest_file(path))
    path.replace(root / path.name)
    return entry


def _record(
    plan: TrainPlan,
    recipe: str,
    work: Work,
    begun: Begun,
    kept: Trained,
    trained: Sequence[Trained],
) -> Record:
    parents = [(one.manifest, "source") for one in plan.sets]
    parents += [(one.manifest, "validation") for one in plan.held_out]
    about = {name: value for name, value in begun.about.items() if name != "parameters"}
    teacher = {} if plan.teacher_about is None else {"teacher": plan.teacher_about}
    return Record(
        format=RECORD_VERSION,
        name=plan.name,
        op=plan.op,
        params={**plan.params, "student": {**plan.about, **about}, **teacher},
        seed=plan.seed,
        generator=rng.GENERATOR,
        recipe=recipe,
        code={
            "transferset": __version__,
            **plan.code,
            "threads": kept.told["threads"],
            "arithmetic": plan.arithmetic,
        },
        base=plan.base,
        parents=ancestors(parents),
        tokenizer=work.tokenizer,
        examples=work.counts,
        metrics=_metrics(begun, kept, trained),
        licence=plan.licence,
        files=(),
    )


def _metrics(begun: Begun, kept: Trained, trained: Sequence[Trained]) -> Json:
    from transferset.pipeline.training.seeds import seeds_json

    told = {name: value for name, value in kept.told.items() if name != "threads"}
    score = None if kept.score != kept.score else kept.score
    return {
        **told,
        "score": score,
        "parameters": begun.parameters,
        "seeds": seeds_json(trained, kept),
    }
