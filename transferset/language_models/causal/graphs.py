"""Rows in flight on a GPU, and rows that wait for a place beside them.

A step is a fixed sequence of operations of torch: it moves all rows on by a piece, ends those that
end and gives their places to rows that wait, all without a word from the host. So it can be
captured in a CUDA graph and started at once; the host looks every few steps, takes what has ended
and fills the queue. On the processor the same step runs as it is; tests do that.

What is drawn follows the same random numbers and the same rules as `choosing`, with one exception:
of pieces that share the k-th highest score, top-k keeps only as many as make k.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from transferset.language_models.causal.choosing import Way
from transferset.language_models.causal.forward import Forward
from transferset.language_models.causal.slots import (
    CUT,
    ENDED,
    IDLE,
    RUNNING,
    Finished,
    Rules,
    first_pieces,
    not_finite,
    numbers,
)
from transferset.language_models.causal.weighing import BLOCK

#: What an entry of the queue may be beside what a place holds.
WAITING: Final = 4
ODD: Final = 5  # the model's scores were not finite

#: Steps between two looks of the host.
_LOOK: Final = 8

#: Entries of the queue for each place.
_DEPTH: Final = 2


class _Entries(NamedTuple):
    """The queue; its last entry stands for no row, and is what empty places hold.

    Attributes:
        state: int8[entries + 1].
        counts: int64[entries + 1], pieces that a row has.
        pieces: int64[entries + 1, most + 1], these pieces.
        numbers: float64[entries + 1, most + 1], random numbers of a row.
    """

    state: Tensor
    counts: Tensor
    pieces: Tensor
    numbers: Tensor


class Queue:
    """Rows in places, and rows that wait for one.

    Attributes:
        pieces: How many the rows had that were taken, ends included.
    """

    def __init__(self, forward: Forward, rules: Rules, look: int = _LOOK) -> None:
        """Begin with no rows.

        Args:
            forward: The model.
            rules: What rows are made by.
            look: Steps between two looks.
        """
        at, size, wide = forward.positions.device, _DEPTH * forward.places, rules.most + 1
        self._forward, self._rules, self._look, self._size = forward, rules, look, size
        with torch.inference_mode():
            self._first = forward.begin(rules.start).clone()
            self._is_end = torch.zeros(self._first.shape[1], dtype=torch.bool, device=at)
            known = torch.from_numpy(rules.is_end)[: len(self._is_end)]
            self._is_end[: len(known)] = known.to(at)
            self._entries = _Entries(
                state=torch.zeros(size + 1, dtype=torch.int8, device=at),
                counts=torch.ones(size + 1, dtype=torch.int64, device=at),
                pieces=torch.zeros((size + 1, wide), dtype=torch.int64, device=at),
                numbers=torch.zeros((size + 1, wide), dtype=torch.float64, device=at),
            )
            self._of = torch.full((forward.places,), size, device=at)  # each place's entry
            self._each = torch.arange(size, device=at)
        self._rows = np.zeros(size, np.uint64)
        self._state = np.zeros(size, np.int8)  # as the host saw it last
        self.pieces = 0
        self._graph = self._capture() if at.type == "cuda" else None

    @property
    def free(self) -> int:
        """How many rows it can take."""
        return int((self._state == IDLE).sum())

    @property
    def busy(self) -> bool:
        """Whether it has rows that go on."""
        return bool(((self._state == RUNNING) | (self._state == WAITING)).any())

    def clear(self) -> None:
        """Forget all rows."""
        self._state[:] = IDLE
        with torch.inference_mode():
            self._entries.state.fill_(IDLE)
            self._of.fill_(self._size)

    def put(self, rows: Sequence[int]) -> None:
        """Take up rows, as many as are `free` at most, and draw their first pieces."""
        free = np.flatnonzero(self._state == IDLE)[: len(rows)]
        self._rows[free] = np.array(rows, np.uint64)
        drawn = numbers(self._rows[free], self._rules.most + 1, self._rules.way)
        entries, device = self._entries, self._of.device
        with torch.inference_mode():
            where, told = torch.from_numpy(free).to(device), torch.from_numpy(drawn).to(device)
            if self._rules.prefixes is None:
                scores = self._first.expand(len(free), -1)
                first, odd = choose(scores, told[:, 0], self._rules.way)
            else:
                first = torch.from_numpy(first_pieces(self._rules, drawn[:, 0])).to(device).long()
                odd = torch.zeros_like(first, dtype=torch.bool)
            ends = self._is_end[first]
            state = torch.where(ends, ENDED, WAITING).masked_fill(odd, ODD).to(torch.int8)
            entries.numbers[where], entries.pieces[where, 0] = told, first
            entries.counts[where], entries.state[where] = 1 - ends.long(), state
            self._state[free] = state.cpu().numpy()

    def step(self) -> None:
        """Draw some pieces of all rows, and look which have ended."""
        with torch.inference_mode():
            for _ in range(self._look):
                if self._graph is None:
                    self._move()
                else:
                    self._graph.replay()
            self._state[:] = self._entries.state[: self._size].cpu().numpy()

    def take(self) -> list[Finished]:
        """The rows that have ended.

        Raises:
            InputError: The model's scores were not finite.
        """
        entries, state = self._entries, self._state
        done = np.flatnonzero((state == ENDED) | (state == CUT) | (state == ODD))
        with torch.inference_mode():
            where = torch.from_numpy(done).to(self._of.device)
            pieces = entries.pieces[where].int().cpu().numpy()
            counts = entries.counts[where].cpu().numpy()
            entries.state[where] = IDLE
        for i, count in zip(done, counts, strict=True):
            if state[i] == ODD:
                raise not_finite(self._rows[i], count)
        found = [
            Finished(int(self._rows[i]), one[:count].copy(), bool(state[i] == ENDED))
            for i, one, count in zip(done, pieces, counts, strict=True)
        ]
        self.pieces += int(counts.sum()) + len(done)
        state[done] = IDLE
        return found

    def _move(self) -> None:
        """Move all rows on by one piece: the step that is captured."""
        state, counts, pieces, told = self._entries
        self._seat()
        of, count = self._of, counts[self._of]
        self._forward.positions.copy_(count)
        scores = self._forward(pieces[of, count - 1])
        chosen, odd = choose(scores, told[of, count], self._rules.way)
        ends, long = self._is_end[chosen], count == self._rules.most
        after = torch.full_like(of, RUNNING).masked_fill(long, CUT).masked_fill(ends, ENDED)
        after = after.masked_fill(odd, ODD)
        goes = after == RUNNING
        pieces[of, count], counts[of], state[of] = chosen, count + goes.long(), after.to(torch.int8)
        state[-1:], counts[-1:] = IDLE, 1  # that of no row stays as it is
        self._of.copy_(torch.where(goes, of, self._size))

    def _seat(self) -> None:
        """Give empty places to the rows that wait, in order."""
        state, places = self._entries.state, len(self._of)
        waits = state[:-1] == WAITING
        rank = waits.long().cumsum(0) - 1
        line = torch.full((places + 1,), self._size, device=state.device)
        line.scatter_(0, torch.where(waits & (rank < places), rank, places), self._each)
        line[-1:] = self._size
        empty = self._of == self._size
        next_one = line[(empty.long().cumsum(0) - 1).clamp(min=0)]
        self._of.copy_(torch.where(empty, next_one, self._of))
        state[self._of] = RUNNING
        state[-1:] = IDLE

    def _capture(self) -> torch.cuda.CUDAGraph:
        # torch wants some steps before, on a stream of their own
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.inference_mode(), torch.cuda.stream(side):
            for _ in range(3):
                self._move()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.inference_mode(), torch.cuda.graph(graph):
            self._move()
        return graph


def choose(scores: Tensor, drawn: Tensor, way: Way) -> tuple[Tensor, Tensor]:
    """Choose a piece for each row.

    Args:
        scores: float32[rows, vocabulary].
        drawn: float64[rows], random numbers in [0, 1).
        way: How.

    Returns:
        int64[rows] pieces, and bool[rows]: whether the scores were no numbers.
    """
    scores = scores / float(way.temperature)
    odd = ~torch.isfinite(scores.amax(1))
    scores = scores.masked_fill(odd[:, None], 0.0)
    if not 0 < way.top_k < scores.shape[1]:
        weights = torch.softmax(scores, 1)
        return _inverted(_nucleus(weights, way.top_p), drawn), odd
    ids = torch.topk(scores, way.top_k, dim=1).indices.sort(1).values
    weights = torch.softmax(scores.gather(1, ids), 1)
    found = _inverted(_nucleus(weights, way.top_p), drawn)
    return ids.gather(1, found[:, None])[:, 0], odd


def _nucleus(weights: Tensor, top_p: float) -> Tensor:
    """Weights, 0 for the pieces with at least `top_p` of them ahead."""
    if top_p >= 1:
        return weights
    ordered, order = weights.sort(dim=1, descending=True, stable=True)
    passed = ordered.cumsum(1, dtype=torch.float64)
    kept = passed - ordered < top_p * passed[:, -1:]
    return weights * torch.zeros_like(kept).scatter(1, order, kept)


def _inverted(weights: Tensor, drawn: Tensor) -> Tensor:
    """The first place of each row at which the sum of weights passes the drawn share of all."""
    rows, size = weights.shape
    blocks = torch.nn.functional.pad(weights, (0, -size % BLOCK)).view(rows, -1, BLOCK)
    sums = blocks.sum(2, dtype=torch.float64)
    passed = sums.cumsum(1)
    rest = drawn[:, None] * passed[:, -1:]
    at = _first_above(passed, rest)
    rest = rest - (passed.gather(1, at) - sums.gather(1, at))
    inner = blocks.gather(1, at[:, :, None].expand(-1, -1, BLOCK))[:, 0].cumsum(
        1, dtype=torch.float64
    )
    return (at * BLOCK + _first_above(inner, rest))[:, 0]


def _first_above(passed: Tensor, rest: Tensor) -> Tensor:
    """The first place whose sum is above `rest`; where rounding leaves none, the last that adds."""
    last = passed[:, -1:].contiguous()
    above = torch.searchsorted(passed, rest, right=True)
    return torch.where(rest < last, above, torch.searchsorted(passed, last))
