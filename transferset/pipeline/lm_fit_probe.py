"""What `lm fit --dry-run` shows: the plan, and the time that a few steps on a copy foretell."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from transferset.errors import TransfersetError, sentence
from transferset.language_models.causal.examples import (
    Examples,
    all_cores,
    encode,
    gather,
    read_texts,
)
from transferset.language_models.causal.fitting import batches_of
from transferset.language_models.causal.learning import PieceLearner
from transferset.language_models.checkpoint import quiet
from transferset.manifest import Json, fingerprint
from transferset.pipeline.lm_fit import FirstTexts, check_length, open_model, open_pieces
from transferset.pipeline.lm_fit_plan import OF_SET, FitPlan
from transferset.schema import BATCH_ROWS
from transferset.shards import ShardSet
from transferset.training.order import batch_count

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from transferset.language_models.causal import CausalPieces

#: Texts whose pieces stand for those of all.
_TEXTS: Final = 20_000

#: Bytes of text that a tokenizer is fitted on for a probe.
_FITTED_BYTES: Final = 5_000_000

#: Seconds of the probe, and steps that do not count: the first ones take longer.
_SECONDS: Final = 5.0
_FIRST: Final = 2

#: Time of a measurement of a piece, by that of learning it: forward, and not backward.
_MEASURING: Final = 1 / 3


def fit_plan_json(plan: FitPlan) -> Json:
    """Plan and estimates; nothing is written where the model is going to be.

    Args:
        plan: What would be done.

    Returns:
        The recipe, and `examples`, `pieces`, `steps`, `parameters`, `pieces_per_second` and
        `seconds`, as far as the first texts and a few steps tell.

    Raises:
        TransfersetError: There is no text.
    """
    with tempfile.TemporaryDirectory() as folder, all_cores(), quiet():
        pieces = open_pieces(_tokenizer(plan, Path(folder)))
        model = open_model(plan, pieces)
        check_length(model, plan)
        counts = {name: _counts(one, pieces, plan) for name, one in plan.sets.items()}
        examples, _ = counts["train"]
        speed = _speed(plan, model, examples)
    told = {name: estimate for name, (_, estimate) in counts.items()}
    epochs = plan.params.epochs
    steps = epochs * batch_count(told["train"]["examples"], plan.params.batch)
    learnt = epochs * told["train"]["pieces"]
    times = 1 + (steps // plan.params.evaluate_every if plan.params.evaluate_every else epochs)
    measured = told["validation"]["pieces"] * times if "validation" in told else 0
    return {
        "name": plan.name,
        "recipe": fingerprint(plan.recipe),
        "params": plan.params.to_json(),
        "sets": {name: one.place for name, one in plan.sets.items()},
        "base": plan.base and plan.base["name"],
        "config": plan.given,
        "tokenizer": pieces.size,
        "estimates": told,
        "steps": steps,
        "pieces": learnt,
        "parameters": sum(one.numel() for one in model.parameters()),
        "pieces_per_second": round(speed),
        "seconds": round((learnt + _MEASURING * measured) / speed, 1),
    }


def _tokenizer(plan: FitPlan, folder: Path) -> Path | str:
    if plan.model is not None:
        return plan.model
    if plan.tokenizer == OF_SET:
        return plan.src.root
    if plan.tokenizer is not None:
        return plan.tokenizer
    from transferset.language_models.causal import fit_bpe

    fit_bpe(FirstTexts(plan.src, _FITTED_BYTES), plan.vocabulary, folder)
    return folder


def _counts(found: ShardSet, pieces: CausalPieces, plan: FitPlan) -> tuple[Examples, Json]:
    """Examples of the first texts, and what they say of all."""
    some, rows = [], 0
    for texts, pairs in _first(found):
        some.append(encode(pieces, texts, pairs, plan.params.length))
        rows += len(texts)
    examples = gather(some, pieces.start)
    if not len(examples):
        raise TransfersetError(
            sentence("at least one text", "none that is not blank", str(found.root))
        )
    share = len(found) / rows
    names = ("truncated", "cut_pieces", "empty")
    sums = {name: sum(getattr(one, name) for one in some) for name in names}
    counts = {"examples": len(examples), "pieces": examples.total, **sums}
    return examples, {"rows": len(found), **{n: round(share * c) for n, c in counts.items()}}


def _first(found: ShardSet) -> Iterator[tuple[pa.StringArray, pa.StringArray | None]]:
    return islice(read_texts(found), -(-_TEXTS // BATCH_ROWS))


def _speed(plan: FitPlan, model: PreTrainedModel, examples: Examples) -> float:
    """Pieces a second in a few steps; the model is not used afterwards."""
    procedure = plan.params.procedure(plan.seed)
    batches = batches_of(examples, procedure)
    learner = PieceLearner(model, examples, procedure)
    pieces, rows, began = 0, procedure.batch, time.perf_counter()
    for number in range(batch_count(len(examples), procedure.batch)):
        if number == _FIRST:
            pieces, began = 0, time.perf_counter()
        learnt = learner.learn(batches.batch(number), rows, 0.0, number)
        rows, pieces = learnt.at_once, pieces + learnt.tokens
        if time.perf_counter() - began > _SECONDS and number > _FIRST:
            break
    return pieces / (time.perf_counter() - began)
