"""Batches as models take them: padded, masked, with labels and with what a teacher said.

A collator is a function of a batch's rows and epoch, so that it gives the same in any worker. Its
arrays are numpy's; called, as loaders do it, it gives tensors of torch on the same memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from transferset.errors import SetError, UsageError, sentence
from transferset.feeds.batching import Batch
from transferset.feeds.mapped import MappedRows
from transferset.feeds.padding import attention, padded, sides
from transferset.feeds.plain import opened
from transferset.feeds.ragged import Ragged
from transferset.feeds.rows import Row, batch_of
from transferset.masking import SHARE, SMOOTHING, Masking, rates_of
from transferset.shards import ShardSet

if TYPE_CHECKING:
    from torch import Tensor

Arrays = dict[str, npt.NDArray[Any]]

#: Of a label that losses leave out.
NO_LABEL: Final = -100

#: Rows that tell whether a set without texts holds pairs.
_TELLING: Final = 1_000


class Padding:
    """Pads rows, and gives what the set has beside them.

    Which columns a batch has says what comes out: see `arrays`.

    Attributes:
        pair: Whether `token_type_ids` are given.
    """

    def __init__(
        self,
        set: ShardSet | str | Path,
        *,
        multiple: int = 1,
        length: int | None = None,
        pair: bool | None = None,
    ) -> None:
        """Take what is to be known of a set.

        Args:
            set: Whose rows are collated, or one with the same tokenizer and teacher.
            multiple: The width of a batch is one of it, ≥ 1 (transformers' `pad_to_multiple_of`).
            length: Pad to it whatever the batch; None for the longest row.
            pair: Whether rows are pairs; None for what the set says.

        Raises:
            UsageError: The set has no ids, or a number is out of range.
        """
        found = opened(set)
        tokenizer = found.manifest.tokenizer
        if tokenizer is None or "input_ids" not in found.manifest.schema:
            raise UsageError(sentence("a set with input_ids", "none", found.label))
        if multiple < 1 or (length is not None and length < 1):
            raise UsageError(sentence("a length of at least 1", f"{multiple}, {length}"))
        self._special: dict[str, int] = tokenizer["special_ids"]
        self._size: int = tokenizer["vocab_size"]
        self._top_k: int | None = (found.manifest.teacher or {}).get("top_k")
        self._multiple, self._length = multiple, length
        self.pair = _is_pair(found) if pair is None else pair

    def __call__(self, examples: Batch | Sequence[Row] | Sequence[Batch]) -> dict[str, Tensor]:
        """Collate what a loader hands over.

        Args:
            examples: A batch, or some rows of a `ShardDataset`, or one batch in a list.

        Returns:
            `arrays` as tensors.
        """
        import torch

        made = self.arrays(batch_of(examples))
        return {name: torch.from_numpy(array) for name, array in made.items()}

    def arrays(self, batch: Batch) -> Arrays:
        """Collate a batch.

        Args:
            batch: Its columns need `input_ids`.

        Returns:
            `input_ids`, `attention_mask` and, of pairs, `token_type_ids`, int64[rows, width].
            `labels`, int64[rows, width] of a masked set, −100 where nothing is asked; else the
            column `label` as `labels`: int64[rows] (−100: none) or float32[rows] (NaN: none).
            `logits`, float32[rows, C]. Of a masked-language teacher, for the m places whose label
            is not −100: `positions`, int64[m], in the flattened matrix; `top_ids`, int64[m, k],
            `top_logits`, float32[m, k] and `tail`, float32[m].

        Raises:
            InputError: A row is longer than `length`.
            SetError: What the teacher said does not fit the labels.
        """
        ids = _ids(batch)
        made = self._inputs(ids, ids.values)
        labels = batch.columns.get("labels")
        if isinstance(labels, Ragged):
            made["labels"] = self._matrix(labels, NO_LABEL)
        elif "label" in batch.columns:
            made["labels"] = np.asarray(batch.columns["label"])
        if "logits" in batch.columns:
            made["logits"] = np.asarray(batch.columns["logits"]).astype(np.float32, copy=False)
        if isinstance(labels, Ragged):
            made |= self._teacher(batch, labels, made["labels"])
        return made

    def _inputs(self, rows: Ragged, values: npt.NDArray[Any]) -> Arrays:
        """The matrices of rows whose ids are `values`."""
        made = {"input_ids": self._matrix(Ragged(values, rows.offsets), self._special["pad"])}
        width = made["input_ids"].shape[1]
        made["attention_mask"] = attention(rows.offsets, width)
        if self.pair:  # by what stood there: a mask never stands for a separator
            separator = self._special["sep"]
            made["token_type_ids"] = sides(rows.values, rows.offsets, separator, width)
        return made

    def _matrix(self, rows: Ragged, fill: int) -> npt.NDArray[np.int64]:
        return padded(*rows, fill, multiple=self._multiple, length=self._length)

    def _teacher(self, batch: Batch, labels: Ragged, matrix: npt.NDArray[Any]) -> Arrays:
        """What a masked-language teacher said, as far as it was read."""
        counts = _counts(labels)
        made: Arrays = {}
        for name, per_place in (("top_ids", self._top_k), ("top_logits", self._top_k), ("tail", 1)):
            said = batch.columns.get(name)
            if not isinstance(said, Ragged) or per_place is None:
                continue
            if not np.array_equal(said.lengths, counts * per_place):
                raise SetError(sentence(f"{name} for each label", "others", f"row {batch.rows[0]}"))
            kind = np.int64 if name == "top_ids" else np.float32
            shape = (-1,) if name == "tail" else (-1, per_place)
            made[name] = said.values.astype(kind).reshape(shape)
        if made:
            made["positions"] = np.flatnonzero(matrix.ravel() != NO_LABEL)
        return made


class MaskedLm(Padding):
    """Masks rows anew in each epoch, for masked-language models.

    What becomes of a place depends on (seed, epoch, row, place) alone, by the rule that
    transferset's own training follows: see `transferset.masking`.
    """

    def __init__(
        self,
        set: ShardSet | str | Path,
        *,
        share: float = SHARE,
        seed: int = 0,
        starts: npt.NDArray[np.bool_] | None = None,
        counts: npt.NDArray[np.integer] | None = None,
        smoothing: float = SMOOTHING,
        multiple: int = 1,
        length: int | None = None,
        pair: bool | None = None,
    ) -> None:
        """Prepare the rates.

        Args:
            set: Whose rows are collated, or one with the same tokenizer.
            share: Of places without special pieces that are chosen, 0 < share < 1.
            seed: Of the masks, 0 ≤ seed < 2**64.
            starts: bool[V], whether a word begins with each piece (`transferset.word_starts`):
                whole words are chosen. None for pieces by themselves.
            counts: int64[V], how often each piece occurs: rare ones are chosen more often.
            smoothing: How much more often, see `transferset.masking.rates_of`.
            multiple: See `Padding`.
            length: See `Padding`.
            pair: See `Padding`.

        Raises:
            UsageError: The set has no ids or is masked already, or a number is out of range.
        """
        found = opened(set)
        super().__init__(found, multiple=multiple, length=length, pair=pair)
        if "labels" in found.manifest.schema:
            do = "collate it with Padding, or take its parent"
            raise UsageError(sentence("a set that is not masked", "labels", found.label, do))
        special = sorted(self._special.values())
        rates = rates_of(self._size, special, share=share, counts=counts, smoothing=smoothing)
        words = np.empty(0, np.bool_) if starts is None else np.ascontiguousarray(starts, np.bool_)
        self._masking = Masking(rates, self._special["mask"], seed, words)

    def arrays(self, batch: Batch) -> Arrays:
        """Collate a batch.

        Args:
            batch: Of its columns `input_ids` alone is used.

        Returns:
            `input_ids`, masked, `attention_mask` and, of pairs, `token_type_ids`; `labels`, what
            stood where something was chosen, −100 elsewhere. All int64[rows, width].

        Raises:
            InputError: A row is longer than `length`.
        """
        rows = _ids(batch)
        ids = rows.values.astype(np.int32, copy=False)
        masked = self._masking(ids, rows.offsets, batch.rows, batch.place.epoch)
        labels = np.full(len(ids), NO_LABEL, np.int32)
        labels[masked.positions] = ids[masked.positions]
        made = self._inputs(rows, masked.ids)
        made["labels"] = self._matrix(Ragged(labels, rows.offsets), NO_LABEL)
        return made


def _ids(batch: Batch) -> Ragged:
    found = batch.columns.get("input_ids")
    if not isinstance(found, Ragged):
        raise UsageError(sentence("the column input_ids", ", ".join(batch.columns) or "none"))
    return found


def _counts(labels: Ragged) -> npt.NDArray[np.int64]:
    """Labels of each row that ask for something."""
    before = np.append(0, np.cumsum(labels.values != NO_LABEL))
    return np.diff(before[labels.offsets])


def _is_pair(found: ShardSet) -> bool:
    """Whether a set's rows are pairs; without texts the separators of its first rows tell."""
    schema = found.manifest.schema
    if "text" in schema or "words" in schema:
        return "text_pair" in schema or "words_pair" in schema
    rows = np.arange(min(_TELLING, len(found)))
    ids = MappedRows(found, ["input_ids"]).gather(rows)["input_ids"]
    tokenizer = found.manifest.tokenizer
    if not len(rows) or tokenizer is None or not isinstance(ids, Ragged):
        return False
    before = np.append(0, np.cumsum(ids.values == tokenizer["special_ids"]["sep"]))
    return bool((np.diff(before[ids.offsets]) == 2).all())
