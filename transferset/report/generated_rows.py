"""The two sides that are compared: rows that a language model wrote, and natural ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from transferset.compiled import kernel
from transferset.report.generated import codes_of, written
from transferset.report.id_rows import Bools, Counts, Pieces, Rows, id_batches
from transferset.report.measures import histogram_with
from transferset.report.ngrams import BREAK, Ids
from transferset.rng import philox, step_key
from transferset.shards import ShardSet

#: Content tokens of a side that are held at once; of more, rows are chosen by their address.
MOST_TOKENS: Final = 20_000_000

#: Content tokens whose n-grams are listed together.
_TOGETHER: Final = 1 << 20

#: Seed and step of the order in which rows are looked at, whatever the seed of the set: a step
#: that no set has, since with the draws of one rows would be chosen by what they begin with.
_SEED, _STEP = 0, 0xFFFF_FFFD


@dataclass(frozen=True, slots=True)
class Text:
    """Some rows without [CLS], [SEP], [PAD] and [MASK].

    Attributes:
        ids: uint32, content tokens; `BREAK` where others stood between them.
        offsets: int64[rows + 1].
    """

    ids: Ids
    offsets: Counts

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.offsets) - 1

    def blocks(self) -> Iterator[Text]:
        """All rows, in parts of about a million tokens, or of one row."""
        start = 0
        while start < self.rows:
            room = self.offsets[start] + _TOGETHER
            stop = max(start + 1, int(np.searchsorted(self.offsets, room, "right")) - 1)
            yield Text(self.ids, self.offsets[start : stop + 1])
            start = stop

    def first(self, tokens: int) -> Text:
        """The first so many content tokens; the last row may be cut."""
        end = int(_end(self.ids, tokens))
        inside = self.offsets[: int(np.searchsorted(self.offsets, end))]
        return Text(self.ids[:end], np.append(inside, end))

    def only(self, rows: Counts) -> Text:
        """Some rows, in the order asked for."""
        ends: Counts = np.append(0, np.cumsum(np.diff(self.offsets)[rows]))
        out = np.empty(int(ends[-1]), np.uint32)
        _copy(self.ids, self.offsets, rows, out)
        return Text(out, ends)


@dataclass(frozen=True, slots=True)
class Tally:
    """What a pass over a side counts: rows by number of content tokens, and tokens by id."""

    lengths: Counts
    token_counts: Counts

    @property
    def rows(self) -> int:
        """Rows."""
        return int(self.lengths.sum())

    @property
    def tokens(self) -> int:
        """Content tokens."""
        return int(self.token_counts.sum())


@dataclass(frozen=True, slots=True)
class Side:
    """Those rows of a set that a language model wrote, or all others."""

    found: ShardSet
    generated: bool

    def batches(self, progress: Rows | None = None) -> Iterator[tuple[Text, Counts]]:
        """The rows in the order of the set, and their numbers, from 0, int64[rows].

        Raises:
            SetError: A shard is damaged.
        """
        content, codes = Pieces.of(self.found).content, codes_of(self.found.manifest)
        first = 0
        for batch in id_batches(self.found, progress):
            wanted = np.full(batch.rows, not self.generated)
            if len(codes) and "source" in batch.columns.schema.names:
                wanted = written(batch.columns.column("source"), codes) == self.generated
            yield _text(batch.ids, batch.offsets, content, wanted), first + np.flatnonzero(wanted)
            first += batch.rows

    def tally(self, progress: Rows | None = None) -> Tally:
        """Count rows and tokens."""
        counts: Counts = np.zeros(len(Pieces.of(self.found).content), np.int64)
        lengths: Counts = np.zeros(1, np.int64)
        for text, _ in self.batches(progress):
            sizes: Counts = np.empty(text.rows, np.int64)
            _count(text.ids, text.offsets, counts, sizes)
            lengths = histogram_with(lengths, sizes)
        return Tally(lengths, counts)

    def gather(self, tokens: int, progress: Rows | None = None) -> tuple[Text, Counts]:
        """Rows in a random order that their numbers alone decide.

        Args:
            tokens: Content tokens of the side; of more than `MOST_TOKENS` only the beginning of
                that order is read, about so long.
            progress: Told of rows that were read.

        Returns:
            The rows, and their numbers in the set, int64[rows].
        """
        share = min(1.0, MOST_TOKENS / max(1, tokens))
        found = [_below(share, *one) for one in self.batches(progress)]
        numbers = np.concatenate([np.zeros(0, np.int64), *(one for _, one in found)])
        sizes = np.concatenate([np.diff(text.offsets) for text, _ in found])
        ids = np.concatenate([text.ids for text, _ in found])
        del found  # twice the memory is enough
        order = np.argsort(addresses(numbers), kind="stable")
        return Text(ids, np.append(0, np.cumsum(sizes))).only(order), numbers[order]


def addresses(rows: Counts) -> npt.NDArray[np.uint64]:
    """A random number for each row, a function of its number alone.

    Args:
        rows: int64, numbers of rows.
    """
    low, high = rows.astype(np.uint32), (rows >> 32).astype(np.uint32)
    none = np.zeros_like(low)
    a, b, _, _ = philox((low, high, none, none), step_key(_SEED, _STEP))
    return (a.astype(np.uint64) << np.uint64(32)) | b.astype(np.uint64)


def _below(share: float, text: Text, numbers: Counts) -> tuple[Text, Counts]:
    """The rows among the first of all, in the order of their addresses."""
    if share == 1:
        return text, numbers
    kept = np.flatnonzero(addresses(numbers) < np.uint64(int(share * 2.0**64)))
    return text.only(kept), numbers[kept]


def _text(ids: Any, offsets: Any, content: Bools, wanted: Bools) -> Text:
    out = np.empty(int(offsets[-1] - offsets[0]), np.uint32)
    ends: Counts = np.zeros(int(wanted.sum()) + 1, np.int64)
    used = int(_content(ids, offsets, content, wanted, out, ends[1:]))
    return Text(out[:used], ends)


@kernel
def _content(ids: Any, offsets: Any, content: Any, wanted: Any, out: Any, ends: Any) -> Any:
    used = rows = 0
    for row in range(len(offsets) - 1):
        if not wanted[row]:
            continue
        start, broken = used, False
        for piece in ids[offsets[row] : offsets[row + 1]]:
            if not content[piece]:
                broken = used > start
                continue
            if broken:
                out[used] = BREAK
                used += 1
                broken = False
            out[used] = piece
            used += 1
        ends[rows] = used
        rows += 1
    return used


@kernel
def _count(ids: Any, offsets: Any, counts: Any, sizes: Any) -> None:
    for row in range(len(offsets) - 1):
        sizes[row] = 0
        for piece in ids[offsets[row] : offsets[row + 1]]:
            if piece != BREAK:
                counts[piece] += 1
                sizes[row] += 1


@kernel
def _end(ids: Any, tokens: int) -> Any:
    seen = place = 0
    while place < len(ids) and seen < tokens:
        seen += ids[place] != BREAK
        place += 1
    return place


@kernel
def _copy(ids: Any, offsets: Any, order: Any, out: Any) -> None:
    used = 0
    for row in order:
        for place in range(offsets[row], offsets[row + 1]):
            out[used] = ids[place]
            used += 1
