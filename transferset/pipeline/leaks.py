"""Rows that also stand in an evaluation file: digests of its rows, and looking them up.

They are compared by the tokenizer's ids, so case, accents and spacing make no difference where the
tokenizer makes none; of a pair the order of its texts makes none either.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from blake3 import blake3

from transferset.errors import SetError, sentence
from transferset.files import HashingFile
from transferset.manifest import FileEntry, Manifest
from transferset.shards import REMEDY

#: Where they stand in a set.
LEAKS: Final = "_tables/eval.arrow"

SCHEMA: Final = pa.schema(
    [("high", pa.uint64()), ("low", pa.uint64()), ("file", pa.uint16()), ("row", pa.uint32())]
)

Digests = npt.NDArray[np.uint64]


def digest(ids: npt.NDArray[Any], offsets: npt.NDArray[np.int32]) -> Digests:
    """Digests of rows of ids, uint64[rows, 2], as variants are compared by."""
    from transferset.transforms import variation  # most derivations do without

    return np.ascontiguousarray(variation.digest(ids, offsets).T)


def write_leaks(root: Path, batches: Iterable[pa.RecordBatch]) -> FileEntry:
    """Write the table of a set, in order of the digests.

    Args:
        root: The set's directory.
        batches: With the columns of `SCHEMA`.
    """
    table = pa.Table.from_batches(batches, SCHEMA)
    table = table.sort_by([(name, "ascending") for name in SCHEMA.names]).combine_chunks()
    path = root / LEAKS
    path.parent.mkdir(exist_ok=True)
    with HashingFile(path) as sink:
        with pa.ipc.new_stream(sink, SCHEMA) as stream:
            stream.write_table(table)
        return FileEntry(LEAKS, sink.size, sink.commit())


def has_leaks(manifest: Manifest) -> bool:
    """Whether a set knows evaluation rows."""
    return any(entry.file == LEAKS for entry in manifest.files)


def read_leaks(root: Path, manifest: Manifest) -> pa.Table | None:
    """The table of a set, None if it has none.

    Raises:
        SetError: The file is not as written.
    """
    entries = [entry for entry in manifest.files if entry.file == LEAKS]
    if not entries:
        return None
    return read_table(root / LEAKS, entries[0].blake3)


def read_table(path: Path, expected: str) -> pa.Table:
    """A table by its digest; see `read_leaks`."""
    try:
        raw = path.read_bytes()
        if blake3(raw).hexdigest() != expected:
            raise SetError(sentence("the file as written", "other bytes", str(path), REMEDY))
        found = pa.ipc.open_stream(raw).read_all()
        found.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        told = str(error).partition("\n")[0]
        raise SetError(sentence("a readable table", told, str(path), REMEDY)) from None
    if found.schema != SCHEMA or any(column.null_count for column in found.columns):
        columns = ", ".join(found.schema.names) if found.schema != SCHEMA else "nulls"
        raise SetError(sentence("a table of digests", columns, str(path), REMEDY))
    return found


def digests_of(table: pa.Table) -> Digests:
    """The different digests of a table, uint64[n, 2], in order."""
    both = np.column_stack([table[name].to_numpy() for name in ("high", "low")])
    return np.unique(both, axis=0) if len(both) else both


class Known:
    """Evaluation rows, looked up by digest."""

    def __init__(self, table: pa.Table) -> None:
        """Take a table from `read_leaks`."""
        self._file, self._row = table["file"].to_numpy(), table["row"].to_numpy()
        self._keys = _keys(np.column_stack([table[n].to_numpy() for n in ("high", "low")]))

    def places(self, digests: Digests) -> npt.NDArray[np.int64]:
        """The place of the first evaluation row of each digest, −1 where there is none."""
        if not len(self._keys):
            return np.full(len(digests), -1)
        keys = _keys(digests)
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.where(self._keys[at] == keys, at, -1)

    def origin(self, place: int) -> tuple[int, int]:
        """File and row of an evaluation row."""
        return int(self._file[place]), int(self._row[place])


def _keys(digests: Digests) -> npt.NDArray[np.bytes_]:
    """Digests as texts of 16 bytes that are ordered as they are."""
    big = np.ascontiguousarray(digests.astype(">u8"))
    # a text loses zeros at its end, and with them nothing of the order: both sides lose them
    return big.view("S16").reshape(-1)
