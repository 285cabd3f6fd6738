"""Files of an export that is read back."""

from __future__ import annotations

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
