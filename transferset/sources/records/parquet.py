"""Parquet files: parts are row groups, or ranges of rows inside of a large one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from transferset.sources.records import columns
from transferset.sources.records.reading import PART_BYTES, Found, RecordPart

#: Parts of one row group. To reach its rows a part decodes those before it, which costs half of
#: this many readings of the group in all; cleaning and encoding cost a hundred.
_MOST_OF_GROUP: Final = 16

#: Bytes of text and rows that are decoded at a time.
_BATCH_BYTES: Final = 4 << 20
_BATCH_ROWS: Final = 1024

_BUFFER: Final = 1 << 20
_KIND: Final = "Parquet"


@dataclass(frozen=True, slots=True)
class _Group:
    """A row group: its first row, its rows, and its unpacked bytes."""

    start: int
    rows: int
    size: int


def field_of(path: Path, field: str | None) -> tuple[str, int]:
    """The column of the text, and how many rows there are.

    Raises:
        InputError: The file is no Parquet file, or was cut off.
        UsageError: See `columns.field_of`.
    """
    with columns.readable(path, _KIND), _opened(path) as file:
        found = columns.field_of(file.schema_arrow, field, str(path))
        return found, int(file.metadata.num_rows)


def parts(path: Path, target: int = PART_BYTES) -> list[RecordPart]:
    """Cut a file into ranges of rows.

    Args:
        path: The file.
        target: Unpacked bytes of a part, about.
    """
    with columns.readable(path, _KIND), _opened(path) as file:
        groups = _groups(file)
        rows = sum(group.rows for group in groups)
        if rows != file.metadata.num_rows:
            raise ValueError(f"{rows} rows in row groups of {file.metadata.num_rows} in all")
    cuts, held = {0}, 0
    for group in groups:
        count = min(-(-group.size // target), _MOST_OF_GROUP, max(1, group.rows))
        if count > 1 or held + group.size > target:
            cuts.add(group.start)
            held = 0
        held += group.size if count <= 1 else target  # what follows a large group stands apart
        cuts |= {group.start + group.rows * i // count for i in range(1, count)}
    bounds = [*sorted(cuts), rows]
    ranges = [(a, b) for a, b in pairwise(bounds) if a < b]
    return [RecordPart(i, a, b) for i, (a, b) in enumerate(ranges)]


def read(path: Path, field: str, part: RecordPart) -> Iterator[Found]:
    """Read the rows of a part.

    Raises:
        InputError: The file is damaged.
    """
    with columns.readable(path, _KIND), _opened(path) as file:
        known = columns.known_columns(file.schema_arrow)
        for group, entry in enumerate(_groups(file)):
            low, high = max(part.start - entry.start, 0), min(part.stop - entry.start, entry.rows)
            if low < high:
                for batch in _rows(file, group, entry, [field, *known], low, high):
                    yield from columns.records(batch, field, known)


def _rows(
    file: pq.ParquetFile, group: int, entry: _Group, names: list[str], low: int, high: int
) -> Iterator[pa.RecordBatch]:
    """Rows `low` to `high` of a row group, in batches."""
    size = max(1, min(_BATCH_ROWS, _BATCH_BYTES * entry.rows // max(1, entry.size)))
    at = 0
    for batch in file.iter_batches(size, row_groups=[group], columns=names, use_threads=False):
        start, at = at, at + batch.num_rows
        if at > low:
            first = max(low - start, 0)
            yield batch.slice(first, min(high - start, batch.num_rows) - first)
        if at >= high:
            return
    raise ValueError(f"{at} of {entry.rows} rows in row group {group}")


def _groups(file: pq.ParquetFile) -> list[_Group]:
    found, start = [], 0
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        # not the sizes of its columns: to ask for those ends the process where they are damaged
        found.append(_Group(start, group.num_rows, group.total_byte_size))
        start += group.num_rows
    return found


def _opened(path: Path) -> pq.ParquetFile:
    # read as it is needed: otherwise the whole packed column of a row group stands in memory
    return pq.ParquetFile(
        path, buffer_size=_BUFFER, pre_buffer=False, page_checksum_verification=True
    )
