"""Checking a set: every digest, then every invariant; the first place that is wrong is named."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from blake3 import blake3

from transferset import schema as schemas
from transferset.documents import DOCUMENTS, read_documents
from transferset.errors import SetError, sentence
from transferset.files import digest_file
from transferset.manifest import MANIFEST, PIECE_BYTES, ShardEntry
from transferset.shapes import INNER
from transferset.shards import REMEDY, ShardSet, shard_name, stated_schema
from transferset.verification_columns import check_columns, check_sides, require_rows
from transferset.verification_logits import check_logits, check_teacher

#: How every stream ends.
_END = b"\xff\xff\xff\xff\0\0\0\0"

#: Files that other software trusts: the manifest must answer for them.
_LISTED = ("dataset_info.json", "state.json", "tokenizer.json", "tokenizer_config.json")


def verify(root: str | Path, progress: Callable[[int], None] | None = None) -> ShardSet:
    """Check every byte and every invariant of a set.

    Args:
        root: The set's directory.
        progress: Called with the bytes of each file that was found right.

    Returns:
        The set, if nothing is wrong.

    Raises:
        SetError: The first place that is wrong: file, bytes or row, and what was expected.
    """
    found = ShardSet.open(root)
    _check_files(found)
    check_sides(list(found.manifest.schema), str(found.root / MANIFEST))
    _check_teacher(found)
    for index, entry in enumerate(found.manifest.shards):
        path = found.shard_path(entry)
        _check_pieces(path, entry)
        try:
            _check_shard(found, index, path, entry)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise SetError(sentence("a readable shard", str(error), str(path))) from error
        if progress is not None:
            progress(entry.bytes)
    _check_documents(found)
    return found


def _check_files(found: ShardSet) -> None:
    manifest = found.manifest
    names = [shard_name(i, len(manifest.shards)) for i in range(len(manifest.shards))]
    if [entry.file for entry in manifest.shards] != names:
        raise SetError(sentence("shards numbered in order", "others", str(found.root)))
    # what `datasets` caches beside the shards is nobody's rows
    there = {p.name for p in found.root.glob("*.arrow") if not p.name.startswith("cache-")}
    extra = sorted(there - set(names))
    if extra:
        where = str(found.root / extra[0])
        raise SetError(sentence("the manifest's shards only", "another one", where, "move it away"))
    written = {name for name in _LISTED if (found.root / name).exists()}
    written |= {f"{folder}/{p.name}" for folder in INNER for p in (found.root / folder).glob("*")}
    for name in sorted(written - {entry.file for entry in manifest.files}):
        where = f"{found.root / name}, byte 0"
        raise SetError(sentence("files that the manifest lists", "another", where, REMEDY))
    for entry in manifest.files:
        path = found.root / entry.file
        if digest_file(path) != entry.blake3:
            where = f"{path}, bytes 0–{max(0, entry.bytes - 1)}"
            raise SetError(sentence("the file as written", "other bytes", where, REMEDY))


def _check_teacher(found: ShardSet) -> None:
    manifest = found.manifest
    vocabulary = manifest.tokenizer["vocab_size"] if manifest.tokenizer else 0
    check_teacher(manifest.schema, manifest.teacher, vocabulary, str(found.root / MANIFEST))


def _check_documents(found: ShardSet) -> None:
    # reading refuses what is no such table
    batches = read_documents(found.root, found.manifest)
    rows = sum(int(batch.column("rows").to_numpy().sum()) for batch in batches)
    if rows > len(found):
        where = str(found.root / DOCUMENTS)
        raise SetError(sentence(f"documents of {len(found)} rows", f"of {rows}", where, REMEDY))


def _check_pieces(path: Path, entry: ShardEntry) -> None:
    whole = blake3()
    position = 0
    with path.open("rb") as file:
        for stated in entry.pieces:
            piece = file.read(PIECE_BYTES)
            whole.update(piece)
            if blake3(piece).hexdigest()[:16] != stated:
                where = f"{path}, bytes {position}–{position + len(piece) - 1}"
                raise SetError(sentence(f"digest {stated}", "another", where, REMEDY))
            position += len(piece)
    if whole.hexdigest() != entry.blake3:
        where = f"{path}, bytes 0–{entry.bytes - 1}"
        raise SetError(sentence(f"digest {entry.blake3}", "another", where, REMEDY))


def _check_shard(found: ShardSet, index: int, path: Path, entry: ShardEntry) -> None:
    rows = tokens = 0
    for batch in _batches(found, path):
        full = batch.num_rows == schemas.BATCH_ROWS
        if not batch.num_rows or (not full and rows + batch.num_rows != entry.rows):
            where = f"{path}, row {rows}"
            raise SetError(sentence("full batches", f"one of {batch.num_rows} rows", where))
        _check_batch(found, batch, f"{path}, row", rows)
        rows += batch.num_rows
        tokens += _tokens(batch)
    if (rows, tokens) != (entry.rows, entry.tokens):
        expected = f"{entry.rows} rows with {entry.tokens} tokens"
        raise SetError(sentence(expected, f"{rows} with {tokens}", str(path)))


def _batches(found: ShardSet, path: Path) -> Iterator[pa.RecordBatch]:
    with pa.memory_map(str(path)) as source:
        reader = pa.ipc.open_stream(source)
        expected = stated_schema(found)
        if not reader.schema.equals(expected, check_metadata=True):
            shown = str(reader.schema).splitlines()[0]
            raise SetError(sentence("the manifest's schema", shown, f"{path}, byte 0", REMEDY))
        yield from reader
        if source.tell() != source.size() or not _ends_well(path):
            where = f"{path}, byte {source.tell()}"
            raise SetError(sentence("the end of the stream", "other bytes", where, REMEDY))


def _ends_well(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-len(_END), os.SEEK_END)
        return file.read() == _END


def _tokens(batch: pa.RecordBatch) -> int:
    if "input_ids" not in batch.schema.names:
        return 0
    offsets = batch.column("input_ids").offsets.to_numpy()
    return int(offsets[-1] - offsets[0])


def _check_batch(found: ShardSet, batch: pa.RecordBatch, at: str, first_row: int) -> None:
    batch.validate(full=True)
    tokenizer = found.manifest.tokenizer
    check_columns(batch, found.manifest.names, at, first_row)
    vocabulary = tokenizer["vocab_size"] if tokenizer else 0
    check_logits(batch, found.manifest.teacher, vocabulary, at, first_row)
    if "input_ids" not in batch.schema.names or tokenizer is None:
        return
    column = batch.column("input_ids")
    ids, offsets = column.values.to_numpy(), column.offsets.to_numpy()
    special = tokenizer["special_ids"]
    starts, ends = offsets[:-1], offsets[1:]
    wrong = (ids >= tokenizer["vocab_size"]) | (ids < 0)
    if wrong.any():
        first = int(np.argmax(wrong))
        row = first_row + int(np.searchsorted(offsets, first, "right")) - 1
        expected = f"ids below {tokenizer['vocab_size']}"
        raise SetError(sentence(expected, str(ids[first]), f"{at} {row}", REMEDY))
    require_rows(ends - starts >= 2, "two ids or more", at, first_row)
    require_rows(ids[starts] == special["cls"], "[CLS] first", at, first_row)
    require_rows(ids[ends - 1] == special["sep"], "[SEP] last", at, first_row)
    if "labels" in batch.schema.names:
        labels = batch.column("labels").offsets.to_numpy()
        require_rows(np.diff(labels) == ends - starts, "a label for each id", at, first_row)
    longest = found.manifest.params.get("max_len")
    if longest is not None:
        require_rows(ends - starts <= longest, f"at most {longest} ids", at, first_row)
