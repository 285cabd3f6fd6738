"""A stream of batches for one rank that can be stopped anywhere and resumed exactly.

Of the numbered batches of an epoch rank r of W takes those with number ≡ r (mod W), and worker k of
K every K-th of these, in turn with the others as torch's DataLoader asks them. So the stream that
is seen is the same for any number of workers, and all ranks together see each batch once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, Generic, Literal, TypedDict, TypeVar

from transferset.errors import UsageError, sentence
from transferset.feeds.batching import Batching, BatchPlan, Place, Planned, Section
from transferset.feeds.order import WINDOW
from transferset.manifest import Json, differences
from transferset.shapes import Misshapen, anything, check, count
from transferset.shards import ShardSet

T = TypeVar("T")

Even = Literal["pad", "drop"]

#: What a state looks like.
_STATE: Final = {
    **dict.fromkeys(("epoch", "position", "window", "first"), count),
    "feed": {...: anything},
}


class Options(TypedDict, total=False):
    """What a feed can be told besides what it reads, see `Feed`."""

    rows: int | None
    tokens: int | None
    multiple: int
    seed: int
    epoch: int
    shuffle: bool
    window: int
    rank: int
    world_size: int
    even: Even | None


class Feed(Generic[T]):
    """The batches of a rank, epoch after epoch.

    Iterating gives the rest of the epoch, and the next epoch after that. Its state moves when a
    batch is handed out.

    Attributes:
        make: Reads a planned batch.
        epoch: That is being read, from 0.
        position: Batches of it that this rank was given.
        rank: Of this process,
        world_size: and how many there are.
        turn: Counts what was begun: what iterates since before that moves the state no more.
    """

    def __init__(
        self,
        found: ShardSet,
        make: Callable[[Planned], T],
        *,
        rows: int | None = None,
        tokens: int | None = None,
        multiple: int = 1,
        seed: int = 0,
        epoch: int = 0,
        shuffle: bool = True,
        window: int = WINDOW,
        rank: int = 0,
        world_size: int = 1,
        even: Even | None = None,
    ) -> None:
        """Plan a stream; nothing is read yet.

        Args:
            found: An open set.
            make: Reads a planned batch; picklable if the feed is to be pickled.
            rows: Rows of a batch, ≥ 1; or
            tokens: most ids of a batch, padding included, ≥ 1, with rows of like lengths together.
            multiple: To which lengths are padded, for `tokens`, ≥ 1.
            seed: 0 ≤ seed < 2**64.
            epoch: The first, from 0.
            shuffle: False is the order of the set.
            window: Rows that are shuffled with each other, ≥ 1; 8 bytes of memory each.
            rank: 0 ≤ rank < world_size.
            world_size: Ranks that share an epoch, ≥ 1.
            even: How all ranks get equally many batches, for training in step: "pad" repeats
                batches of the epoch's beginning, "drop" leaves the last ones out, see `left_out`;
                with None some ranks may get one more.

        Raises:
            UsageError: An argument is out of range.
        """
        if not 0 <= rank < world_size:
            raise UsageError(sentence(f"a rank from 0 to {world_size - 1}", f"{rank}"))
        if even not in (None, "pad", "drop"):
            raise UsageError(sentence("even as pad, drop or None", f"{even!r}"))
        batching = Batching(rows, tokens, multiple)
        self._plan = BatchPlan(found, batching, seed=seed, shuffle=shuffle, window=window)
        self.make, self._even = make, even
        self.rank, self.world_size = rank, world_size
        self.epoch, self.position, self.turn = 0, 0, 0
        self._known: Place | None = None
        self.set_epoch(epoch)

    def __iter__(self) -> Iterator[T]:
        """The rest of the epoch."""
        turn = self.turn
        for planned in self.planned():
            made = self.make(planned)
            self.delivered(planned.place, turn)
            yield made
        self.ended(turn)

    def __len__(self) -> int:
        """Batches of this rank in the epoch; with `tokens` all lengths are read for it."""
        total = self._plan.count(self.epoch)
        if self._even == "drop":
            return total // self.world_size
        behind = 0 if self._even == "pad" else self.rank
        return max(0, -(-(total - behind) // self.world_size))

    def planned(self, worker: int = 0, workers: int = 1) -> Iterator[Planned]:
        """The rest of the epoch as one of some workers has to read it; the state does not move.

        Args:
            worker: 0 ≤ worker < workers.
            workers: That take turns: batch position + j is for worker j mod workers.
        """
        number = (self.position + worker) * self.world_size + self.rank
        step, late, section = workers * self.world_size, None, None
        for section in self._plan.sections(self.epoch, number, self._known):
            if late and self._certain(late.place.number, section):
                yield late
                late = None
            while number < section.end:
                if self._certain(number, section):
                    yield section.batch(number)
                else:
                    late = section.batch(number)
                number += step
        if section and self._even == "pad" and number < _up(section.end, self.world_size):
            yield self._repeated(number, section)

    def _certain(self, number: int, section: Section) -> bool:
        """Whether a batch is given out, as far as it is known at the end of a section."""
        return self._even != "drop" or _up(number + 1, self.world_size) <= section.end

    def _repeated(self, number: int, last: Section) -> Planned:
        """A batch of the epoch's beginning, in the place of one that is not there."""
        again = number % last.end
        first = next(self._plan.sections(last.epoch, again))
        place = Place(last.epoch, number, last.window, last.first)
        return Planned(first.batch(again).rows, place)

    def delivered(self, place: Place, turn: int | None = None) -> None:
        """A batch was handed out, in an iteration that began at a turn: go on after it."""
        if turn in (None, self.turn):
            self.epoch, self.position = place.epoch, place.number // self.world_size + 1
            self._known = place

    def ended(self, turn: int) -> None:
        """The epoch is over, for an iteration that began at a turn."""
        if turn == self.turn:
            self.set_epoch(self.epoch + 1)

    def set_epoch(self, epoch: int) -> None:
        """Begin another epoch; that which is being read goes on.

        Raises:
            UsageError: There is no such epoch.
        """
        if epoch != self.epoch:
            self._plan.order(epoch)  # its checks
            self.epoch = epoch
            self.restart()

    def restart(self) -> None:
        """Begin the epoch again."""
        self.position, self._known = 0, None
        self.turn += 1

    def left_out(self) -> int:
        """Rows of the epoch that `even="drop"` leaves out, over all ranks."""
        total = self._plan.count(self.epoch)
        first = total // self.world_size * self.world_size
        if self._even != "drop" or first == total:
            return 0
        behind = list(self._plan.sections(self.epoch, first))
        return sum(
            len(section.rows) - int(section.bounds[max(0, first - section.first)])
            for section in behind
        )

    @property
    def settings(self) -> Json:
        """All that decides which batches this rank is given, but for the epoch and the rank."""
        return {**self._plan.settings, "world_size": self.world_size, "even": self._even}

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on after the batch that was handed out last, JSON."""
        window, first = (self._known.window, self._known.first) if self._known else (0, 0)
        at = {"epoch": self.epoch, "position": self.position, "window": window, "first": first}
        return {**at, "feed": self.settings}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where a feed stood when it gave a state; one of any rank will do.

        Raises:
            UsageError: It is of another set, seed, batching or number of ranks, or it is no state.
        """
        try:
            check(state, _STATE)
        except Misshapen as error:
            raise UsageError(sentence("a state of a feed", str(error))) from None
        changed = differences(state["feed"], self.settings)
        if changed:
            raise UsageError(sentence("a state of this feed", "another: " + ", ".join(changed)))
        epoch, position = state["epoch"], state["position"]
        last = Place(epoch, position * self.world_size - 1, state["window"], state["first"])
        if position and not (self._plan.holds(last) and self._reaches(epoch, position)):
            found = f"window {last.window:,} at position {position:,}"
            raise UsageError(sentence("a state of a feed", found))
        self.epoch, self.position = epoch, position
        self._known = last if position else None
        self.turn += 1

    def _reaches(self, epoch: int, position: int) -> bool:
        """Whether an epoch can have so many batches, where it is known without reading."""
        if self._plan.settings["rows"] is None:
            return True
        return position * self.world_size <= _up(self._plan.count(epoch), self.world_size)


def _up(number: int, multiple: int) -> int:
    """The next multiple."""
    return -(-number // multiple) * multiple
