"""What `build text` reads: files of documents, and the documents of a part of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from transferset.errors import InputError, UsageError, sentence
from transferset.ledger import Ledger
from transferset.manifest import Json
from transferset.sources.records import lines
from transferset.sources.records.finding import KINDS, LocalRecords, find
from transferset.sources.records.reading import (
    PART_BYTES,
    Found,
    RecordPart,
    RecordReader,
    check_parts,
)
from transferset.sources.records.rows import MOST_BYTES

_UNCHANGED: Final = "do not change a file while it is read"
_SPLIT_IT: Final = "cut it into documents, or write JSON lines, one document a line"


@dataclass(frozen=True, slots=True)
class RecordFile:
    """One file of documents that can be read now; made by `open_records`.

    Args:
        path: The file.
        name: What recipes and notes call it: relative to the folder that the user named.
        kind: `txt`, `jsonl`, `parquet` or `arrow`.
        field: The field that holds the text, `meta.text` inside of an object; empty for `txt`.
        bytes: Its size.
        records: How many there are; None where only reading tells.
        origin: `url`, `revision` and `licence`; None where nobody said.
    """

    path: Path
    name: str
    kind: str
    field: str
    bytes: int
    records: int | None
    origin: Mapping[str, str | None]

    def parts(self, target_bytes: int = PART_BYTES) -> list[RecordPart]:
        """Cut the file into parts; which documents it gives does not depend on them.

        Args:
            target_bytes: Bytes of a part, about; at least 1. Of Parquet unpacked ones count.

        Raises:
            InputError: The file is damaged, or has changed.
        """
        if target_bytes < 1:
            raise ValueError(f"expected parts of at least 1 byte, found {target_bytes}")
        self._check_size()
        if self.kind == "txt":
            return [RecordPart(0, 0, self.bytes)]
        if self.kind == "jsonl":
            return lines.parts(self.path, self.bytes, target_bytes)
        from transferset.sources.records import arrow, parquet

        if self.kind == "parquet":
            return parquet.parts(self.path, target_bytes)
        return arrow.parts(self.path, target_bytes)

    def read(self, part: RecordPart, ledger: Ledger) -> RecordReader:
        """Read the documents of a part.

        Args:
            part: One of `parts`.
            ledger: Takes a count for each record that gives no document.

        Returns:
            The documents in order; the reader's `summary` is for `check`.

        Raises:
            InputError: The file is damaged, or has changed.
        """
        self._check_size()
        return RecordReader(part, self._found(part), self.origin, ledger)

    def check(self, summaries: Sequence[Json]) -> list[str]:
        """Judge the file when all of its parts have been read; see `reading.check_parts`.

        Args:
            summaries: Of the readers of its parts, in order.

        Returns:
            The first records that gave no document, one sentence each.

        Raises:
            InputError: More than half of its records are malformed.
        """
        return check_parts(summaries, self.name, str(self.path))

    def _found(self, part: RecordPart) -> Iterator[Found]:
        if self.kind == "txt":
            return _plain(self)
        if self.kind == "jsonl":
            return lines.read(self.path, self.field, part)
        from transferset.sources.records import arrow, parquet

        read = parquet.read if self.kind == "parquet" else arrow.read
        return read(self.path, self.field, part)

    def _check_size(self) -> None:
        size = _size(self.path)
        if size != self.bytes:
            expected = f"{self.bytes:,} bytes"
            raise InputError(sentence(expected, f"{size:,}", str(self.path), _UNCHANGED))


def open_records(
    sources: Sequence[str],
    *,
    field: str | None = None,
    format: str | None = None,
    cache: Path | None = None,
    split: str | None = None,
) -> list[RecordFile]:
    """Find and open files of documents.

    Args:
        sources: Files, folders or hub names, see `finding.find`.
        field: The field of the text; None finds it.
        format: `txt`, `jsonl`, `parquet` or `arrow`: what files are whose names do not say so, and
            which ones of a folder are read; None goes by their names.
        cache: Where downloads are kept; None is the cache of huggingface_hub.
        split: Which split of a `datasets` folder or hub name is read.

    Returns:
        The files in reading order: that of `sources`, those of a folder by name.

    Raises:
        UsageError: No such source, field or split, or it is not clear which.
        InputError: A file is not what its name says, or was cut off.
        SetError: A shard set is damaged or unfinished.
        TransfersetError: The hub did not answer.
    """
    if format is not None and format not in KINDS:
        raise UsageError(sentence(f"a --format out of {', '.join(KINDS)}", format))
    if not sources:
        raise UsageError(sentence("a file, folder or hub name", "nothing"))
    found = [file for source in sources for file in find(str(source), format, split, cache)]
    seen: set[Path] = set()
    for file in found:
        real = file.path.resolve()
        if real in seen:
            raise UsageError(sentence("each file once", "it named twice", str(file.path)))
        seen.add(real)
    return [_open(file, field) for file in found]


def _open(file: LocalRecords, field: str | None) -> RecordFile:
    size = _size(file.path)
    name, records = _look(file, field, size)
    return RecordFile(file.path, file.name, file.kind, name, size, records, file.origin)


def _look(file: LocalRecords, field: str | None, size: int) -> tuple[str, int | None]:
    """The field of the text and the number of records."""
    if file.kind == "txt":
        if size > MOST_BYTES:
            expected, at = f"a text of at most {MOST_BYTES:,} bytes", str(file.path)
            raise InputError(sentence(expected, f"{size:,}", at, _SPLIT_IT))
        return "", 1
    if file.kind == "jsonl":
        return lines.field_of(file.path, field), None
    from transferset.sources.records import arrow, parquet

    if file.kind == "parquet":
        return parquet.field_of(file.path, field)
    return arrow.field_of(file.path, field), None


def _plain(file: RecordFile) -> Iterator[Found]:
    # its title is its name, by which a reader of the set finds it again
    yield Found(file.path.read_bytes(), {"title": file.name.removesuffix(file.path.suffix)})


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        found = error.strerror or "an error"
        raise InputError(sentence("a readable file", found, str(path))) from None
