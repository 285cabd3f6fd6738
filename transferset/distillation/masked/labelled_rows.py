"""Rows that were masked before, and what a teacher said of them then.

`transferset label --mlm` writes such sets: the copies of a row are masked once and for all, so that
the teacher's logits can be kept. There is no masking any more, and no teacher.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from transferset.distillation.examples.mapped_lists import Int64, MappedLists
from transferset.distillation.masked.batches import MaskedBatch, TopRows
from transferset.errors import InputError, SetError, sentence
from transferset.manifest import MANIFEST
from transferset.reading import read_rows
from transferset.shards import REMEDY, ShardSet
from transferset.students.rows import Rows
from transferset.verification_logits import check_logits, check_teacher

_IDS: Final = "input_ids"
_LABELS: Final = "labels"
_TOP: Final = ("top_ids", "top_logits", "tail")

#: The label of a position that is not masked.
_NO_LABEL: Final = -100

#: How such a set is made.
_DO: Final = "transferset label SET --mlm --teacher DIR writes one"


class FixedMasks:
    """A labelled set as masked batches, read from mapped files.

    Attributes:
        lengths: int32[rows], ids of each.
        temperature: Of the teacher's logits; None if the set has labels alone.
        top_k: How many logits there are at each position; 0 without any.
        masked: Positions of all rows.
    """

    def __init__(self, found: ShardSet) -> None:
        """Check a set, in one pass over it, and map it.

        Args:
            found: With columns `input_ids` and `labels`, and those of a masked teacher or of none.

        Raises:
            InputError: There are no such columns.
            SetError: The set is damaged, or its columns do not fit together.
        """
        for name in (_IDS, _LABELS):
            if name not in found.manifest.schema:
                raise InputError(sentence(f"a column {name}", "none", str(found.root), _DO))
        self.temperature, self.top_k = _teacher(found)
        names = (_IDS, _LABELS, *(_TOP if self.top_k else ()))
        self.masked = _checked(found)
        self._columns = {name: MappedLists(found, name) for name in names}
        self.lengths = self._columns[_IDS].lengths()

    def batch(self, rows: Int64, epoch: int) -> MaskedBatch:
        """See `Masks.batch`; the same in each epoch."""
        ids, offsets = self._columns[_IDS].take(rows)
        labels, _ = self._columns[_LABELS].take(rows)
        positions = np.flatnonzero(labels != _NO_LABEL)
        read = Rows(ids.astype(np.int64), offsets)
        return MaskedBatch(read, positions, labels[positions].astype(np.int64), self._top(rows))

    def _top(self, rows: Int64) -> TopRows | None:
        if not self.top_k:
            return None
        ids, logits, tail = (self._columns[name].take(rows)[0] for name in _TOP)
        shape = (len(tail), self.top_k)
        return TopRows(ids.astype(np.int64).reshape(shape), logits.reshape(shape), tail)


def _teacher(found: ShardSet) -> tuple[float | None, int]:
    """Temperature and k of a masked teacher; None and 0 without one."""
    manifest = found.manifest
    size = manifest.tokenizer["vocab_size"] if manifest.tokenizer else 0
    check_teacher(manifest.schema, manifest.teacher, size, str(found.root / MANIFEST))
    if manifest.teacher is None:
        return None, 0
    if manifest.teacher["kind"] != "masked":
        expected = "logits of a masked language model"
        found_kind = f"those of a {manifest.teacher['kind']}"
        raise InputError(sentence(expected, found_kind, str(found.root), _DO))
    return float(manifest.teacher["temperature"]), int(manifest.teacher["top_k"])


def _checked(found: ShardSet) -> int:
    """How many positions are masked; every byte is checked against the manifest."""
    manifest, total = found.manifest, 0
    size = manifest.tokenizer["vocab_size"] if manifest.tokenizer else 0
    at = f"{found.root}, row"
    for start, batch in read_rows(found, 0, len(found)):
        total += _check_labels(batch, size, at, start)
        check_logits(batch, manifest.teacher, size, at, start)
    return total


def _check_labels(batch: pa.RecordBatch, size: int, at: str, first_row: int) -> int:
    """How many positions have a label; each is an id, and there is one for each id."""
    labels, ids = batch.column(_LABELS), batch.column(_IDS)
    sizes = np.diff(labels.offsets.to_numpy())
    values = labels.flatten().to_numpy()
    known = (values == _NO_LABEL) | ((values >= 0) & (values < size))
    wrong = sizes != np.diff(ids.offsets.to_numpy())
    wrong |= np.bincount(np.repeat(np.arange(len(sizes)), sizes)[~known], minlength=len(sizes)) > 0
    if wrong.any():
        row = first_row + int(np.argmax(wrong))
        expected = f"a label for each id, −100 or below {size:,}"
        raise SetError(sentence(expected, "others", f"{at} {row:,}", REMEDY))
    return int((values != _NO_LABEL).sum())
