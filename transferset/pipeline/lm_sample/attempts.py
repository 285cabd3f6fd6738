"""One task of `lm sample`: some attempts, each a function of its ordinal alone."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset import schema
from transferset.errors import InputError, sentence
from transferset.files import HashingFile
from transferset.holding import RUN
from transferset.ledger import Reason
from transferset.manifest import Json, canonical, digest_json
from transferset.pipeline import leaks
from transferset.pipeline.lm_sample.journal import Journal, Sampled, joined
from transferset.pipeline.order import spill_path
from transferset.pipeline.task_examples import encoded, tokenizer_of
from transferset.stage import Done, Output
from transferset.tokens import WordPiece
from transferset.transforms.framing import frame_rows
from transferset.version import __version__

if TYPE_CHECKING:
    from transferset.language_models.causal import CausalPieces, Prefixes, Sampler, Sampling

#: Seconds of work that a kill may cost.
_EVERY: Final = 2.0

#: Attempts whose texts are encoded together.
_BATCH: Final = 10_000

#: Why an attempt is no row, whatever the others are; 0 is none of them.
FAULTS: Final = (None, Reason.UNDECODABLE, Reason.UNFINISHED, Reason.BLANK, Reason.NOT_A_PAIR)

#: Characters that are no text: what C0 and C1 have besides white space.
_CONTROL: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")

_UNDECODABLE, _UNFINISHED, _BLANK, _NOT_A_PAIR = range(1, len(FAULTS))


@dataclass(frozen=True, slots=True)
class WritingContext:
    """What all tasks share.

    Attributes:
        model: Directory of the language model.
        identity: Digest of what it was when it was planned for.
        device: As torch names it, or None.
        batch: Rows in flight, or None.
        sampling: How pieces are chosen.
        prefixes: Where first pieces come from; None is the model itself.
        key: Of the random numbers.
        pair: Rows are pairs.
        unfinished: Rows that the model did not end are kept.
        max_len: Most ids of a row.
        engine: Which engine encodes.
        vocabulary: Size of the set's.
    """

    model: str
    identity: str
    device: str | None
    batch: int | None
    sampling: Sampling
    prefixes: Prefixes | None
    key: tuple[int, int]
    pair: bool
    unfinished: bool
    max_len: int | None
    engine: str
    vocabulary: int

    @property
    def sides(self) -> tuple[str, ...]:
        """Columns of texts."""
        return ("text", "text_pair") if self.pair else ("text",)

    @property
    def columns(self) -> pa.Schema:
        """Of spilled attempts; texts and ids of those that are no rows are empty."""
        ids = pa.list_(schema.ids_type(self.vocabulary))
        texts = [(name, pa.string()) for name in self.sides]
        facts = [("finished", pa.bool_()), ("fault", pa.uint8())]
        digests = [("high", pa.uint64()), ("low", pa.uint64())]
        return pa.schema([("input_ids", ids), *texts, *facts, *digests, ("cut", pa.uint32())])


def journal_path(root: Path, stage: str, ordinal: int) -> Path:
    """Where a task keeps what it has sampled so far."""
    return root / RUN / stage / f"{ordinal:05d}.journal"


def write_attempts(root: Path, context: WritingContext, task: Json) -> Done:
    """Sample attempts `start` to `stop`, and turn what the model wrote into rows.

    Args:
        root: The set's directory.
        context: Shared configuration.
        task: `stage`, `ordinal`, `start`, `stop`, and what the rows are a function of.

    Returns:
        The spill as output: a row for each attempt, in order. Counts as result.
    """
    path = journal_path(root, task["stage"], task["ordinal"])
    work = canonical(task).decode() + __version__  # another version may sample otherwise
    with Journal(path, work) as journal:
        sampled, batch = _sample(context, task, journal)
    pieces = pieces_of(context.model, context.identity)
    spill = spill_path(root, task["stage"], task["ordinal"])
    tokenizer = tokenizer_of(str(root), context.engine)
    faults = np.zeros(len(FAULTS), np.int64)
    with HashingFile(spill) as sink:
        with pa.ipc.new_file(sink, context.columns) as writer:
            for some in _parts(sampled):
                rows = _rows(some, pieces, tokenizer, context)
                writer.write_batch(rows)
                faults += np.bincount(rows.column("fault").to_numpy(), minlength=len(FAULTS))
        output = Output(str(spill.relative_to(root)), sink.size, sink.commit())
    path.unlink()
    result = {
        "rows": len(sampled.rows),
        "pieces": len(sampled.pieces),
        "finished": int(sampled.finished.sum()),
        "faults": faults.tolist(),
        "first": _first(sampled),
        "engine": tokenizer.engine,
        "batch": batch,
    }
    return Done([output], result)


def _first(sampled: Sampled) -> list[tuple[int, int]]:
    """How often each piece is the first of an attempt."""
    begins = sampled.offsets[:-1][sampled.lengths > 0]
    pieces, counts = np.unique(sampled.pieces[begins], return_counts=True)
    return list(zip(pieces.tolist(), counts.tolist(), strict=True))


def _sample(context: WritingContext, task: Json, journal: Journal) -> tuple[Sampled, int | None]:
    """All attempts of a task, by ordinal, and how many were in flight at the end."""
    known = set(journal.known.rows.tolist())
    todo = [row for row in range(task["start"], task["stop"]) if row not in known]
    parts, held = [journal.known], _Held()
    batch = None
    if todo:
        sampler = open_sampler(context)
        for row, ids, finished in sampler.sample(todo):
            held.add(row, ids, finished)
            if held.seconds > _EVERY:
                parts.append(held.take())
                journal.append(parts[-1])
        parts.append(held.take())
        journal.append(parts[-1])
        batch = sampler.batch
    return joined(parts).in_order(), batch


class _Held:
    """Rows that are not in the journal yet."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, bool, npt.NDArray[np.int32]]] = []
        self._since = time.monotonic()

    def add(self, row: int, ids: npt.NDArray[np.int32], finished: bool) -> None:
        self._rows.append((row, finished, ids))

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._since

    def take(self) -> Sampled:
        rows, self._rows, self._since = self._rows, [], time.monotonic()
        pieces = [ids.astype(np.int32) for _, _, ids in rows]
        return Sampled(
            np.array([row for row, _, _ in rows], np.uint64),
            np.array([finished for _, finished, _ in rows], np.bool_),
            np.array([len(ids) for ids in pieces], np.int32),
            np.concatenate([np.empty(0, np.int32), *pieces]),
        )


