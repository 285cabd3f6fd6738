"""Which pairs of sketches may belong to near duplicates: locality-sensitive hashing.

A sketch is cut into bands, and two books of which some band is equal are candidates (Leskovec,
Rajaraman & Ullman, "Mining of massive datasets", § 3.4). With s the share of shingles in common, b
bands of r bins miss a pair with probability (1 - s^r)^b; r follows from the threshold.

Text that thousands of books share, such as a licence, makes thousands equal in a band. Their pairs
grow with the square, so a book is paired with its next `NEIGHBOURS` of a band only. Books that are
near duplicates have other bands in common, in which the crowd is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from transferset.curation.shingles import BINS, EMPTY, drop_repeats

#: Books with which a book is paired in each band, at most.
NEIGHBOURS: Final = 16

#: A pair at the threshold may be missed with this probability.
MISSED: Final = 1e-3

#: Standard errors by which an estimate may fall short of the threshold.
ERRORS: Final = 5.0

#: Pairs that are estimated at once.
_PORTION: Final = 8192

_PRIME: Final = np.uint64(0x100000001B3)

Pairs = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]


def rows_of(threshold: float) -> int:
    """Bins of a band: as many as the threshold allows, so that few pairs are candidates.

    Args:
        threshold: Jaccard similarity, above 0 and up to 1.

    Returns:
        8, 4, 2 or 1, a divisor of `BINS`.
    """
    for rows in (8, 4, 2):
        if (1 - threshold**rows) ** (BINS // rows) <= MISSED:
            return rows
    return 1


def candidates(
    minhashes: npt.NDArray[np.uint32], shingles: npt.NDArray[np.int64], threshold: float
) -> tuple[Pairs, Numbers, int]:
    """Find the pairs that are worth an exact comparison.

    Args:
        minhashes: uint32[books, 128], sketches in the order of preference.
        shingles: int64[books], how many shingles each was made of.
        threshold: Jaccard similarity that is looked for.

    Returns:
        int64[pairs, 2], numbers of books, the smaller first, in order; float64[pairs], their
        estimated similarity; and how many pairs of equal bands were passed over as too many.
    """
    packed, passed_over = np.empty(0, np.uint64), 0
    for keys, books in _bands(minhashes, rows_of(threshold)):
        pairs, more = _neighbours(keys, books)
        passed_over += more
        # exact: two sets have no more in common than the smaller one holds
        sizes = np.sort(shingles[pairs], axis=1)
        pairs = pairs[sizes[:, 0] >= threshold * sizes[:, 1]].astype(np.uint64)
        # once each, band by band: those that agree in one band mostly agree in others
        packed = np.concatenate([packed, (pairs[:, 0] << np.uint64(32)) | pairs[:, 1]])
        packed.sort()
        packed = packed[: drop_repeats(packed)]
    both = np.stack([packed >> np.uint64(32), packed & np.uint64(0xFFFFFFFF)], 1).astype(np.int64)
    estimates, bins = _estimates(minhashes, both)
    errors = ERRORS * np.sqrt(threshold * (1 - threshold) / np.maximum(bins, 1))
    likely = estimates >= threshold - errors
    return both[likely], estimates[likely], passed_over


def _bands(
    minhashes: npt.NDArray[np.uint32], rows: int
) -> Iterator[tuple[npt.NDArray[np.uint64], Pairs]]:
    """Keys of the books in each band, sorted; books of equal keys in their order."""
    for start in range(0, BINS, rows):
        band = minhashes[:, start : start + rows]
        books = np.flatnonzero((band != EMPTY).any(axis=1))
        keys = np.zeros(len(books), np.uint64)
        for column in range(rows):
            keys = (keys ^ band[books, column]) * _PRIME
            keys ^= keys >> np.uint64(29)
        order = np.argsort(keys, kind="stable")
        yield keys[order], books[order]


def _neighbours(keys: npt.NDArray[np.uint64], books: Pairs) -> tuple[Pairs, int]:
    """Pairs of equal keys, and the number of those that were left out."""
    found = [np.empty((0, 2), np.int64)]
    for distance in range(1, NEIGHBOURS + 1):
        equal = np.flatnonzero(keys[:-distance] == keys[distance:])
        if not len(equal):
            break
        found.append(np.stack([books[equal], books[equal + distance]], 1))
    pairs = np.concatenate(found)
    sizes = np.diff(np.flatnonzero(np.diff(keys, prepend=~keys[:1], append=~keys[-1:])))
    return pairs, int((sizes * (sizes - 1) // 2).sum()) - len(pairs)


def _estimates(minhashes: npt.NDArray[np.uint32], pairs: Pairs) -> tuple[Numbers, Numbers]:
    """Estimated similarity of pairs (Li, Owen & Zhang 2012), and bins it is made of."""
    same, bins = np.empty(len(pairs)), np.empty(len(pairs))
    for start in range(0, len(pairs), _PORTION):
        place = slice(start, start + _PORTION)
        a, b = minhashes[pairs[place, 0]], minhashes[pairs[place, 1]]
        used = (a != EMPTY) | (b != EMPTY)
        bins[place] = np.count_nonzero(used, axis=1)
        same[place] = np.count_nonzero((a == b) & used, axis=1)
    return same / np.maximum(bins, 1), bins
