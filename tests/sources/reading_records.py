"""What the tests of records share: reading a file whole or in parts, and what should come of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from transferset.ledger import Ledger
from transferset.sources.records import Document, RecordFile, RecordPart, open_records

PROSE = (
    "The ferry left at noon.",
    "Ein Käfer saß auf dem Dach.",
    "雨が降っている。",
    "A gull cried\u2028and was gone.",
    "two\nlines\r\nof one text",
    "😀 smiled the harbour master.",
)


def write_lines(path: Path, rows: Sequence[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def only(path: Path, **options: Any) -> RecordFile:
    (found,) = open_records([str(path)], **options)
    return found


def read_parts(
    file: RecordFile, parts: Sequence[RecordPart]
) -> tuple[list[Document], dict[str, int], list[str]]:
    """Documents, ledger and notes of a file read part by part."""
    ledger = Ledger()
    documents: list[Document] = []
    summaries = []
    for part in parts:
        reader = file.read(part, ledger)
        documents += reader
        summaries.append(json.loads(json.dumps(reader.summary)))  # it crosses processes as JSON
    return documents, {str(k): v for k, v in ledger.items()}, file.check(summaries)


def read_all(
    path: Path, target: int = 8 << 20, **options: Any
) -> tuple[list[Document], dict[str, int], list[str]]:
    file = only(path, **options)
    return read_parts(file, file.parts(target))


def texts(path: Path, **options: Any) -> list[str | bytes]:
    return [document.text for document in read_all(path, **options)[0]]


def cut(bounds: Sequence[int], end: int) -> list[RecordPart]:
    """Parts that end at `bounds`."""
    edges = [0, *sorted(bounds), end]
    return [RecordPart(i, a, b) for i, (a, b) in enumerate(pairwise(edges)) if a < b]


def hashed(text: str, **about: str) -> int:
    """The first eight bytes of the SHA-256 of a text's UTF-8, and of what is known of it."""
    told = "".join(f"\0{name}\0{about[name]}" for name in sorted(about) if about[name])
    return int(hashlib.sha256((text + told).encode()).hexdigest()[:16], 16)
