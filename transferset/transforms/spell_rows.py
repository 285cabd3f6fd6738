"""Rows of words become rows of ids, exactly as the tokenizer would make them, and texts."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.errors import TransfersetError, UsageError, sentence
from transferset.transforms.framing import frame_rows
from transferset.transforms.protocol import Spelling
from transferset.transforms.spell_kernels import (
    count_pieces,
    cut_lengths,
    place_pieces,
    text_offsets,
    write_texts,
)
from transferset.transforms.touching import Runs
from transferset.transforms.whole_texts import spell_whole
from transferset.transforms.word_table import WordTable
from transferset.transforms.wording import Words

#: Offsets of a batch have 32 bits.
MOST: Final = (1 << 31) - 1

Offsets = npt.NDArray[np.int32]


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
        self._mask_text = np.frombuffer(spelling.mask.encode(), np.uint8)
        self._runs = Runs(table, spelling, self.texts)

    def ids(self, sides: tuple[Words, ...]) -> tuple[npt.NDArray[Any], Offsets, int]:
        """Rows [CLS] a [SEP], or [CLS] a [SEP] b [SEP].

        Args:
            sides: One or two, of equally many rows.

        Returns:
            Ids of all rows, offsets int32[rows + 1], and how many content ids were left out
            because rows were longer than `max_len`: the end of a text, of a pair of the longer one
            first, as `tokenizers` cuts with `longest_first`.

        Raises:
            TransfersetError: More ids than offsets of 32 bits can hold.
        """
        if not self._spelling.joins:
            whole = [spell_whole(one, self.texts, self._spelling, self._mask) for one in sides]
            _require_room(sum(len(ids) for ids, _ in whole) + 3 * (len(sides[0].offsets) - 1))
            return frame_rows(whole, self._cls, self._sep, self._max_len, self._kind)
        self._runs.tidy()  # not between two sides of the same rows
        joined = [self._runs.joined(side) for side in sides]
        lengths = [count_pieces(one, self._table.piece_at, self._runs.piece_at) for one in joined]
        return self._frame(joined, lengths)

    def _frame(
        self, sides: list[Words], kept: list[npt.NDArray[np.int64]]
    ) -> tuple[npt.NDArray[Any], Offsets, int]:
        cut = 0
        if self._max_len is not None:
            cut = cut_lengths(kept[0], kept[-1], self._max_len - 1 - len(sides), len(sides) > 1)
        ends = np.cumsum(sum(kept) + (1 + len(sides)))
        _require_room(int(ends[-1]) if len(ends) else 0)
        offsets = np.append(0, ends).astype(np.int32)
        ids = np.empty(int(offsets[-1]), self._kind)
        ids[offsets[:-1]] = self._cls
        at = offsets[:-1].astype(np.int64) + 1
        table, runs = self._table, self._runs
        pieces = (table.pieces, table.piece_at, runs.pieces, runs.piece_at)
        for side, count in zip(sides, kept, strict=True):
            place_pieces(side, *pieces, self._mask, self._sep, at, count, ids)
            at += count + 1
        return ids, offsets, cut

    def texts(self, side: Words) -> pa.StringArray:
        """The text of each row: its words with their spaces, none after the last.

        Args:
            side: Rows; masked words become the mask piece.

        Raises:
            TransfersetError: More bytes than offsets of 32 bits can hold.
        """
        starts = text_offsets(side, self._table.text_at, len(self._mask_text))
        _require_room(int(starts[-1]))
        data = np.empty(int(starts[-1]), np.uint8)
        write_texts(side, self._table.text, self._table.text_at, self._mask_text, data)
        buffers = [pa.py_buffer(starts.astype(np.int32)), pa.py_buffer(data)]
        return pa.StringArray.from_buffers(len(starts) - 1, *buffers)


def _require_room(size: int) -> None:
    if size > MOST:
        found = f"{size:,} bytes or ids"
        raise TransfersetError(sentence("a batch below 2**31", found, do="vary shorter rows"))
