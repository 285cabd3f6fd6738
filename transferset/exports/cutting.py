"""Cutting sets into tasks, as the set and the options say and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from transferset.documents import has_documents
from transferset.errors import UsageError, sentence
from transferset.exports.protocol import Options
from transferset.schema import BATCH_ROWS, COLUMNS
from transferset.shards import ShardSet

#: Bytes of Arrow that a task reads where a file is joined of many parts.
PART_BYTES: Final = 64 << 20

#: Bytes of Arrow that become one file.
FILE_BYTES: Final = 256 << 20

#: More files than anybody wants in a directory.
MOST_FILES: Final = 10_000


def pieces(found: ShardSet, each: int = PART_BYTES) -> list[tuple[int, int]]:
    """Ranges of rows, cut where record batches begin.

    Args:
        found: The set.
        each: Bytes of Arrow of a range, about.
    """
    count = -(-found.manifest.totals["bytes"] // each)
    return _ranges(len(found), max(1, min(count, len(found) // BATCH_ROWS)))


def files(found: ShardSet, shards: int | None) -> list[tuple[int, int]]:
    """Ranges of rows of which each becomes a file.

    Args:
        found: The set.
        shards: How many; None is one per 256 MB of Arrow.

    Raises:
        UsageError: No number of files.
    """
    if shards is None:
        return pieces(found, FILE_BYTES)
    if not 1 <= shards <= min(MOST_FILES, max(1, len(found))):
        expected = f"--shards from 1 to {min(MOST_FILES, len(found)):,}"
        raise UsageError(sentence(expected, f"{shards:,}"))
    return _ranges(len(found), shards)


def _ranges(total: int, count: int) -> list[tuple[int, int]]:
    step = BATCH_ROWS if total >= count * BATCH_ROWS else 1
    bounds = [*(total * i // count // step * step for i in range(count)), total]
    return list(pairwise(bounds))


def columns_of(found: ShardSet, options: Options, usual: Sequence[str]) -> list[str]:
    """The columns that are exported, in the order of a set.

    Args:
        found: The set.
        options: May name them.
        usual: Those that are taken otherwise, if the set has them.

    Raises:
        UsageError: The set has not what is named.
    """
    there = [name for name in COLUMNS if name in found.manifest.schema]
    if options.columns is None:
        return [name for name in there if name in usual]
    for name in options.columns:
        if name not in there:
            expected = f"--columns out of {', '.join(there)}"
            raise UsageError(sentence(expected, name, str(found.root)))
    return [name for name in there if name in options.columns]


def left_out(found: ShardSet, held: Sequence[str], name: str) -> list[str]:
    """What is told of columns that an export does not hold.

    Args:
        found: The set.
        held: Columns that it holds.
        name: Of the format.
    """
    gone = [column for column in COLUMNS if column in found.manifest.schema and column not in held]
    if has_documents(found.manifest):
        gone.append("the table of documents (titles, authors, addresses, licences)")
    return [f"{', '.join(gone)}: not in {name} of {found.label}"] if gone else []
