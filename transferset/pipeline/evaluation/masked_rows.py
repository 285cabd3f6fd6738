"""A set as rows under masks that are the same each time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from transferset.distillation.examples.reading import IDS, Reading, how_read
from transferset.distillation.masked.reading import rows_task, special_ids
from transferset.errors import UsageError, sentence
from transferset.masking import SHARE, Masking, rates_of
from transferset.pipeline.evaluation.models import Judged
from transferset.shards import ShardSet

if TYPE_CHECKING:
    from transferset.distillation.masked.batches import Masks


class MaskedRows(NamedTuple):
    """Masked rows of a set.

    Attributes:
        found: The set.
        masks: Its rows.
        share: Of the positions that are masked by rule; None if the set has masks of its own.
        cut_rows: Rows that were longer than what is read.
        read: In which way they are read, see `distillation.examples.reading.WAYS`.
    """

    found: ShardSet
    masks: Masks
    share: float | None
    cut_rows: int
    read: str


def masked_rows(
    found: ShardSet, model: Judged, length: int | None, seed: int, folder: Path
) -> MaskedRows:
    """Open a set as masked rows.

    A set with a column `labels` is masked already. Rows of another are masked as Devlin et al. 2019
    (§ 3.1) have it, by the masks under which a training with that seed measures held-out rows.

    Args:
        found: The set.
        model: Says what ids mean.
        length: Most ids of a row; None is what the model has positions for.
        seed: Of the masks.
        folder: For ids that are made anew.

    Raises:
        UsageError: The set has no rows, or not what the model reads.
        SetError: It is damaged.
    """
    if not len(found):
        raise UsageError(sentence("rows to mask", "none", str(found.root)))
    reading = model.reading(found, length)
    if "labels" in found.manifest.schema:
        return _given(found, reading)
    from transferset.distillation.examples.examples import open_examples
    from transferset.distillation.masked.batches import DynamicMasks

    special = special_ids(reading)
    rates = rates_of(reading.vocabulary.size, sorted(special.values()))
    examples = open_examples(found, rows_task(found), reading, folder)
    masks = DynamicMasks(examples, Masking(rates, special["mask"], seed))
    return MaskedRows(found, masks, SHARE, examples.cut_rows, examples.how)


def _given(found: ShardSet, reading: Reading) -> MaskedRows:
    from transferset.distillation.masked.labelled_rows import FixedMasks

    if how_read(found, reading) != IDS:  # what is masked cannot be spelt again
        expected, had = "masked ids of the model's tokenizer", "those of another one"
        raise UsageError(sentence(expected, had, str(found.root)))
    return MaskedRows(found, FixedMasks(found), None, 0, IDS)
