"""The documents table of a set: where each document comes from, one row a document.

`_tables/documents.arrow` is an uncompressed Arrow IPC stream. A row of a set belongs to the
document of its (source, doc_id), in a mix of its (part, source, doc_id).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from blake3 import blake3

from transferset.errors import SetError, sentence
from transferset.files import HashingFile
from transferset.manifest import FileEntry, Manifest
from transferset.shards import REMEDY

#: Where it stands in a set.
DOCUMENTS: Final = "_tables/documents.arrow"

#: Different licences that are told one by one.
MOST_LICENCES: Final = 100

#: Documents in a record batch.
BATCH_DOCUMENTS: Final = 10_000

#: Texts are empty where nothing is known. `sha256` is of the bytes that were read (of a record:
#: of its text), `retrieved` a date YYYY-MM-DD, `words` stand between white space in the cleaned
#: text, `rows` are those that the document has in the set that was built of it.
SCHEMA: Final = pa.schema(
    [
        ("source", pa.uint16()),
        ("doc_id", pa.uint64()),
        ("rev_id", pa.uint64()),
        *((name, pa.string()) for name in ("title", "author", "language", "licence", "url")),
        *((name, pa.string()) for name in ("sha256", "retrieved", "subjects")),
        ("words", pa.uint64()),
        ("rows", pa.uint32()),
    ]
)

#: The same in a mix, whose parts may hold documents of equal ids.
MIXED: Final = pa.schema([pa.field("part", pa.uint16()), *SCHEMA])

#: Its columns that are texts.
TEXTS: Final = tuple(field.name for field in SCHEMA if pa.types.is_string(field.type))


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a document besides its text; empty where nothing is.

    Args:
        title: Its title.
        author: Its authors, as the catalogue writes them.
        language: BCP 47 code.
        licence: Licence of its text in words.
        url: Where it was read from.
        sha256: Of the bytes that were read, in hexadecimal.
        retrieved: Date `YYYY-MM-DD`.
        subjects: Subjects, separated by `; `.
    """

    title: str = ""
    author: str = ""
    language: str = ""
    licence: str = ""
    url: str = ""
    sha256: str = ""
    retrieved: str = ""
    subjects: str = ""


def write_documents(root: Path, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> FileEntry:
    """Write the table of a set.

    Args:
        root: The set's directory.
        batches: Documents in order, with the columns of `schema`, in batches of any size.
        schema: `SCHEMA` or `MIXED`.

    Returns:
        Its manifest entry.
    """
    path = root / DOCUMENTS
    path.parent.mkdir(exist_ok=True)
    with HashingFile(path) as sink:
        with pa.ipc.new_stream(sink, schema) as stream:
            for batch in _evenly(batches, schema):
                stream.write_batch(batch)
        return FileEntry(DOCUMENTS, sink.size, sink.commit())


def _evenly(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Batches of one size, so that equal documents have equal bytes however they arrive."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch.select(schema.names))
        count += batch.num_rows
        if count >= BATCH_DOCUMENTS:
            table = pa.Table.from_batches(waiting, schema)
            whole = count - count % BATCH_DOCUMENTS
            for start in range(0, whole, BATCH_DOCUMENTS):
                yield _copied(table.slice(start, BATCH_DOCUMENTS))
            waiting, count = table.slice(whole).to_batches(), count - whole
    if count:
        yield _copied(pa.Table.from_batches(waiting, schema))


def _copied(table: pa.Table) -> pa.RecordBatch:
    # take, not combine_chunks: a slice of one chunk would keep what is around it
    (batch,) = table.take(pa.array(range(table.num_rows), pa.int64())).combine_chunks().to_batches()
    return batch


def has_documents(manifest: Manifest) -> bool:
    """Whether a set has the table; it is optional."""
    return any(entry.file == DOCUMENTS for entry in manifest.files)


def licences(root: Path, manifest: Manifest, otherwise: str) -> str:
    """The licences of a set's documents, as one expression.

    Args:
        root: The set's directory.
        manifest: Its manifest.
        otherwise: Of a set that has no table, or one that states no licence.

    Returns:
        The different licences, joined by AND, in order; `unknown` stands for those not stated.
    """
    found: set[str] = set()
    for batch in read_documents(root, manifest):
        used = batch.filter(pc.greater(batch.column("rows"), 0))
        found.update(pc.unique(used.column("licence")).to_pylist())
        if len(found) > MOST_LICENCES:
            return otherwise
    if not found - {""}:
        return otherwise
    return " AND ".join(sorted(licence or "unknown" for licence in found))


def read_documents(root: Path, manifest: Manifest) -> Iterator[pa.RecordBatch]:
    """The documents of a set, in batches; none if it has no table.

    Args:
        root: The set's directory.
        manifest: Its manifest.

    Yields:
        Batches with the columns of `SCHEMA`, or of `MIXED`.

    Raises:
        SetError: The file is not as written.
    """
    entries = [entry for entry in manifest.files if entry.file == DOCUMENTS]
    if not entries:
        return
    path = root / DOCUMENTS
    try:
        digest = blake3(max_threads=1).update_mmap(path).hexdigest()
        if digest != entries[0].blake3:
            raise SetError(
                sentence("the file as written", "other bytes", f"{path}, byte 0", REMEDY)
            )
        with pa.memory_map(str(path)) as source:
            stream = pa.ipc.open_stream(source)
            if stream.schema not in (SCHEMA, MIXED):
                found = ", ".join(stream.schema.names)
                raise SetError(sentence("a table of documents", found, str(path), REMEDY))
            for batch in stream:
                batch.validate(full=True)
                yield batch
    except (pa.ArrowException, OSError) as error:
        found = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SetError(sentence("a readable table", found, str(path), REMEDY)) from None
