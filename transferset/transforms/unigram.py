"""How often each token occurs, and drawing tokens as often.

Draws use the alias method (Walker 1977, "An efficient method for generating discrete random
variables with general distributions"): a table of equally likely columns, each of which holds at
most two tokens. It is built in whole numbers alone, so it is the same on every machine, and what it
draws is known exactly: of the 2**64 pairs of words, token t gets n_t/Σn · 2**64, rounded down or up
to a whole number. No probability is off by 2**-64 or more, and what never occurs is never drawn.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import uint64

from transferset.compiled import kernel
from transferset.errors import InputError, sentence
from transferset.transforms.buffers import addresses, flat
from transferset.transforms.protocol import Setting

Counts = npt.NDArray[np.int64]

#: What the rows of a survey count.
TOKENS: Final = 0
LENGTHS: Final = 1

#: Sums of counts stay below it, so that they and their doubles fit 64 bits.
MOST_COUNTED: Final = 1 << 62

_32 = uint64(32)


def count_tokens(batch: pa.RecordBatch, setting: Setting, counts: Counts) -> None:
    """Add a batch's content tokens to counts; [UNK] is one, [CLS] [SEP] [PAD] [MASK] are none.

    Args:
        batch: Rows with `input_ids` and their addresses.
        setting: The set's tokenizer.
        counts: int64[vocab_size], by id; is changed.

    Raises:
        InputError: An id is not below the size of the vocabulary.
    """
    special = _specials(setting)
    before = counts[special]
    ids, _ = flat(batch)
    _require_known(_add(ids, counts), batch, len(counts))
    counts[special] = before


def count_rows(batch: pa.RecordBatch, setting: Setting, counts: Counts) -> Counts:
    """As `count_tokens`, and how many content tokens each row has.

    Returns:
        int64[rows].
    """
    special = _specials(setting)
    before = counts[special]
    ids, offsets = flat(batch)
    lengths = np.empty(batch.num_rows, np.int64)
    wrong = _add_rows(ids, offsets, setting.is_content(), counts, lengths)
    _require_known(wrong, batch, len(counts))
    counts[special] = before
    return lengths


def _specials(setting: Setting) -> list[int]:
    return [setting.cls, setting.sep, setting.pad, setting.mask]


def _require_known(wrong: int, batch: pa.RecordBatch, size: int) -> None:
    """Refuse the id at place `wrong`, unless that is −1."""
    if wrong >= 0:
        ids, offsets = flat(batch)
        row = int(np.searchsorted(offsets, wrong, "right")) - 1
        where = f"row {addresses(batch)[0][row]}"
        raise InputError(sentence(f"ids below {size}", str(ids[wrong]), where))


class UnigramSurvey:
    """Counts the content tokens of a range of rows."""

    def __init__(self, setting: Setting) -> None:
        """Begin with none.

        Args:
            setting: The set's tokenizer.
        """
        self._setting = setting
        self._counts = np.zeros(setting.vocab_size, np.int64)

    def add(self, batch: pa.RecordBatch) -> None:
        """Count a batch."""
        count_tokens(batch, self._setting, self._counts)

    def finish(self) -> pa.RecordBatch:
        """The counts that are not 0, see `tallied`."""
        ids = np.flatnonzero(self._counts)
        return tallied(TOKENS, ids, self._counts[ids])


def tallied(kind: int, values: npt.NDArray[Any], counts: npt.NDArray[Any]) -> pa.RecordBatch:
    """What a survey has counted, as rows of a spill.

    Args:
        kind: `TOKENS` or `LENGTHS`.
        values: What was counted: ids, or numbers of content tokens.
        counts: How often each occurs.

    Returns:
        Columns `kind` uint8, `value` uint32, `count` uint64.
    """
    return pa.RecordBatch.from_arrays(
        [
            pa.array(np.full(len(values), kind, np.uint8)),
            pa.array(np.asarray(values).astype(np.uint32)),
            pa.array(np.asarray(counts).astype(np.uint64)),
        ],
        names=["kind", "value", "count"],
    )


def merge_counts(batches: Iterable[pa.RecordBatch], vocab_size: int) -> Counts:
    """The sum of what the surveys counted.

    Args:
        batches: From `tallied`; lengths are passed over.
        vocab_size: Ids are below it.

    Returns:
        int64[vocab_size], by id.
    """
    counts = np.zeros(vocab_size, np.int64)
    for batch in batches:
        ids, count = tally_of(batch, TOKENS)
        counts[ids] += count  # a survey names each id once
    return counts


def tally_of(batch: pa.RecordBatch, kind: int) -> tuple[Counts, Counts]:
    """Values and counts of one kind out of what `tallied` made."""
    wanted = batch.column("kind").to_numpy() == kind
    value, count = (batch.column(name).to_numpy()[wanted] for name in ("value", "count"))
    return value.astype(np.int64), count.astype(np.int64)


class AliasTable(NamedTuple):
    """Tokens as often as they were counted, see `draw_token`.

    Attributes:
        columns: uint64[2**bits]. Column t belongs to token t; its low `bits` bits are the other
            token that it holds, the bits above them are how many of its 2**(64 − bits) chances are
            token t's. A column that is t's alone names t as the other one.
        bits: uint64, at least 1.
    """

    columns: npt.NDArray[np.uint64]
    bits: np.uint64


def alias_table(counts: Counts) -> AliasTable:
    """A table that draws each token in proportion to its count.

    Args:
        counts: int64[tokens], ≥ 0, of a sum below 2**62. If all are 0, nothing may be drawn.

    Returns:
        The table, a function of the counts alone.
    """
    bits = max(1, (len(counts) - 1).bit_length())
    columns = np.arange(1 << bits, dtype=np.uint64)
    if counts.any():
        column = 1 << (64 - bits)
        masses = _masses(counts) + [0] * ((1 << bits) - len(counts))
        over = np.array([max(0, mass - column) for mass in masses], np.uint64)
        under = np.array([max(0, column - mass) for mass in masses], np.uint64)
        _fill(over, under, columns, np.uint64(bits))
    return AliasTable(columns, np.uint64(bits))


def _masses(counts: Counts) -> list[int]:
    """2**64 shared out by largest remainder, the lower id first; in Python's whole numbers."""
    total = int(counts.sum())
    shares = [divmod(n << 64, total) for n in counts.tolist()]
    masses = [share for share, _ in shares]
    remainders = np.array([rest for _, rest in shares], np.int64)
    for token in np.argsort(-remainders, kind="stable")[: (1 << 64) - sum(masses)].tolist():
        masses[token] += 1
    return masses


