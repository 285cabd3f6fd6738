"""Which attempts become rows: the first ones, in their order, that nothing speaks against."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.files import HashingFile
from transferset.holding import RUN
from transferset.ledger import Ledger, Reason
from transferset.pipeline.lm_sample.attempts import FAULTS
from transferset.storage.mounts import present

#: Attempts after which a model that gave no row is given up.
HOPELESS: Final = 10_000

#: Attempts of the first round: enough to know how many are needed.
FIRST: Final = 10_000

#: More than the rate so far asks for, so that a second round is rarely needed.
_MORE: Final = 1.02
_LEAST: Final = 64

_KEPT: Final = "kept"

Keys = npt.NDArray[np.bytes_]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rules:
    """What is left out besides what is no row at all.

    Attributes:
        wanted: Rows.
        most: Attempts.
        repeats: Rows that an earlier attempt gave are kept.
        copies: Rows of the set and of evaluation files are kept.
    """

    wanted: int
    most: int
    repeats: bool
    copies: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the attempts so far.

    Attributes:
        kept: Of each attempt, whether it is a row of the set.
        ledger: Why the others are not.
    """

    kept: Bools
    ledger: Ledger

    @property
    def rows(self) -> int:
        """Rows that are kept."""
        return int(self.kept.sum())


def judge(spills: Sequence[Path], rules: Rules, originals: Keys, evaluation: Keys) -> Verdict:
    """Judge all attempts made so far.

    Holds 17 bytes an attempt and 16 bytes a row of the set.

    Args:
        spills: Of the attempts, in order.
        rules: What is left out.
        originals: Digests of the set's rows.
        evaluation: Of its evaluation files.

    Returns:
        The same for equal attempts, however they are cut into spills.
    """
    fault, keys = _read(spills)
    ledger = Ledger()
    for code, reason in enumerate(FAULTS):
        if reason is not None:
            ledger[reason] = int((fault == code).sum())
    left = fault == 0
    if not rules.copies:
        for reason, known in ((Reason.COPIED_EVALUATION, evaluation), (Reason.COPIED, originals)):
            left = _without(left, np.isin(keys, known), reason, ledger)
    if not rules.repeats:
        left = _without(left, _later(keys, left), Reason.REPEATED, ledger)
    surplus = np.cumsum(left) > rules.wanted
    return Verdict(_without(left, surplus, Reason.SURPLUS, ledger), ledger)


def _without(left: Bools, gone: Bools, reason: Reason, ledger: Ledger) -> Bools:
    ledger[reason] = int((left & gone).sum())
    return left & ~gone


def _later(keys: Keys, left: Bools) -> Bools:
    """Attempts that are there already, among those that are left."""
    places = np.flatnonzero(left)
    _, first = np.unique(keys[places], return_index=True)
    later = np.ones(len(keys), np.bool_)
    later[places[first]] = False
    return later


def next_round(attempts: int, kept: int, rules: Rules) -> int:
    """How many more attempts are to be made; 0 when there is enough, or no hope.

    A function of counts alone, so that every run makes the same rounds.

    Args:
        attempts: Made so far.
        kept: Rows that came of them.
        rules: What is wanted.
    """
    if kept >= rules.wanted or attempts >= rules.most:
        return 0
    if not attempts:
        more = min(rules.wanted, FIRST)
    elif kept:
        missing = rules.wanted - kept
        more = math.ceil(missing * attempts / kept * _MORE) + _LEAST
        more = min(more, 4 * attempts + rules.wanted)  # a low rate is not known well yet
    elif attempts >= HOPELESS:
        return 0
    else:
        more = HOPELESS - attempts
    return min(more, rules.most - attempts)


def keys_of(high: npt.NDArray[np.uint64], low: npt.NDArray[np.uint64]) -> Keys:
    """Digests as texts of 16 bytes, which numpy can sort and look up."""
    big = np.ascontiguousarray(np.column_stack([high, low]).astype(">u8"))
    return big.view("S16").reshape(-1)


def read_keys(spills: Sequence[Path]) -> Keys:
    """The digests in columns `high` and `low` of spills, in order."""
    return _read(spills, faults=False)[1]


def _read(spills: Sequence[Path], *, faults: bool = True) -> tuple[npt.NDArray[np.uint8], Keys]:
    fault, keys = [np.empty(0, np.uint8)], [np.empty(0, "S16")]
    for batch in _batches(spills):
        if faults:
            fault.append(batch.column("fault").to_numpy().copy())
        keys.append(keys_of(*(batch.column(name).to_numpy() for name in ("high", "low"))))
    return np.concatenate(fault), np.concatenate(keys)


def _batches(spills: Sequence[Path]) -> Iterator[pa.RecordBatch]:
    for path in spills:
        with pa.memory_map(str(present(path))) as source:
            reader = pa.ipc.open_file(source)
            yield from (reader.get_batch(i) for i in range(reader.num_record_batches))


def write_kept(root: Path, kept: Bools) -> str:
    """Keep a verdict for the tasks that write rows.

    Returns:
        Its digest.
    """
    with HashingFile(kept_path(root)) as sink:
        batch = pa.RecordBatch.from_arrays([pa.array(kept)], [_KEPT])
        with pa.ipc.new_file(sink, batch.schema) as writer:
            writer.write_batch(batch)
        return sink.commit()


def read_kept(root: Path, start: int, stop: int) -> Any:
    """Of attempts `start` to `stop`, which are kept: an Arrow array."""
    with pa.memory_map(str(kept_path(root))) as source:
        batch = pa.ipc.open_file(source).get_batch(0)
        return batch.column(0).slice(start, stop - start)


def kept_path(root: Path) -> Path:
    """Where the verdict stands."""
    return root / RUN / "kept.arrow"
