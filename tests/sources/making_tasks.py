"""What the tests of task files share: writing a file, and reading it whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from transferset.ledger import Ledger
from transferset.sources.tasks import (
    Example,
    LabelKind,
    TaskFile,
    TaskOptions,
    classes_of,
    kind_of,
    open_tasks,
)


class Read(NamedTuple):
    """All that reading a file gives."""

    examples: list[Example]
    kind: LabelKind
    ledger: dict[str, int]
    notes: list[str]
    others: dict[str, int]


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def opened(path: Path, **options: Any) -> TaskFile:
    (file,) = open_tasks([str(path)], TaskOptions(**options))
    return file


def read(path: Path, *, labelled: bool = True, **options: Any) -> Read:
    ledger = Ledger()
    file = opened(path, **options)
    reader = file.read(ledger, labelled=labelled)
    examples = list(reader)
    kind = kind_of(
        [(str(path), reader.labels)], options.get("label_type", "auto"), classes_of([file])
    )
    assert reader.read_rows == len(examples) + reader.malformed
    counted = {str(reason): count for reason, count in ledger.items()}
    return Read(examples, kind, counted, reader.notes, dict(reader.others))


def rows(path: Path, **options: Any) -> list[tuple[Any, ...]]:
    """Text, second text if there is one, label."""
    found = read(path, **options).examples
    return [(*(v for v in e[1:3] if v is not None), e.label) for e in found]


def features(**classes: list[str]) -> dict[bytes, bytes]:
    """Metadata with which `datasets` names classes."""
    named = {name: {"names": c, "_type": "ClassLabel"} for name, c in classes.items()}
    return {b"huggingface": json.dumps({"info": {"features": named}}).encode()}


def write_table(path: Path, table: pa.Table) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(table, path)
        return path
    opened = pa.ipc.new_file if path.stem.endswith("file") else pa.ipc.new_stream
    with opened(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    return path