@kernel
def _fill(over: Any, under: Any, columns: Any, bits: Any) -> None:
    """Fill each column that its token leaves room in from one whose token has more than a column.

    `over` is what each token's mass has beyond a column, `under` what it lacks of one. The sums are
    equal, so the search for the next giver always ends.
    """
    size = uint64(1) << (uint64(64) - bits)
    giver = 0
    for light in range(len(columns)):
        taker, lacking = light, under[light]
        while lacking > 0:
            while over[giver] == 0:
                giver += 1
            columns[taker] = ((size - lacking) << bits) | uint64(giver)
            if over[giver] >= lacking:
                over[giver] -= lacking
                lacking = uint64(0)
            else:  # the giver has given too much of its own column, and takes next
                lacking -= over[giver]
                over[giver] = 0
                taker = giver


@kernel
def draw_token(w0: Any, w1: Any, columns: Any, bits: Any) -> Any:
    """One token out of an `AliasTable`.

    Args:
        w0: uint32, random.
        w1: uint32, random.
        columns: The table's.
        bits: The table's.

    Returns:
        int64: the highest of the 64 bits choose the column, the others one of its chances.
    """
    word = (uint64(w0) << _32) | uint64(w1)
    own = word >> (uint64(64) - bits)
    column = columns[own]
    low = (uint64(1) << bits) - uint64(1)
    return own if ((word << bits) | low) < column else column & low


@kernel
def _add(ids: Any, counts: Counts) -> int:
    """Count ids; the place of the first that is out of range, or −1."""
    size = uint64(len(counts))
    for i in range(len(ids)):
        token = uint64(ids[i])
        if token >= size:
            return i
        counts[token] += 1
    return -1


@kernel
def _add_rows(ids: Any, offsets: Any, content: Any, counts: Counts, lengths: Counts) -> int:
    """Count ids, and content tokens by row; the place of the first out of range, or −1."""
    size = uint64(len(counts))
    for i in range(len(lengths)):
        length = 0
        for j in range(offsets[i], offsets[i + 1]):
            token = uint64(ids[j])
            if token >= size:
                return j
            counts[token] += 1
            length += content[token]
        lengths[i] = length
    return -1