def _parts(sampled: Sampled) -> Iterator[Sampled]:
    offsets = sampled.offsets
    for start in range(0, len(sampled.rows), _BATCH):
        stop = min(start + _BATCH, len(sampled.rows))
        yield Sampled(
            sampled.rows[start:stop],
            sampled.finished[start:stop],
            sampled.lengths[start:stop],
            sampled.pieces[offsets[start] : offsets[stop]],
        )


def _rows(
    some: Sampled, pieces: CausalPieces, tokenizer: WordPiece, context: WritingContext
) -> pa.RecordBatch:
    """Attempts as rows of a set; what is wrong with one stands beside it."""
    decoded = pieces.decode(some.pieces, some.offsets)
    if not context.pair:  # what parts a pair is white space in a text
        decoded = [sides and (" ".join(filter(None, sides)),) for sides in decoded]
    fault = _faults(decoded, some.finished, context)
    empty = ("",) * len(context.sides)
    texts = [
        sides if not bad else empty for sides, bad in zip(decoded, fault.tolist(), strict=True)
    ]
    columns: dict[str, pa.Array] = {
        name: pa.array([sides[i] for sides in texts], pa.string())  # type: ignore[index]
        for i, name in enumerate(context.sides)
    }
    info = tokenizer.info
    kind = schema.ids_type(info.vocab_size).to_pandas_dtype()
    batch = pa.RecordBatch.from_pydict(columns)
    sides = encoded(batch, tokenizer)
    ids, offsets, _ = frame_rows(sides, info.cls_id, info.sep_id, context.max_len, kind)
    whole = sum(np.diff(starts) for _, starts in sides) + 1 + len(sides)
    digests = leaks.digest(ids, offsets)
    columns |= {
        "input_ids": pa.ListArray.from_arrays(pa.array(offsets), pa.array(ids)),
        "finished": pa.array(some.finished),
        "fault": pa.array(fault),
        "high": pa.array(digests[:, 0]),
        "low": pa.array(digests[:, 1]),
        "cut": pa.array((whole - np.diff(offsets)).astype(np.uint32)),
    }
    of = context.columns
    return pa.RecordBatch.from_arrays([columns[name] for name in of.names], schema=of)


def _faults(
    decoded: Sequence[tuple[str, ...] | None],
    finished: npt.NDArray[np.bool_],
    context: WritingContext,
) -> npt.NDArray[np.uint8]:
    fault = np.zeros(len(decoded), np.uint8)
    for i, (sides, ended) in enumerate(zip(decoded, finished.tolist(), strict=True)):
        if sides is None or any(map(_CONTROL.search, sides)):
            fault[i] = _UNDECODABLE
        elif not ended and not context.unfinished:
            fault[i] = _UNFINISHED
        elif not any(sides):
            fault[i] = _BLANK
        elif len(sides) != len(context.sides):
            fault[i] = _NOT_A_PAIR
        elif not all(sides):
            fault[i] = _BLANK
    return fault


# A worker does many tasks: what is slow to make is made once a process.


@lru_cache(maxsize=1)
def pieces_of(model: str, identity: str) -> CausalPieces:
    """The tokenizer of a language model.

    Args:
        model: Its directory.
        identity: See `identity_of`: another model may come to stand there.
    """
    from transferset.language_models.causal import CausalPieces

    return CausalPieces(model)


@lru_cache(maxsize=1)
def _model_of(model: str, identity: str, device: str | None) -> Any:
    from transferset.language_models.causal import describe_causal, load_causal

    loaded = load_causal(model, device, dtype=arithmetic(device))
    if identity_of(describe_causal(model)) != identity:
        do = "run the command again"
        raise InputError(sentence("the model as it was at the start", "another one", model, do))
    return loaded


def identity_of(about: Json) -> str:
    """What a model is known by, given what a recipe says of it."""
    return digest_json(about)


def arithmetic(device: str | None) -> str:
    """The type of a model's weights where it runs."""
    return "bfloat16" if device is not None and device.startswith("cuda") else "float32"


def open_sampler(context: WritingContext) -> Sampler:
    """A sampler of the context's model."""
    from transferset.language_models.causal import Sampler

    pieces = pieces_of(context.model, context.identity)
    return Sampler(
        _model_of(context.model, context.identity, context.device),
        start=pieces.start,
        ends=pieces.ends,
        sampling=context.sampling,
        key=context.key,
        prefixes=context.prefixes,
        batch=context.batch,
    )
