"""Rows in flight on the processor: each in a place, whose next row comes when one has ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from transferset import rng
from transferset.compiled import kernel
from transferset.errors import InputError, sentence
from transferset.language_models.causal.choosing import Way, choose, make_room

if TYPE_CHECKING:
    from transferset.language_models.causal.forward import Forward

#: What a place holds: nothing, a row that goes on, one that came to an end, one that was too long.
IDLE, RUNNING, ENDED, CUT = range(4)

_UNIT: Final = 2.0**-53


class Finished(NamedTuple):
    """A sampled row.

    Attributes:
        row: Its address.
        ids: int32, without start and end.
        finished: Whether it came to an end by itself.
    """

    row: int
    ids: npt.NDArray[np.int32]
    finished: bool


class Rules(NamedTuple):
    """What rows are made by.

    Attributes:
        way: How pieces are chosen.
        is_end: bool[vocabulary], the pieces that end a row.
        most: Most pieces of a row.
        start: Id of the piece before the first.
        prefixes: int32, first pieces, or None: they are drawn as others are.
        passed: int64, how often these and those before them were counted.
    """

    way: Way
    is_end: npt.NDArray[np.bool_]
    most: int
    start: int
    prefixes: npt.NDArray[np.int32] | None
    passed: npt.NDArray[np.int64] | None


def numbers(rows: npt.NDArray[np.uint64], pieces: int, way: Way) -> npt.NDArray[np.float64]:
    """The random numbers of rows, as `choosing.uniform` gives them.

    Args:
        rows: uint64[rows], addresses.
        pieces: So many for each, from the first.
        way: Has the key.

    Returns:
        float64[rows, pieces] in [0, 1).
    """
    row, piece = np.broadcast_arrays(rows[:, None], np.arange(pieces, dtype=np.uint32))
    low, high = row.astype(np.uint32), (row >> np.uint64(32)).astype(np.uint32)
    words = rng.philox((low, high, np.zeros_like(low), piece), (int(way.k0), int(way.k1)))
    whole = (words[0].astype(np.uint64) >> 5 << 26) | (words[1].astype(np.uint64) >> 6)
    return np.asarray(whole * _UNIT, np.float64)


def first_pieces(rules: Rules, drawn: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """First pieces from their counts, by the random number of each row."""
    assert rules.prefixes is not None
    assert rules.passed is not None
    found = np.searchsorted(rules.passed, drawn * rules.passed[-1], side="right")
    last = len(rules.prefixes) - 1
    return np.asarray(rules.prefixes[np.minimum(found, last)], np.int32)


class Places:
    """A tile of places; all of them are shown to the model at once, also those that hold no row.

    Attributes:
        pieces: How many were drawn.
    """

    def __init__(self, forward: Forward, rules: Rules, used: int) -> None:
        """Begin with no rows.

        Args:
            forward: The model.
            rules: What rows are made by.
            used: Places that take rows.
        """
        count, most = forward.places, rules.most
        self._forward, self._rules, self._used = forward, rules, used
        self._first = forward.begin(rules.start).numpy()[0].copy()
        self._room = make_room(len(self._first))
        self._is_end = np.zeros(len(self._first), np.bool_)
        self._is_end[: len(rules.is_end)] = rules.is_end[: len(self._first)]
        self._ids = forward.positions.new_full((count,), rules.start)
        self._flight = _Flight(
            rows=np.zeros(count, np.uint64),
            state=np.full(count, IDLE, np.int8),
            counts=np.zeros(count, np.int64),
            pieces=np.zeros((count, most), np.int32),
            ids=self._ids.numpy(),
            positions=forward.positions.numpy(),
            chosen=np.zeros(count, np.int32),
        )
        self.pieces = 0
        self.clear()

    @property
    def free(self) -> int:
        """How many rows it can take."""
        return int((self._flight.state[: self._used] == IDLE).sum())

    @property
    def busy(self) -> bool:
        """Whether it has rows that go on."""
        return bool((self._flight.state == RUNNING).any())

    def clear(self) -> None:
        """Forget all rows."""
        self._flight.state[:] = IDLE
        # the keys and values of the start, at position 0, are not written over
        self._flight.positions[:] = 1

    def put(self, rows: Sequence[int]) -> None:
        """Take up rows, as many as are `free` at most, and draw their first pieces."""
        flight, rules = self._flight, self._rules
        places = np.flatnonzero(flight.state[: self._used] == IDLE)[: len(rows)]
        flight.rows[places] = np.array(rows, np.uint64)
        flight.state[places], flight.counts[places], flight.positions[places] = RUNNING, 0, 0
        if rules.prefixes is None:
            # the scores after the start are those of every row
            scores = np.repeat(self._first[None], len(places), 0)
            chosen = np.zeros(len(places), np.int32)
            each = np.arange(len(places))
            self._choose(scores, each, flight.rows[places], flight.counts[places], chosen)
            flight.chosen[places] = chosen
        else:
            drawn = numbers(flight.rows[places], 1, rules.way)[:, 0]
            flight.chosen[places] = first_pieces(rules, drawn)
        self._advance(places)

    def step(self) -> None:
        """Draw the next piece of all rows.

        Raises:
            InputError: The model's scores are not finite.
        """
        flight = self._flight
        scores = self._forward(self._ids).numpy()
        places = np.flatnonzero(flight.state == RUNNING)
        self._choose(scores, places, flight.rows, flight.counts, flight.chosen)
        self._advance(places)

    def take(self) -> list[Finished]:
        """The rows that have ended; their places are free then."""
        flight = self._flight
        done = np.flatnonzero(flight.state >= ENDED)
        found = [
            Finished(
                int(flight.rows[i]),
                flight.pieces[i, : flight.counts[i]].copy(),
                bool(flight.state[i] == ENDED),
            )
            for i in done
        ]
        flight.state[done], flight.positions[done] = IDLE, 1
        return found

    def _choose(self, scores: Any, places: Any, rows: Any, counts: Any, chosen: Any) -> None:
        bad = choose(scores, places, rows, counts, self._rules.way, self._room, chosen)
        if bad >= 0:
            raise not_finite(rows[bad], counts[bad])

    def _advance(self, places: npt.NDArray[np.int64]) -> None:
        self.pieces += len(places)
        _advance(places, self._flight, self._is_end)


def not_finite(row: int, piece: int) -> InputError:
    """What is raised where a model gives no probabilities."""
    return InputError(
        sentence("finite scores of the model", "others", f"piece {piece} of row {row}")
    )


class _Flight(NamedTuple):
    """The rows in flight; kernels take it as it is.

    Attributes:
        rows: uint64[places], addresses.
        state: int8[places].
        counts: int64[places], pieces that a row has.
        pieces: int32[places, most], these pieces.
        ids: int64[places], what the model is shown next,
        positions: int64[places], and where it stands.
        chosen: int32[places], what was drawn.
    """

    rows: npt.NDArray[np.uint64]
    state: npt.NDArray[np.int8]
    counts: npt.NDArray[np.int64]
    pieces: npt.NDArray[np.int32]
    ids: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    chosen: npt.NDArray[np.int32]


@kernel
def _advance(places: Any, flight: Any, is_end: Any) -> None:
    """Add what was drawn to rows, or end them; one piece too many shows that a row has no end."""
    for place in places:
        piece, count = flight.chosen[place], flight.counts[place]
        if is_end[piece]:
            flight.state[place] = ENDED
        elif count == flight.pieces.shape[1]:
            flight.state[place] = CUT
        else:
            flight.pieces[place, count] = piece
            flight.counts[place] += 1
            flight.ids[place] = piece
            flight.positions[place] = count + 1
