"""A masked language model on held-out rows, beside its teacher."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from transferset.errors import InputError, UsageError, sentence
from transferset.manifest import Json
from transferset.metrics.tasks import Metric
from transferset.pipeline.evaluation.masked_rows import MaskedRows
from transferset.pipeline.evaluation.models import Judged
from transferset.pipeline.evaluation.params import EvaluateParams
from transferset.pipeline.evaluation.scoring import compared

if TYPE_CHECKING:
    from torch import Tensor

    from transferset.distillation.masked.batches import MaskedBatch

#: Largest loss that has a perplexity.
_MOST: Final = 700

Array = npt.NDArray[Any]
Int64 = npt.NDArray[np.int64]


class Said(NamedTuple):
    """What a model makes of each row, summed over its masked positions, float64[rows].

    Attributes:
        loss: −log p of the pieces that stood there, in nats.
        hits: Positions at which that piece has the highest logit.
    """

    loss: Array
    hits: Array


class Sums(NamedTuple):
    """Sums of each row over its masked positions, float64[rows].

    Attributes:
        masked: How many there are.
        sides: What the model, and then the teacher, makes of them.
        kl: KL(teacher‖model) in nats; zeros without a teacher.
        same: Positions at which both have the same highest logit.
    """

    masked: Array
    sides: Sequence[Said]
    kl: Array
    same: Array


def masked_json(
    rows: MaskedRows,
    model: Judged,
    teacher: Judged | None,
    params: EvaluateParams,
    told: Callable[[int], None],
) -> Json:
    """All that is told of a masked language model on a set.

    Args:
        rows: Of the set.
        model: What is judged.
        teacher: Reads the same pieces; or None.
        params: Resamples and seed.
        told: Told of rows that were answered.

    Returns:
        See docs/evaluate.md.

    Raises:
        InputError: A row is too long, or a logit is no number.
        UsageError: Nothing is masked, or the teacher reads other pieces.
    """
    _require_same_pieces(model, teacher)
    found = sums(rows, [model] if teacher is None else [model, teacher], told)
    if not found.masked.sum():
        raise UsageError(sentence("a masked position", "none", str(rows.found.root)))
    manifest = rows.found.manifest
    return {
        "set": {
            "name": manifest.name,
            "label": rows.found.label,
            "path": rows.found.place,
            "digest": manifest.digest,
        },
        "rows": len(found.masked),
        "read": rows.read,
        "cut_rows": rows.cut_rows,
        "share": rows.share,
        "masked": int(found.masked.sum()),
        "metrics": _metrics(found, params),
        "agreement": _agreement(found, params) if teacher else None,
    }


def run_masked(rows: MaskedRows, model: Judged) -> Callable[[Int64], None]:
    """What reads some rows as `masked_json` does, for timing."""
    from transferset.teachers.logits import by_budget, halving, usual

    asked = model.opened.model
    device = asked.device.type
    lengths = rows.masks.lengths.astype(np.int64)

    def run(which: Int64) -> None:
        def some(places: Int64) -> None:
            batch = _batch(rows, which[places])
            if len(batch.positions):
                _log_probabilities(asked, batch)[0, 0].item()  # a GPU answers later

        halving(by_budget(lengths[which], usual(device)), some)

    return run


def sums(rows: MaskedRows, models: Sequence[Judged], told: Callable[[int], None]) -> Sums:
    """Ask models about all rows.

    Args:
        rows: Of a set.
        models: One, or a model and its teacher.
        told: Told of rows that were answered.

    Raises:
        InputError: A row is too long, or a logit is no number.
    """
    from transferset.teachers.logits import by_budget, halving, usual

    lengths = rows.masks.lengths.astype(np.int64)
    asked = [one.opened.model for one in models]
    sides = [Said(*np.zeros((2, len(lengths)))) for _ in models]
    masked, kl, same = np.zeros((3, len(lengths)))

    def some(which: Int64) -> None:
        batch = _batch(rows, which)
        places = np.searchsorted(batch.rows.offsets, batch.positions, "right") - 1
        masked[which] = np.bincount(places, minlength=len(which))
        logs = [_log_probabilities(one, batch) for one in asked] if len(places) else []
        for log, side in zip(logs, sides, strict=False):
            loss, hits = _against(log, batch.targets)
            side.loss[which] = np.bincount(places, loss, len(which))
            side.hits[which] = np.bincount(places, hits, len(which))
        if len(logs) > 1:
            divergence, equal = _between(*logs)
            kl[which] = np.bincount(places, divergence, len(which))
            same[which] = np.bincount(places, equal, len(which))
        told(len(which))

    halving(by_budget(lengths, usual(asked[0].device.type)), some)
    for one, side in zip(models, sides, strict=True):
        if not np.isfinite(side.loss).all():
            row = int(np.argmin(np.isfinite(side.loss)))
            at = f"{one.path}, row {row:,} of {rows.found.root}"
            raise InputError(sentence("finite logits", "others", at))
    return Sums(masked, sides, kl, same)


def _batch(rows: MaskedRows, which: Int64) -> MaskedBatch:
    from transferset.distillation.masked.learner import HELD_OUT_EPOCH

    return rows.masks.batch(which, HELD_OUT_EPOCH)


def _log_probabilities(model: Any, batch: MaskedBatch) -> Tensor:
    """Of each piece at each masked position, float32[masked, V]."""
    import torch

    device = model.device.type
    with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
        layout = model.layout(batch.rows)
        at = layout.places[model.tensor(batch.positions)]
        logits: Tensor = model.head(model.hidden(layout).index_select(0, at))
        return logits.float().log_softmax(1)


def _against(log: Tensor, targets: Int64) -> tuple[Array, Array]:
    """Loss and hit of each position."""
    import torch

    right = torch.from_numpy(targets).to(log.device)
    loss = -log.gather(1, right[:, None])[:, 0]
    return loss.double().cpu().numpy(), (log.argmax(1) == right).double().cpu().numpy()


def _between(ours: Tensor, theirs: Tensor) -> tuple[Array, Array]:
    """KL(theirs‖ours) of each position, and whether the likeliest piece is the same."""
    divergence = (theirs.exp() * (theirs - ours)).sum(1)
    same = ours.argmax(1) == theirs.argmax(1)
    return divergence.double().cpu().numpy(), same.double().cpu().numpy()


def _mean(count: Array, total: Array) -> Array:
    """Over masked positions: rows weigh as much as they have of them."""
    over = count.sum(-1)
    mean = np.full(np.shape(over), np.nan)
    np.divide(total.sum(-1), over, out=mean, where=over > 0)
    return mean


def _perplexity(count: Array, loss: Array) -> Array:
    mean = _mean(count, loss)
    # beyond what a float can hold there is nothing to tell
    return np.asarray(np.exp(np.where(mean < _MOST, mean, np.nan)))


def _metrics(found: Sums, params: EvaluateParams) -> list[Json]:
    loss, hits = ([side[i] for side in found.sides] for i in range(2))
    of_loss = [Metric("loss", _mean), Metric("perplexity", _perplexity)]
    lower = compared(of_loss, found.masked, loss[0], _second(loss), params)
    for one in lower:
        one["retention"] = None  # less is better
    accuracy = [Metric("accuracy", _mean)]
    return [*lower, *compared(accuracy, found.masked, hits[0], _second(hits), params)]


def _second(sides: Sequence[Array]) -> Array | None:
    return sides[1] if len(sides) > 1 else None


def _agreement(found: Sums, params: EvaluateParams) -> Json:
    pairs = (("decisions", found.same), ("kl", found.kl))
    told = {}
    for name, values in pairs:
        (one,) = compared([Metric(name, _mean)], found.masked, values, None, params)
        told[name] = {key: one[key] for key in ("value", "low", "high", "undefined")}
    return {"positions": int(found.masked.sum()), **told}


def _require_same_pieces(model: Judged, teacher: Judged | None) -> None:
    if teacher is None:
        return
    ours, theirs = model.opened, teacher.opened
    same = ours.vocabulary.sha256 == theirs.vocabulary.sha256
    if not same or ours.model.size != theirs.model.size:
        expected = "a teacher that reads the model's pieces"
        found = f"{theirs.model.size:,} pieces" if same else "another tokenizer"
        raise UsageError(sentence(expected, found, teacher.path))
