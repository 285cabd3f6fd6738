"""Rows of words become rows of ids, exactly as the tokenizer would make them, and texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.errors import TransfersetError, UsageError, sentence
from transferset.transforms.framing import frame_rows
from transferset.transforms.interleave import pick_words
from transferset.transforms.protocol import Spelling
from transferset.transforms.spell_kernels import (
    SLACK,
    Parts,
    count_bytes,
    cut_lengths,
    eights_of,
    make_parts,
    text_offsets,
    write_rows,
    write_texts,
)
from transferset.transforms.touching import Runs
from transferset.transforms.whole_texts import spell_whole
from transferset.transforms.word_table import WordTable
from transferset.transforms.wording import Words

#: Offsets of a batch have 32 bits.
MOST: Final = (1 << 31) - 1

Offsets = npt.NDArray[np.int32]
Numbers = npt.NDArray[np.int64]


class RowSpeller:
    """Spells rows whose words are all in a table, without tokenising them again."""

    def __init__(
        self,
        table: WordTable,
        spelling: Spelling,
        *,
        cls: int,
        sep: int,
        mask: int,
        max_len: int | None,
        ids_type: pa.DataType,
    ) -> None:
        """Spell with a table.

        Args:
            table: The words.
            spelling: The one that the table was built with.
            cls: Id of [CLS].
            sep: Id of [SEP].
            mask: Id of [MASK].
            max_len: Most ids of a row, special ones included, ≥ 3; None is any number.
            ids_type: Of one id, see `schema.ids_type`.

        Raises:
            UsageError: `max_len` is below 3.
        """
        if max_len is not None and max_len < 3:
            raise UsageError(sentence("a --max-len of at least 3", str(max_len)))
        self._table, self._spelling = table, spelling
        self._cls, self._sep, self._mask, self._max_len = cls, sep, mask, max_len
        self._kind: np.dtype[Any] = np.dtype(ids_type.to_pandas_dtype())
        self._pieces = self._with_runs()
        masked = np.frombuffer(spelling.mask.encode() + b" ", np.uint8)
        self._bytes = make_parts([_alone(masked), _with_spaces(table)], gap=1)
        self._runs = Runs(table, spelling, self.texts)

    def ids(
        self, sides: tuple[Words, ...], picked: Numbers | None = None
    ) -> tuple[npt.NDArray[Any], Offsets, int]:
        """Rows [CLS] a [SEP], or [CLS] a [SEP] b [SEP].

        Args:
            sides: One or two, of equally many rows.
            picked: Numbers of the rows that are spelled; None is all.

        Returns:
            Ids of these rows, offsets int32[rows + 1], and how many content ids were left out
            because rows were longer than `max_len`: the end of a text, of a pair of the longer one
            first, as `tokenizers` cuts with `longest_first`.

        Raises:
            TransfersetError: More ids than offsets of 32 bits can hold.
        """
        if not self._spelling.joins:
            return self._whole(sides if picked is None else [pick_words(s, picked) for s in sides])
        self._runs.tidy()  # not between two sides of the same rows
        joined = tuple(self._runs.joined(side) for side in sides)
        return self._joined(joined, _all(sides[0]) if picked is None else picked)

    def _whole(self, sides: Sequence[Words]) -> tuple[npt.NDArray[Any], Offsets, int]:
        whole = [spell_whole(one, self.texts, self._spelling, self._mask) for one in sides]
        _require_room(sum(len(ids) for ids, _ in whole) + 3 * (len(sides[0].offsets) - 1))
        return frame_rows(whole, self._cls, self._sep, self._max_len, self._kind)

    def _joined(
        self, sides: tuple[Words, ...], picked: Numbers
    ) -> tuple[npt.NDArray[Any], Offsets, int]:
        parts = self._with_runs(self._runs) if len(self._runs) else self._pieces
        size = self._kind.itemsize
        kept = tuple(count_bytes(side, picked, parts.spans) // size for side in sides)
        cut = 0
        if self._max_len is not None:
            cut = cut_lengths(kept[0], kept[-1], self._max_len - 1 - len(sides), len(sides) > 1)
        ends = np.cumsum(sum(kept) + (1 + len(sides)))
        _require_room(int(ends[-1]) if len(ends) else 0)
        offsets = np.append(0, ends).astype(np.int32)
        ids = np.empty(int(offsets[-1]) + SLACK, self._kind)
        both, special = (kept[0], kept[-1]), (self._cls, self._sep)
        pairs, target = len(sides) > 1, eights_of(ids)
        write_rows(sides[0], sides[-1], pairs, picked, both, parts, special, ids, target)
        return ids[:-SLACK], offsets, cut

    def _with_runs(self, *runs: Runs) -> Parts:
        """Pieces of the mask, of all words, and of runs."""
        lists = [
            _alone(np.array([self._mask])),
            (self._table.pieces, self._table.piece_at),
            *((r.pieces, r.piece_at[: len(r) + 1]) for r in runs),
        ]
        return make_parts([(pieces.astype(self._kind), at) for pieces, at in lists])

    def texts(self, side: Words, picked: Numbers | None = None) -> pa.StringArray:
        """The text of each row: its words with their spaces, none after the last.

        Args:
            side: Rows; masked words become the mask piece.
            picked: Numbers of the rows that are spelled; None is all.

        Raises:
            TransfersetError: More bytes than offsets of 32 bits can hold.
        """
        picked = _all(side) if picked is None else picked
        starts = text_offsets(side, picked, self._bytes.spans)
        _require_room(int(starts[-1]))
        data = np.empty(int(starts[-1]) + SLACK, np.uint8)
        write_texts(side, picked, self._bytes, eights_of(data))
        buffers = [pa.py_buffer(starts.astype(np.int32)), pa.py_buffer(data)]
        return pa.StringArray.from_buffers(len(starts) - 1, *buffers)


def _all(side: Words) -> Numbers:
    return np.arange(len(side.offsets) - 1)


def _alone(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], Numbers]:
    return values, np.array([0, len(values)])


def _with_spaces(table: WordTable) -> tuple[npt.NDArray[np.uint8], Numbers]:
    """The bytes of all words, each with a space behind it, and offsets."""
    at = table.text_at.astype(np.int64)
    return np.insert(table.text, at[1:], ord(" ")), at + np.arange(len(at))


def _require_room(size: int) -> None:
    if size > MOST:
        found = f"{size:,} bytes or ids"
        raise TransfersetError(sentence("a batch below 2**31", found, do="vary shorter rows"))
