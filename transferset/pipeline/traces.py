"""The documents table of a set that is made of others: the documents that its rows come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transferset import documents
from transferset.errors import InputError, SetError, printable, sentence
from transferset.manifest import FileEntry, ShardEntry
from transferset.shards import REMEDY, ShardSet, damage_named
from transferset.storage.mounts import present
from transferset.transforms.provenance import group_codes

#: What filters ask of a document.
_TOLD = ("licence", "author", "title", "language")

#: Columns by which a row finds its document.
_IDENTITY = ("part", "source", "doc_id")


@dataclass(frozen=True, slots=True)
class Heritage:
    """The documents of one parent as its child names them.

    Attributes:
        parent: The parent.
        parts: Its part code in the child by its own; None where the child is no mix of it.
        sources: Its source codes in the child by its own; None where they stay.
        whole: The child has each of its rows once.
    """

    parent: ShardSet
    parts: Sequence[int] | None = None
    sources: Mapping[int, int] | None = None
    whole: bool = False


def carry_documents(
    root: Path, schema: pa.Schema, shards: Sequence[ShardEntry], parents: Sequence[Heritage]
) -> list[FileEntry]:
    """Write the documents table of a set whose shards are written.

    Args:
        root: The new set's directory.
        schema: Of the new set.
        shards: Its shards.
        parents: Where its rows come from, in order.

    Returns:
        The table's manifest entry; none if no row knows its document.
    """
    known = [one for one in parents if documents.has_documents(one.parent.manifest)]
    if not known or not {"source", "doc_id"} <= set(schema.names):
        return []
    mixed = "part" in schema.names
    batches: Iterator[pa.RecordBatch] = (b for one in known for b in _renamed(one, mixed=mixed))
    if not all(one.whole for one in known):
        batches = _with_rows(batches, root, shards)
    return [
        documents.write_documents(root, batches, documents.MIXED if mixed else documents.SCHEMA)
    ]


def require_one_account(inputs: str, batches: Callable[[], Iterable[pa.RecordBatch]]) -> None:
    """Refuse documents of one identity of which different things are known.

    A row knows its document by (source, doc_id) alone: filters could not tell them apart.

    Args:
        inputs: What was read, for the message.
        batches: Gives the documents, and gives them again; twelve bytes of each are held.

    Raises:
        InputError: Two documents have one `doc_id`, and another licence, author, title or language.
    """
    # copies: a batch that is held keeps its file mapped, and there may be too many files for that
    known = [(group_codes(b).copy(), b.column("doc_id").to_numpy().copy()) for b in batches()]
    if not known:
        return
    groups, ids = (np.concatenate(column) for column in zip(*known, strict=True))
    order = np.lexsort((ids, groups))
    same = (np.diff(ids[order]) == 0) & (np.diff(groups[order]) == 0)
    at = np.flatnonzero(same)
    if not len(at):
        return
    picked = np.unique(np.concatenate([order[at], order[at + 1]]))
    table = _picked(batches(), picked).select(["doc_id", *_TOLD])
    ones, others = (table.take(pa.array(np.searchsorted(picked, order[at + i]))) for i in (0, 1))
    for name in _TOLD:
        differs = np.flatnonzero(pc.not_equal(ones[name], others[name]).to_numpy())
        if len(differs):
            first = int(differs[0])
            values = " and ".join(repr(t[name][first].as_py()[:60]) for t in (ones, others))
            found = f"{ones['doc_id'][first]} with the {name} {values}"
            do = "give each its own id, or leave the ids out"
            raise InputError(sentence("one document of each id", printable(found), inputs, do))


def _picked(batches: Iterable[pa.RecordBatch], rows: npt.NDArray[np.int64]) -> pa.Table:
    """Copies of some rows, in order."""
    found, start = [], 0
    for batch in batches:
        first, stop = np.searchsorted(rows, (start, start + batch.num_rows))
        if stop > first:
            found.append(batch.take(pa.array(rows[first:stop] - start)))
        start += batch.num_rows
    return pa.Table.from_batches(found)


def _renamed(of: Heritage, *, mixed: bool) -> Iterator[pa.RecordBatch]:
    """The parent's documents with the child's codes."""
    for batch in documents.read_documents(of.parent.root, of.parent.manifest):
        columns = {name: batch.column(name) for name in batch.schema.names}
        if of.sources is not None:
            columns["source"] = _recoded(batch.column("source"), of.sources, of.parent)
        if of.parts is not None:
            inner = columns.get("part", pa.array(np.zeros(batch.num_rows, np.uint16)))
            columns["part"] = _recoded(inner, dict(enumerate(of.parts)), of.parent)
        schema = documents.MIXED if mixed else documents.SCHEMA
        yield pa.RecordBatch.from_pydict({name: columns[name] for name in schema.names}, schema)


def _recoded(codes: pa.Array, new: Mapping[int, int], parent: ShardSet) -> pa.Array:
    table = np.full(1 << 16, -1, np.int32)
    table[list(new)] = list(new.values())
    found = table[codes.to_numpy()]
    if (found < 0).any():
        at = str(parent.root / documents.DOCUMENTS)
        code = int(codes.to_numpy()[found < 0][0])
        raise SetError(sentence("codes of its manifest", f"{code}", at, REMEDY))
    return pa.array(found.astype(np.uint16))


def _with_rows(
    batches: Iterator[pa.RecordBatch], root: Path, shards: Sequence[ShardEntry]
) -> Iterator[pa.RecordBatch]:
    """Documents that have rows in the set, with their number."""
    held = list(batches)  # mapped from the parents' files
    if not held:
        return
    groups = np.concatenate([group_codes(batch) for batch in held])
    ids = np.concatenate([batch.column("doc_id").to_numpy() for batch in held])
    rows = _count(groups, ids, root, shards)
    start = 0
    for batch in held:
        mine = rows[start : start + batch.num_rows]
        start += batch.num_rows
        at = batch.schema.get_field_index("rows")
        counted = batch.set_column(at, batch.schema.field(at), pa.array(mine))
        yield counted.filter(pa.array(mine > 0))


def _count(
    groups: npt.NDArray[np.uint32],
    ids: npt.NDArray[np.uint64],
    root: Path,
    shards: Sequence[ShardEntry],
) -> npt.NDArray[np.uint32]:
    """Rows of each document; of documents with one identity, the first has them."""
    order = np.lexsort((ids, groups))
    groups, ids = groups[order], ids[order]
    rows = np.zeros(len(order), np.int64)
    codes, firsts = np.unique(groups, return_index=True)
    bounds = [*firsts.tolist(), len(order)]
    for batch in _identities(root, shards):
        of_row, doc_id = group_codes(batch), batch.column("doc_id").to_numpy()
        for i, code in enumerate(codes.tolist()):
            low, high = bounds[i], bounds[i + 1]
            mine = doc_id[of_row == code]
            at = low + np.searchsorted(ids[low:high], mine)
            at = at[ids[np.minimum(at, high - 1)] == mine]
            places, counts = np.unique(at, return_counts=True)
            rows[places] += counts
    found = np.zeros(len(order), np.uint32)
    found[order] = rows
    return found


def _identities(root: Path, shards: Sequence[ShardEntry]) -> Iterator[pa.RecordBatch]:
    for shard in shards:
        path = present(root / shard.file, size=shard.bytes, blake3=shard.blake3)
        with damage_named(path), pa.memory_map(str(path)) as source:
            stream = pa.ipc.open_stream(source)
            columns = [name for name in _IDENTITY if name in stream.schema.names]
            for batch in stream:
                yield batch.select(columns)
