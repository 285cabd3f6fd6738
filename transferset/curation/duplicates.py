"""Books that are in the corpus more than once, as they are or nearly.

Exact duplicates have the same words (`words.py` says what counts as one). Near duplicates have at
least a stated share of their shingles in common, counted exactly; sketches only say which pairs are
counted. A cluster is what such pairs connect (union–find), and one book of it stays.

Work is bounded whatever the books hold: of n different texts, a book is compared by sketch with 16
others in each band, and by shingles with those that join it to a cluster (n - 1 in all), with 16
that do not, and with the book that stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from typing import Final, Literal

import numpy as np

from transferset.curation.bands import candidates
from transferset.curation.records import Record, preference
from transferset.curation.shingles import jaccard
from transferset.curation.words import Hashes

How = Literal["near", "exact", "off"]

#: Jaccard similarity from which two books are near duplicates: at one half they have more in
#: common than they have apart, while novels of one author have a few thousandths.
THRESHOLD: Final = 0.5

#: Exact comparisons that may fail, for each book; the most similar sketches come first.
FAILURES: Final = 16

#: Sets of shingles in memory: the book at hand, the one it is compared with, and the last few.
_HELD: Final = 4


@dataclass(frozen=True, slots=True)
class Joined:
    """A book that stands for nothing that another does not hold.

    Args:
        book: Its index.
        of: Index of the book that stays.
        kind: `exact` if both have the same words.
        jaccard: Exact similarity of the two. It may be below the threshold where a third book
            connects them.
    """

    book: int
    of: int
    kind: Literal["exact", "near"]
    jaccard: float


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What was found.

    Args:
        joined: By index of the book.
        compared: Pairs whose shingles were counted.
        passed_over: Pairs that were left out because a book had too many alike, once for each band
            in which they were; of books with a long text in common (a licence), as a rule.
    """

    joined: list[Joined] = field(default_factory=list)
    compared: int = 0
    passed_over: int = 0


def find_duplicates(
    records: Sequence[Record],
    shingles_of: Callable[[int], Hashes],
    how: How = "near",
    threshold: float = THRESHOLD,
) -> Duplicates:
    """Find the books that are in a corpus more than once.

    Args:
        records: The books; one without words is no duplicate of anything.
        shingles_of: Gives the shingles of the book of an index, sorted and without repeats; called
            for candidates only, when `how` is `near`.
        how: `near` (exact ones too), `exact`, or `off`.
        threshold: Jaccard similarity of near duplicates, above 0 and up to 1.

    Returns:
        Every book but one of each cluster, with the one that stays. Which ones they are does not
        depend on the order of the records.
    """
    if how == "off":
        return Duplicates()
    order = sorted(range(len(records)), key=lambda i: preference(records[i]))
    copies: dict[str, list[int]] = {}  # by words, the preferred one first
    for index in order:
        if records[index].sketch.shingles:
            copies.setdefault(records[index].sketch.digest, []).append(index)
    firsts = [group[0] for group in copies.values()]
    near = _Clusters(firsts, records, shingles_of, threshold)
    if how == "near":
        near.join()
    joined = [
        Joined(book, of, "exact" if of == group[0] else "near", similar)
        for group in copies.values()
        for of, similar in [near.stays(group[0])]
        for book in group
        if book != of
    ]
    joined.sort(key=lambda each: each.book)
    return Duplicates(joined, near.compared, near.passed_over)


class _Clusters:
    """Union–find over different texts, in their order of preference."""

    def __init__(
        self,
        books: Sequence[int],
        records: Sequence[Record],
        shingles_of: Callable[[int], Hashes],
        threshold: float,
    ) -> None:
        self._books, self._threshold = books, threshold
        self._sketches = [records[book].sketch for book in books]
        self._shingles = lru_cache(maxsize=_HELD)(shingles_of)
        self._numbers = {book: number for number, book in enumerate(books)}
        self._root = list(range(len(books)))
        self._similar: dict[tuple[int, int], float] = {}  # of pairs that were joined
        self.compared = self.passed_over = 0

    def join(self) -> None:
        """Compare the candidates, and join those that are near duplicates."""
        if not self._books:
            return
        minhashes = np.stack([sketch.minhash for sketch in self._sketches])
        sizes = np.array([sketch.shingles for sketch in self._sketches], np.int64)
        pairs, estimates, self.passed_over = candidates(minhashes, sizes, self._threshold)
        # book by book, so that its shingles are read once; the most similar first
        order = np.lexsort((pairs[:, 0], -estimates, pairs[:, 1]))
        numbers = ((int(pairs[k, 1]), int(pairs[k, 0])) for k in order)
        for later, group in groupby(numbers, key=lambda pair: pair[0]):
            self._join_one(later, [earlier for _, earlier in group])

    def _join_one(self, later: int, others: Sequence[int]) -> None:
        failures = 0
        for number, earlier in enumerate(others):
            a, b = self._find(earlier), self._find(later)
            if a == b:
                continue
            similar = self._compare(earlier, later)
            if similar >= self._threshold:
                self._similar[earlier, later] = similar
                self._root[max(a, b)] = min(a, b)  # the root is the preferred book
            else:
                failures += 1
            if failures == FAILURES:
                self.passed_over += len(others) - number - 1
                return

    def _find(self, number: int) -> int:
        while self._root[number] != number:
            self._root[number] = self._root[self._root[number]]
            number = self._root[number]
        return number

    def _compare(self, a: int, b: int) -> float:
        self.compared += 1
        return jaccard(self._shingles(self._books[a]), self._shingles(self._books[b]))

    def stays(self, book: int) -> tuple[int, float]:
        """The book that stays of a cluster, and its similarity to one of its books."""
        number = self._numbers[book]
        root = self._find(number)
        if root == number:
            return book, 1.0
        known = self._similar.get((root, number))
        return self._books[root], self._compare(root, number) if known is None else known
