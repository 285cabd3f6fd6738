"""One file of what many tasks wrote: each a part of it, and the parts are joined in order."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from transferset.exports.protocol import Copied
from transferset.files import HashingFile
from transferset.holding import RUN
from transferset.manifest import FileEntry, Json
from transferset.stage import Output
from transferset.storage.mounts import present

#: Folder of the parts, below `_run/`; it is removed once the export is committed.
PARTS: Final = "parts"

#: Bytes that are copied at once.
_BLOCK: Final = 8 << 20


def part_path(root: Path, task: Json, suffix: str) -> Path:
    """Where a task writes its part of a file.

    Args:
        root: Of the export.
        task: With `split` and `start`.
        suffix: Of the file, where a task writes parts of several: `.bin`.
    """
    folder = root / RUN / PARTS
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{task['split']:03d}-{task['start']:015d}{suffix}"


def output_of(root: Path, sink: HashingFile) -> Output:
    """Commit a file that a task wrote, and describe it."""
    digest = sink.commit()
    return Output(str(sink.path.relative_to(root)), sink.size, digest)


def entry_of(root: Path, sink: HashingFile) -> FileEntry:
    """Commit a file of the export, and describe it."""
    digest = sink.commit()
    return FileEntry(str(sink.path.relative_to(root)), sink.size, digest)


def join(
    root: Path, file: str, parts: Iterable[Path], copied: Copied, *, head: bytes = b""
) -> FileEntry:
    """Write a file of the export out of parts.

    Args:
        root: Of the export.
        file: Its name.
        parts: In order.
        copied: Told of the bytes of each block.
        head: What stands before the first part.

    Returns:
        Its entry.
    """
    (root / file).parent.mkdir(exist_ok=True)
    with HashingFile(root / file) as sink:
        sink.write(head)
        for path in parts:
            with present(path).open("rb") as part:  # another node may have written it
                while block := part.read(_BLOCK):
                    sink.write(block)
                    copied(len(block))
        return entry_of(root, sink)
