"""The log of a training: a line of JSON each, none twice however often it was resumed."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from transferset.manifest import Json


class TrainingLog:
    """A file of JSON lines that can go back to where a checkpoint was."""

    def __init__(self, path: Path, size: int = 0) -> None:
        """Open it, without what was written after a checkpoint.

        Args:
            path: The file; made if needed.
            size: Its bytes at the checkpoint, 0 to begin anew.
        """
        self._file: BinaryIO = path.open("r+b") if path.exists() else path.open("w+b")
        self._file.truncate(min(size, os.fstat(self._file.fileno()).st_size))
        self._file.seek(0, os.SEEK_END)

    def __enter__(self) -> TrainingLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):  # of a full disk, which the body has met already
            self._file.close()

    def write(self, line: Json) -> None:
        """Append a line."""
        self._file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")

    def sync(self) -> int:
        """Make the lines durable.

        Returns:
            Bytes of the file, for the checkpoint.
        """
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()
