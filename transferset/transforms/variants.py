"""Making the variants of the rows of a batch, and telling which of them are others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.errors import InputError, UsageError, sentence
from transferset.schema import ids_type
from transferset.transforms.buffers import addresses, flat
from transferset.transforms.interleave import mark_changed, mark_equal
from transferset.transforms.protocol import Position, Setting
from transferset.transforms.spell_rows import RowSpeller
from transferset.transforms.word_table import WordTable
from transferset.transforms.wording import Rows, Words

#: Words of all attempts that are made at once.
WORDS_AT_ONCE: Final = 4_000_000

_SIDES: Final = ("", "_pair")
_COLUMNS: Final = ("text", "words", "space", "pos")
_MOST_COPIES: Final = 1 << 32


class Varier(Protocol):
    """Makes attempts."""

    def variants(
        self, rows: Rows, first: int, stop: int, stride: int, at: Position
    ) -> tuple[Words, ...]:
        """Attempts on some rows.

        Args:
            rows: What is varied.
            first: First attempt, from 1.
            stop: The one after the last.
            stride: Attempt k on the row (row, copy) has the address (row, copy · stride + k).
            at: Seed and step.

        Returns:
            Each side: row by row, attempt by attempt.
        """
        ...


def sides_of(batch: pa.RecordBatch) -> tuple[str, ...]:
    """The endings of the columns of each side: rows have one, or are pairs.

    Raises:
        UsageError: The rows have no words.
    """
    names = batch.schema.names
    sides = _SIDES if "text_pair" in names or "words_pair" in names else _SIDES[:1]
    missing = [n + s for s in sides for n in _COLUMNS if n + s not in names]
    if missing or "input_ids" not in names:
        expected = "rows with input_ids, text, words, space and pos"
        found = f"none of {', '.join(missing or ['input_ids'])}"
        do = "build the set with `transferset build task --tagger …`"
        raise UsageError(sentence(expected, found, do=do))
    return sides


def check_words(batch: pa.RecordBatch, tags: int) -> None:
    """Refuse rows whose words cannot be worked on.

    Args:
        batch: Rows.
        tags: Codes of tags are below it.

    Raises:
        UsageError: The rows have no words.
        InputError: Words, spaces and tags do not fit together.
    """
    for end in sides_of(batch):
        columns = [batch.column(name + end) for name in ("words", "space", "pos")]
        for column in columns:
            if column.null_count or column.flatten().null_count:
                raise _misfit(batch, f"words{end}, spaces and tags", "a null")
        lengths = [np.diff(column.offsets.to_numpy()) for column in columns]
        if not all(np.array_equal(one, lengths[0]) for one in lengths):
            raise _misfit(batch, f"as many words{end} as spaces and tags", "others")
        pos = flat(batch, "pos" + end)[0]
        if len(pos) and int(pos.max()) >= tags:
            raise _misfit(batch, f"tags below {tags}", str(pos.max()))


def rows_of(batch: pa.RecordBatch, table: WordTable, tags: int) -> Rows:
    """The rows of a batch as words; see `check_words`."""
    check_words(batch, tags)
    ends = sides_of(batch)
    sides = tuple(_side(batch, end, table) for end in ends)
    codes = tuple(flat(batch, "pos" + end)[0] for end in ends)
    return Rows(sides, codes, *addresses(batch))


def _side(batch: pa.RecordBatch, end: str, table: WordTable) -> Words:
    space = batch.column("space" + end).flatten().to_numpy(zero_copy_only=False)
    offsets = flat(batch, "pos" + end)[1].astype(np.int64)
    return Words(table.codes(batch.column("words" + end)), space.view(np.uint8), offsets)


def _misfit(batch: pa.RecordBatch, expected: str, found: str) -> InputError:
    rows = addresses(batch)[0]
    return InputError(sentence(expected, found, f"rows {rows[0]} to {rows[-1]}"))


def cut_batch(batch: pa.RecordBatch, attempts: int) -> Iterator[pa.RecordBatch]:
    """The batch in pieces of which not too much is made at once.

    Args:
        batch: Rows with words.
        attempts: How many rows are made of each.

    Yields:
        Its rows, in order: as many as have `WORDS_AT_ONCE` words with all attempts, or one.
    """
    size = np.ones(batch.num_rows, np.int64)
    for end in sides_of(batch):
        size += np.diff(batch.column("words" + end).offsets.to_numpy())
    total = np.append(0, np.cumsum(size * attempts))
    start = 0
    while start < batch.num_rows:
        most = int(np.searchsorted(total, total[start] + WORDS_AT_ONCE, "right")) - 1
        stop = max(start + 1, most)
        yield batch.slice(start, stop - start)
        start = stop


@dataclass(frozen=True, slots=True)
class Attempts:
    """Attempts that gave other rows than they began with.

    Attributes:
        which: int64[n], number within all attempts of the batch, row by row.
        sides: Words of all attempts of the batch.
        ids: Ids of these ones,
        offsets: int32[n + 1],
        cut: and how many content ids were left out.
        same: How many others gave the ids that were there.
    """

    which: npt.NDArray[np.int64]
    sides: tuple[Words, ...]
    ids: npt.NDArray[Any]
    offsets: npt.NDArray[np.int32]
    cut: int
    same: int


_NO_WORDS: Final = Words(np.zeros(0, np.int32), np.zeros(0, np.uint8), np.zeros(1, np.int64))


class Maker:
    """Makes attempts and spells them."""

    def __init__(self, setting: Setting, table: WordTable, varier: Varier, stride: int) -> None:
        """Prepare.

        Args:
            setting: With its spelling.
            table: All words.
            varier: Makes words of words.
            stride: See `Varier.variants`.

        Raises:
            UsageError: The setting has no spelling.
        """
        if setting.spelling is None:
            raise UsageError(sentence("a set with its tokenizer", "none"))
        self._tags, self._table, self._varier = len(setting.tags), table, varier
        self._stride = stride
        self.speller = RowSpeller(
            table,
            setting.spelling,
            cls=setting.cls,
            sep=setting.sep,
            mask=setting.mask,
            max_len=setting.max_len,
            ids_type=ids_type(setting.vocab_size),
        )

    def make(
        self,
        batch: pa.RecordBatch,
        first: int,
        stop: int,
        at: Position,
        wanted: npt.NDArray[np.bool_] | None = None,
    ) -> Attempts:
        """Make attempts on the rows of a batch.

        Args:
            batch: Rows.
            first: First attempt.
            stop: The one after the last.
            at: Seed and step.
            wanted: bool[rows · attempts], row by row; None is all.

        Returns:
            Those that are wanted and whose ids are not those of their row.

        Raises:
            UsageError: The copies have no room for so many attempts.
        """
        rows, each = rows_of(batch, self._table, self._tags), stop - first
        self._require_room(rows)
        if each:
            sides = self._varier.variants(rows, first, stop, self._stride, at)
        else:  # the originals alone are enough
            sides = tuple(_NO_WORDS for _ in rows.sides)
        changed = np.zeros(len(rows) * each, np.bool_)
        for before, after in zip(rows.sides, sides, strict=True):
            mark_changed(before, after, each, changed)
        asked = changed.size if wanted is None else int(wanted.sum())
        which = np.flatnonzero(changed if wanted is None else changed & wanted)
        ids, offsets, cut = self.speller.ids(sides, which)
        equal = np.empty(len(which), np.bool_)
        mark_equal(ids, offsets, *flat(batch), which // each, equal)
        if equal.any():
            which = which[~equal]
            ids, offsets, cut = self.speller.ids(sides, which)
        return Attempts(which, sides, ids, offsets, cut, asked - len(which))

    def _require_room(self, rows: Rows) -> None:
        most = (int(rows.copy.max(initial=0)) + 1) * self._stride
        if most > _MOST_COPIES:
            do = f"vary fewer copies, or with fewer attempts than {self._stride - 1}"
            raise UsageError(sentence("addresses of copies below 2**32", f"{most - 1:,}", do=do))
