"""Dynamic masking: other pieces are masked in each epoch, by address.

What becomes of a position is a function of (seed, epoch, row, position), not of batches. Each is
chosen by itself with its piece's probability (Bernoulli, as BERT's collators in transformers do;
the code of DistilBERT draws an exact number out of each batch, which would make a row depend on its
neighbours). Of the chosen 80 % become [MASK], 10 % another piece, 10 % stay (Devlin et al. 2019,
§ 3.1); a random piece is never a special one. Of whole words the first piece's draw decides on all
pieces, and what becomes of each is drawn by itself (as in the code published with that paper).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import uint32, uint64

from transferset.compiled import kernel
from transferset.errors import InputError, UsageError, sentence
from transferset.philox import as_words, block
from transferset.rng import step_key

#: Share of positions, and exponent of the smoothing (Sanh et al.'s code, after XLM).
SHARE: Final = 0.15
SMOOTHING: Final = 0.7

#: Ordinal of the key; those of steps start at 0, training has 0xFFFF_FFFE.
_MASKING: Final = 0xFFFF_FFFC

#: Random words below these become [MASK], another piece.
_BECOMES_MASK: Final = np.uint64(round(0.8 * 2**32))
_BECOMES_OTHER: Final = np.uint64(round(0.9 * 2**32))

_1, _32 = uint64(1), uint64(32)


class Masked(NamedTuple):
    """Rows after masking.

    Attributes:
        ids: int32[n], what the models read.
        positions: int64[masked], rising: where something was chosen, whatever became of it; the
            targets are the original ids there.
    """

    ids: npt.NDArray[np.int32]
    positions: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Masking:
    """How rows are masked.

    Attributes:
        rates: float64[V], the probability of each piece to be chosen, see `rates_of`.
        mask: Id of [MASK].
        seed: 0 ≤ seed < 2**64.
        starts: bool[V], whether a word begins with the piece; empty for pieces by themselves.
    """

    rates: npt.NDArray[np.float64]
    mask: int
    seed: int = 0
    starts: npt.NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))
    # made once: a vocabulary is larger than most batches
    _below: npt.NDArray[np.uint64] = field(init=False, repr=False)
    _others: npt.NDArray[np.int32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.starts) not in (0, len(self.rates)):
            expected = f"words' starts of {len(self.rates):,} pieces"
            raise UsageError(sentence(expected, f"{len(self.starts):,}"))
        below = np.round(self.rates * 2.0**32).astype(np.uint64)
        object.__setattr__(self, "_below", below)
        object.__setattr__(self, "_others", np.flatnonzero(self.rates > 0).astype(np.int32))

    def __call__(
        self,
        ids: npt.NDArray[np.int32],
        offsets: npt.NDArray[np.int64],
        rows: npt.NDArray[np.int64],
        epoch: int,
    ) -> Masked:
        """Mask a batch.

        Args:
            ids: int32[n].
            offsets: int64[rows + 1].
            rows: int64[rows], the number of each row in its set.
            epoch: Or the number of a fixed copy; from 0, below 2**32.

        Raises:
            InputError: An id is out of range.
        """
        if len(ids) and not 0 <= ids.min() <= ids.max() < len(self.rates):
            found = f"{ids.min():,} to {ids.max():,}"
            raise InputError(sentence(f"ids from 0 to {len(self.rates) - 1:,}", found))
        out, positions = np.empty(len(ids), np.int32), np.empty(len(ids), np.int64)
        address = (
            rows.astype(np.uint64),
            np.uint32(epoch),
            *as_words(step_key(self.seed, _MASKING)),
        )
        given = (np.ascontiguousarray(ids, np.int32), np.asarray(offsets, np.int64))
        tables = (self._below, self._others, self.starts)
        count = _mask(*given, *address, *tables, np.int32(self.mask), out, positions)
        return Masked(out, positions[:count].copy())


def rates_of(
    size: int,
    special: npt.NDArray[np.integer] | list[int],
    *,
    share: float = SHARE,
    counts: npt.NDArray[np.integer] | None = None,
    smoothing: float = SMOOTHING,
) -> npt.NDArray[np.float64]:
    """The probability of each piece to be chosen.

    With counts, rare pieces are chosen more often: a piece's probability is proportional to
    count^−smoothing, but at most 1, and scaled so that over the counted text the expected share is
    `share`. The code of DistilBERT scales within each batch instead.

    Args:
        size: V, of the vocabulary.
        special: Ids that are never chosen.
        share: Of all other positions, 0 < share < 1.
        counts: int64[V], of the pieces in the text; one that does not occur counts once. None for
            the same probability everywhere.
        smoothing: ≥ 0; 0 is none.

    Returns:
        float64[V]

    Raises:
        UsageError: A number is out of range.
    """
    if not 0 < share < 1 or not 0 <= smoothing < float("inf"):
        raise UsageError(sentence("a share between 0 and 1", f"{share} ({smoothing})"))
    if counts is not None and (len(counts) != size or counts.min(initial=0) < 0):
        raise UsageError(sentence(f"counts of {size:,} pieces", f"{len(counts):,}"))
    content = np.ones(size, bool)
    content[np.asarray(special, np.int64)] = False
    rates = np.zeros(size)
    seen = None if counts is None else counts[content].astype(np.float64)
    if seen is None or not seen.sum():
        rates[content] = share
    else:
        rates[content] = _scaled(seen, np.maximum(seen, 1) ** -smoothing, share)
    return rates


def _scaled(
    counts: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], share: float
) -> npt.NDArray[np.float64]:
    """min(1, c·weights), with c such that the mean over counts is `share`."""
    order = np.argsort(-weights, kind="stable")
    n, w = counts[order], weights[order]
    # if the first j are chosen always, c follows from the others; it is right from the first j on
    # where no other would exceed 1
    always = np.cumsum(n) - n
    left = np.cumsum((n * w)[::-1])[::-1]
    c = np.divide(share * counts.sum() - always, left, out=np.zeros_like(left), where=left > 0)
    right = np.flatnonzero((c * w <= 1) & (left > 0))[0]
    scaled: npt.NDArray[np.float64] = np.minimum(1.0, c[right] * weights)
    return scaled


@kernel
def _mask(
    ids: Any,
    offsets: Any,
    rows: Any,
    epoch: Any,
    k0: Any,
    k1: Any,
    below: Any,
    others: Any,
    starts: Any,
    mask: Any,
    out: Any,
    positions: Any,
) -> Any:
    count, pieces, by_word = uint64(0), uint64(len(others)), len(starts) > 0
    for r in range(uint64(len(rows))):
        start = uint64(offsets[r])
        inside, wanted = False, False  # a word, and one that was chosen
        for i in range(start, uint64(offsets[r + _1])):
            out[i] = ids[i]
            limit = below[ids[i]]
            if limit == 0:
                inside = False
                continue
            chosen, kind, other, _ = block(rows[r], epoch, uint32(i - start), k0, k1)
            if not (by_word and inside and not starts[ids[i]]):
                wanted = uint64(chosen) < limit
            inside = True
            if not wanted:
                continue
            positions[count] = i
            count += _1
            if uint64(kind) < _BECOMES_MASK:
                out[i] = mask
            elif uint64(kind) < _BECOMES_OTHER:
                # biased by less than V/2**32
                out[i] = others[(uint64(other) * pieces) >> _32]
    return count
