"""Rows that a causal language model writes, piece by piece.

Ancestral sampling (or with temperature, top-k, top-p) with continuous batching: when a row ends,
its place is taken by the next one at once. Random numbers are addressed by (row, piece), so a row
is a function of the model, the way of sampling, the key and its own number. On the processor in
float32 this holds to the last bit at any batch and in any company: matrix products always have
the same shape, and everything else is done row by row.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from transferset.errors import TransfersetError, UsageError, sentence
from transferset.language_models.causal.choosing import Way
from transferset.language_models.causal.slots import Finished, Places, Rules
from transferset.language_models.scoring import one_thread
from transferset.philox import as_words
from transferset.training.room import is_out_of_memory

if TYPE_CHECKING:
    from transformers import PreTrainedModel

#: Rows that go through the model together on the processor, where its products have one shape.
TILE: Final = 64

#: Rows in flight on a GPU, unless it is told or memory is short.
_ON_DEVICE: Final = 1024

#: How configurations name the most positions of a row.
POSITIONS: Final = ("max_position_embeddings", "n_positions", "max_seq_len")


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next piece is drawn, in this order.

    Attributes:
        temperature: Scores are divided by it; above 0.
        top_k: Only so many of the highest scores; 0 for all.
        top_p: Only the most probable pieces that together have this probability; 0 < p ≤ 1.
        max_length: Most pieces of a row, without start and end.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    max_length: int = 128

    def __post_init__(self) -> None:
        least = float(np.finfo(np.float32).tiny)  # scores are of 32 bits
        _require(
            least <= self.temperature < math.inf,
            "a temperature above 0",
            self.temperature,
        )
        _require(0 <= self.top_k < 1 << 31, "top-k from 0 to 2**31-1", self.top_k)
        _require(0 < self.top_p <= 1, "top-p above 0 and at most 1", self.top_p)
        _require(self.max_length >= 1, "a length of 1 piece or more", self.max_length)


@dataclass(frozen=True, slots=True)
class Prefixes:
    """The empirical distribution of first pieces.

    Attributes:
        ids: int32, different pieces.
        counts: int64, how often each was first; above 0.
    """

    ids: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        _require(
            len(self.ids) == len(self.counts), "a count for each first piece", len(self.counts)
        )
        _require(len(self.ids) > 0, "first pieces", "none")
        _require(bool((self.counts > 0).all()), "counts above 0", "others")


class Engine(Protocol):
    """Rows in flight."""

    pieces: int

    @property
    def free(self) -> int:
        """How many rows it can take."""

    @property
    def busy(self) -> bool:
        """Whether it has rows that go on."""

    def clear(self) -> None:
        """Forget all rows."""

    def put(self, rows: Sequence[int]) -> None:
        """Take up rows."""

    def step(self) -> None:
        """Draw the next piece of all rows."""

    def take(self) -> list[Finished]:
        """The rows that have ended."""


class Sampler:
    """Samples rows.

    Attributes:
        batch: Rows in flight; fewer than asked for once memory did not suffice.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        *,
        start: int,
        ends: Sequence[int],
        sampling: Sampling,
        key: tuple[int, int],
        prefixes: Prefixes | None = None,
        batch: int | None = None,
        on_device: bool | None = None,
    ) -> None:
        """Make room for rows, and find out how the model is shown them.

        Args:
            model: A causal language model of transformers, on the device where it is to run.
            start: Id of the piece before the first.
            ends: Ids of the pieces that end a row.
            sampling: How pieces are drawn.
            key: Of the random numbers: two numbers below 2**32. Piece p of row r (both from 0) has
                the Philox counter (r low, r high, 0, p).
            prefixes: What first pieces are drawn from; None: from what the model says of them.
            batch: Rows in flight; None: 64 on the processor, 1,024 elsewhere.
            on_device: Draw by torch, without looking at every piece: as a GPU needs it. None: where
                the model is not on the processor.

        Raises:
            UsageError: The model does not know so many positions, or not the ids.
            InputError: It is none that can be shown pieces one by one.
            TransfersetError: Memory does not suffice for the fewest rows.
        """
        self._model = model
        self._on_device = model.device.type != "cpu" if on_device is None else on_device
        self.batch = batch or (_ON_DEVICE if self._on_device else TILE)
        _require(self.batch >= 1, "a batch of 1 row or more", batch)
        self._longest = sampling.max_length + 1
        _check_positions(model, self._longest)
        self._rules = _rules(model, start, ends, sampling, key, prefixes)
        self._before, self._flight = 0, dict[int, None]()
        self._engines: list[Engine] = []
        while not self._engines:
            try:
                self._engines = self._open()
            except (MemoryError, RuntimeError) as error:
                self._halve(error)

    @property
    def pieces(self) -> int:
        """How many were drawn so far: first pieces and ends are counted, starts are not."""
        return self._before + sum(engine.pieces for engine in self._engines)

    def sample(self, rows: Iterable[int]) -> Iterator[Finished]:
        """Sample some rows.

        Args:
            rows: Their numbers, 0 ≤ r < 2**64, all different; they are taken as places fall free.

        Yields:
            Each row when it has ended, in that order.

        Raises:
            InputError: The model's scores are not finite.
            TransfersetError: Memory does not suffice for the fewest rows.
        """
        rest, over = iter(rows), False
        self._flight = {}
        while not over:
            try:
                self._engines = self._engines or self._open()
                for engine in self._engines:
                    engine.clear()
                yield from self._sample(chain(list(self._flight), rest))
                over = True
            except (MemoryError, RuntimeError) as error:
                self._halve(error)

    def _sample(self, rest: Iterator[int]) -> Iterator[Finished]:
        busy = True
        while busy:
            busy = False
            for engine in self._engines:
                with one_thread():
                    done = self._fill(engine, rest)
                    busy = busy or engine.busy or bool(done)
                    if engine.busy:
                        engine.step()
                        done += engine.take()
                for row in done:
                    del self._flight[row.row]
                    yield row

    def _fill(self, engine: Engine, rest: Iterator[int]) -> list[Finished]:
        """Give free places to rows; those that have ended with their first pieces."""
        done: list[Finished] = []
        while len(done) < self.batch and (some := list(islice(rest, engine.free))):
            self._flight.update(dict.fromkeys(some))
            engine.put(some)
            done += engine.take()
        return done

    def _open(self) -> list[Engine]:
        """Buffers for all rows in flight."""
        from transferset.language_models.causal.agreeing import open_forward

        start, longest = self._rules.start, self._longest
        if self._on_device:
            from transferset.language_models.causal.graphs import Queue

            return [Queue(open_forward(self._model, start, self.batch, longest), self._rules)]
        first = open_forward(self._model, start, TILE, longest)
        tiles = [first]
        while len(tiles) * first.places < self.batch:
            tiles.append(first.of(first.places))
        used = [min(first.places, self.batch - i * first.places) for i in range(len(tiles))]
        with one_thread():
            return [Places(one, self._rules, each) for one, each in zip(tiles, used, strict=True)]

    def _halve(self, error: Exception) -> None:
        """After an error for want of memory: half as many rows. What was in flight begins again.

        Raises:
            TransfersetError: There are as few as can be.
        """
        fewest = 1 if self._on_device else TILE
        if not is_out_of_memory(error):
            raise error
        if self.batch <= fewest:
            rows = f"{self.batch} rows of {self._longest} pieces"
            do = "take a smaller model, or a smaller --max-length"
            raise TransfersetError(sentence(f"memory for {rows}", "too little", do=do)) from error
        self._before, self._engines = self.pieces, []
        self.batch = max(fewest, self.batch // 2)


def _require(right: bool, expected: str, found: object) -> None:
    if not right:
        raise UsageError(sentence(expected, str(found)))


def check_positions(config: Mapping[str, object], max_length: int) -> None:
    """Refuse rows that are longer than a model can be shown.

    Args:
        config: Of the model.
        max_length: Most pieces of a row, without start and end.

    Raises:
        UsageError: It does not know so many positions.
    """
    known = stated_positions(config)
    if max_length + 1 > known:
        expected = f"a model of {max_length + 1} positions"
        do = f"take a --max-length of at most {known - 1}"
        raise UsageError(sentence(expected, f"one of {known}", do=do))


def stated_positions(config: Mapping[str, Any]) -> int:
    """Most positions that a model knows, by its configuration; very many if it says nothing.

    Where rotations change beyond a length (longrope), they change for all rows at once, so that a
    row would depend on the others: that length is the most.
    """
    stated = [config.get(name) for name in POSITIONS]
    for name in ("rope_scaling", "rope_parameters"):
        rope = config.get(name)
        if isinstance(rope, Mapping) and "longrope" in (rope.get("rope_type"), rope.get("type")):
            for of in (rope, config):
                stated.append(of.get("original_max_position_embeddings"))
    known = [one for one in stated if isinstance(one, int) and one > 0]
    return min(known, default=1 << 30)


def _check_positions(model: PreTrainedModel, longest: int) -> None:
    check_positions(model.config.get_text_config().to_dict(), longest - 1)


def _rules(
    model: PreTrainedModel,
    start: int,
    ends: Sequence[int],
    sampling: Sampling,
    key: tuple[int, int],
    prefixes: Prefixes | None,
) -> Rules:
    size = model.get_input_embeddings().weight.shape[0]
    ids = [start, *ends, *([] if prefixes is None else [prefixes.ids.min(), prefixes.ids.max()])]
    strange = [int(one) for one in ids if not 0 <= one < size]
    _require(not strange, f"ids below the {size:,} of the model", strange[:1])
    is_end = np.zeros(size, np.bool_)
    is_end[list(ends)] = True
    return Rules(
        way=Way(np.float32(sampling.temperature), sampling.top_k, sampling.top_p, *as_words(key)),
        is_end=is_end,
        most=sampling.max_length,
        start=start,
        prefixes=None if prefixes is None else prefixes.ids,
        passed=None if prefixes is None else np.cumsum(prefixes.counts, dtype=np.int64),
    )
