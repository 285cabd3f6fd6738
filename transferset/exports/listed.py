"""Files of an export that is read back: nothing in them is trusted."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from transferset.errors import SetError, sentence
from transferset.exported import EXPORT, REMEDY, ExportRecord


def listed(root: Path, record: ExportRecord, file: str) -> Path:
    """A file that belongs to an export: a name made of a split may be any path.

    Args:
        root: Of the export.
        record: Of the export.
        file: Its name.

    Raises:
        SetError: The record does not name it.
    """
    if all(entry.file != file for entry in record.files):
        raise SetError(sentence(f"a file {file}", "none of that name", str(root / EXPORT), REMEDY))
    return root / file


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what readers say of a file that is none of theirs into one sentence."""
    try:
        yield
    except (ValueError, OSError, AssertionError, IndexError, struct.error) as error:
        found = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SetError(sentence("a readable file of an export", found, str(path), REMEDY)) from None
