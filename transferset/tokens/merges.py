"""Learning pieces: the most frequent pair of neighbours becomes one piece, again and again.

The algorithm is byte-pair encoding (Sennrich et al. 2016, algorithm 1) over characters of which all
but a word's first carry `##`, as the `tokenizers` package fits WordPiece. That package breaks ties
by the order of a hash table, so that no two runs agree; here the smaller pair of ids wins.

All words lie in one array of symbols, linked within each word, and every pair knows the places
where it occurs, so that a merge touches only these.
"""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
PREFIX = "##"
_SHIFT = 32


class Symbols:
    """Words as linked lists of symbols, and the pairs of neighbours in them.

    Args:
        pieces: The alphabet; a symbol is an index into it. Merges append to it.
        symbols: Symbols of all words, one word after the other.
        lengths: Symbols of each word, ≥ 1.
        counts: How often each word occurs.
    """

    def __init__(self, pieces: list[str], symbols: Ints, lengths: Ints, counts: Ints) -> None:
        self.pieces = pieces
        self._number = {piece: i for i, piece in enumerate(pieces)}
        self._symbol = symbols
        total, ends = len(symbols), np.cumsum(lengths)
        self._weight = np.repeat(counts, lengths)
        self._next = np.arange(1, total + 1, dtype=np.int32)
        self._previous = np.arange(-1, total - 1, dtype=np.int32)
        self._next[ends - 1] = -1
        self._previous[ends - lengths] = -1
        self._places: dict[int, list[npt.NDArray[np.int32]]] = {}
        self._count: dict[int, int] = {}
        self._heap: list[tuple[int, int]] = []
        self._add(np.flatnonzero(self._next >= 0))

    def merge_most_frequent(self, min_count: int) -> bool:
        """Make one piece of the most frequent pair.

        Args:
            min_count: Occurrences that a pair must have.

        Returns:
            Whether there was such a pair.
        """
        while self._heap:
            most, pair = heapq.heappop(self._heap)
            count = self._count.get(pair, 0)
            if count < -most:
                # Counts that fall are put right when they come up; no pair stands too low.
                if count:
                    heapq.heappush(self._heap, (-count, pair))
                continue
            if count < min_count:
                return False
            self._merge(pair)
            return True
        return False

    def _merge(self, pair: int) -> None:
        first, second = pair >> _SHIFT, pair & ((1 << _SHIFT) - 1)
        left = self._occurrences(first, second, self._places.pop(pair))
        right = self._next[left]
        before = self._previous[left]
        # An edge is named by its left end.
        edges = np.concatenate([before[before >= 0], left, right[self._next[right] >= 0]])
        self._subtract(np.unique(edges))
        self._symbol[left] = self._piece(first, second)
        self._symbol[right] = -1
        after = self._next[right]
        self._next[left] = after
        self._previous[after[after >= 0]] = left[after >= 0]
        before = self._previous[left]
        edges = np.concatenate([before[before >= 0], left[after >= 0]])
        self._add(np.unique(edges))

    def _occurrences(self, first: int, second: int, places: list[npt.NDArray[np.int32]]) -> Ints:
        left: Ints = np.sort(np.concatenate(places)).astype(np.int64)
        left = left[(self._symbol[left] == first) & (self._next[left] >= 0)]
        left = left[self._symbol[self._next[left]] == second]
        if first == second and len(left):
            # In x x x only the first two are a pair: of each run take every other place.
            starts = np.ones(len(left), np.bool_)
            starts[1:] = self._next[left[:-1]] != left[1:]
            index = np.arange(len(left))
            in_run = index - np.maximum.accumulate(np.where(starts, index, 0))
            left = left[in_run % 2 == 0]
        return left

    def _piece(self, first: int, second: int) -> int:
        piece = self.pieces[first] + self.pieces[second].removeprefix(PREFIX)
        if piece not in self._number:
            self._number[piece] = len(self.pieces)
            self.pieces.append(piece)
        return self._number[piece]

    def _grouped(self, edges: Ints) -> tuple[list[int], Ints, list[int], Ints]:
        """Pairs at the edges, edges grouped by pair, where groups begin, summed weights."""
        pairs = (self._symbol[edges] << _SHIFT) | self._symbol[self._next[edges]]
        order = np.argsort(pairs, kind="stable")
        pairs, edges = pairs[order], edges[order]
        begins = np.flatnonzero(np.diff(pairs, prepend=-1))
        sums = np.add.reduceat(self._weight[edges], begins) if len(edges) else edges
        return pairs[begins].tolist(), edges, [*begins.tolist(), len(edges)], sums

    def _subtract(self, edges: Ints) -> None:
        pairs, _, _, sums = self._grouped(edges)
        for pair, weight in zip(pairs, sums.tolist(), strict=True):
            left = self._count[pair] - weight
            if left:
                self._count[pair] = left
            else:
                del self._count[pair]
                self._places.pop(pair, None)

    def _add(self, edges: Ints) -> None:
        pairs, edges, begins, sums = self._grouped(edges)
        for i, (pair, weight) in enumerate(zip(pairs, sums.tolist(), strict=True)):
            # A copy, 32 bits wide: a view would keep all of `edges`.
            places = edges[begins[i] : begins[i + 1]].astype(np.int32)
            self._places.setdefault(pair, []).append(places)
            self._count[pair] = self._count.get(pair, 0) + weight
            heapq.heappush(self._heap, (-self._count[pair], pair))
