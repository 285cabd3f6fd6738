"""Where documents begin, and whether the rows of each stand together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.errors import UsageError, sentence
from transferset.transforms.buffers import flat
from transferset.transforms.protocol import Surveyed

#: The identity of a document.
IDENTITY: Final = ("part", "source", "doc_id")

#: Documents after which it is first looked whether one comes again; a shuffled set shows it then.
_FIRST_LOOK: Final = 1 << 16

Hashes = npt.NDArray[np.uint64]


class Runs(NamedTuple):
    """Runs of rows of one document each.

    Attributes:
        rows: `parent_row` of the first row of each.
        part, source, doc_id: Identity of each.
    """

    rows: npt.NDArray[Any]
    part: npt.NDArray[Any]
    source: npt.NDArray[Any]
    doc_id: npt.NDArray[Any]


def document_starts(batch: pa.RecordBatch) -> npt.NDArray[np.bool_]:
    """Whether each row is of another document than the row before it; the first row is.

    Where no column says what document a row is of, each is a document of its own.
    """
    known = "doc_id" in batch.schema.names
    starts = np.full(batch.num_rows, not known)
    starts[:1] = True
    for name in IDENTITY if known else ():
        if name in batch.schema.names:
            values = batch.column(name).to_numpy()
            starts[1:] |= values[1:] != values[:-1]
    return starts


def document_runs(batches: Iterable[pa.RecordBatch]) -> Iterator[Runs]:
    """The runs that surveys by document wrote down; one that goes on is given once."""
    last: list[int] | None = None
    for batch in batches:
        rows, starts = flat(batch, "parent_row")[0], flat(batch, "starts")[0]
        runs = Runs(rows[starts == 1], *(flat(batch, name)[0] for name in IDENTITY))
        goes_on = last == [column[0] for column in runs[1:]]
        last = [column[-1] for column in runs[1:]]
        yield Runs(*(column[goes_on:] for column in runs))


def check_together(found: Surveyed) -> None:
    """Check that no document comes again after another one.

    This holds eight bytes a document, and looks early, so that rows in random order are found out
    before there are many.

    Args:
        found: Surveys by document.

    Raises:
        UsageError: One does; the message names it and its row.
    """
    hashes = np.zeros(0, np.uint64)
    new: list[Hashes] = []
    size, look = 0, _FIRST_LOOK
    for runs in document_runs(found.batches()):
        new.append(_hashed(runs))
        size += len(new[-1])
        if size >= look:
            hashes, new, look = _looked(found, [hashes, *new]), [], 2 * size
    _looked(found, [hashes, *new])


def _hashed(runs: Runs) -> Hashes:
    """64 bits of each identity (the finaliser of MurmurHash3)."""
    code = (runs.part.astype(np.uint64) << np.uint64(16)) | runs.source
    mixed: Hashes = runs.doc_id + code * np.uint64(0x9E3779B97F4A7C15)
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(33))


def _looked(found: Surveyed, hashes: list[Hashes]) -> Hashes:
    """All hashes, sorted, once equal ones are known to be of different documents."""
    merged = np.concatenate(hashes)
    merged.sort()
    twice = merged[1:][merged[1:] == merged[:-1]]
    if len(twice):
        _refuse_repeats(found, np.unique(twice))
    return merged


def _refuse_repeats(found: Surveyed, suspects: Hashes) -> None:
    seen = set()
    for runs in document_runs(found.batches()):
        suspect = np.isin(_hashed(runs), suspects)
        for row, *identity in zip(*(column[suspect].tolist() for column in runs), strict=True):
            if tuple(identity) in seen:
                do = "use a set that was built with --no-shuffle"
                again = f"document {identity[-1]} a second time"
                raise UsageError(
                    sentence("the rows of each document together", again, f"row {row}", do)
                )
            seen.add(tuple(identity))
