"""The end of `lm fit`: weights, tokenizer, card and record are written, the record last."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from transferset import rng
from transferset.files import digest_file, sync_directory, write_atomic
from transferset.holding import RUN
from transferset.manifest import FileEntry, Json
from transferset.models import RECORD, RECORD_VERSION, Record
from transferset.pipeline.lineage import ancestors
from transferset.pipeline.lm_fit_plan import FitPlan
from transferset.report.model_card import model_card
from transferset.training.loop import State
from transferset.version import __version__

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from transferset.language_models.causal import CausalPieces

_CARD: Final = "README.md"


class Fitted(NamedTuple):
    """What became of a plan.

    Attributes:
        recipe: Its digest.
        tokenizer: Where it is from, and how many pieces it has.
        counts: Of the examples, by use.
        state: Of the training, at its end.
    """

    recipe: str
    tokenizer: Json
    counts: Json
    state: State


def commit_model(
    plan: FitPlan, root: Path, model: PreTrainedModel, pieces: CausalPieces, fitted: Fitted
) -> None:
    """Write a model's directory.

    Args:
        plan: What was done.
        root: The directory, locked.
        model: With its weights.
        pieces: Its tokenizer.
        fitted: What became of it.
    """
    from transferset.language_models.causal import save_causal

    folder = root / RUN / "result"
    shutil.rmtree(folder, ignore_errors=True)
    files = [_moved(path, root) for path in save_causal(model, pieces, folder)]
    sync_directory(root)
    record = _record(plan, files, fitted)
    write_atomic(root / _CARD, model_card(record).encode())
    write_atomic(root / RECORD, record.to_bytes())


def _moved(path: Path, root: Path) -> FileEntry:
    entry = FileEntry(path.name, path.stat().st_size, digest_file(path))
    path.replace(root / path.name)
    return entry


def _record(plan: FitPlan, files: list[FileEntry], fitted: Fitted) -> Record:
    parents = [(plan.src.manifest, "source")]
    if plan.validation is not None:
        parents.append((plan.validation.manifest, "validation"))
    state = fitted.state
    return Record(
        format=RECORD_VERSION,
        name=plan.name,
        op="lm fit",
        params={**plan.params.to_json(), "config": plan.given},
        seed=plan.seed,
        generator=rng.GENERATOR,
        recipe=fitted.recipe,
        code={
            "transferset": __version__,
            **plan.code,
            "threads": state.threads,
            "arithmetic": plan.arithmetic,
        },
        base=plan.base,
        parents=ancestors(parents),
        tokenizer=fitted.tokenizer,
        examples=fitted.counts,
        metrics=_metrics(state, plan),
        licence=plan.licence,
        files=tuple(files),
    )


def _metrics(state: State, plan: FitPlan) -> Json:
    short = state.at_once < plan.params.batch
    return {
        "steps": state.step,
        "pieces": state.tokens,
        "held_out": state.evaluations,
        "kept_step": state.best["step"] if state.best else state.step,
        "rows_at_once": state.at_once if short else None,
    }
