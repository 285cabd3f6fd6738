"""Megatron's indexed ids: `NAME.bin` and `NAME.idx`, a row a sequence."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.errors import SetError, UsageError, sentence
from transferset.exported import REMEDY, ExportRecord
from transferset.exports.cutting import left_out, pieces
from transferset.exports.document_runs import COLUMNS, Runs, joined, require_once
from transferset.exports.joining import entry_of, join, output_of, part_path
from transferset.exports.listed import listed, readable
from transferset.exports.megatron_index import CODES, HEADER_BYTES, MARK, write_index
from transferset.exports.protocol import Context, Draft, Format, Options, Part, Written
from transferset.exports.rows import Rows
from transferset.exports.stream import id_type, ids_of
from transferset.files import HashingFile
from transferset.manifest import FileEntry, Json
from transferset.schema import BATCH_ROWS
from transferset.shards import ShardSet
from transferset.stage import Done
from transferset.storage.mounts import present

#: Numbers of an index that are written at once.
_BLOCK: Final = 1 << 20


def plan(sets: Sequence[ShardSet], parts: Sequence[Part], options: Options) -> Draft:
    """See `Format.plan`."""
    kind = id_type(sets, options, list(CODES), "megatron")
    _check_documents(sets, options)
    tasks = [
        {"split": split, "start": start, "stop": stop, "rows": stop - start, "ids": kind}
        for split, found in enumerate(sets)
        for start, stop in pieces(found)
    ]
    gone = [told for found in sets for told in left_out(found, ("input_ids",), "megatron")]
    return Draft({part.split: ("input_ids",) for part in parts}, tasks, 2 * len(parts), gone)


def _check_documents(sets: Sequence[ShardSet], options: Options) -> None:
    if options.document not in (None, "row", "doc"):
        raise UsageError(sentence("--document row or doc", options.document or ""))
    for found in sets if options.document == "doc" else ():
        if "doc_id" not in found.manifest.schema:
            have = ", ".join(found.manifest.schema)
            do = "export with --document row"
            raise UsageError(sentence("a column doc_id", have, str(found.root), do))


def write(root: Path, context: Context, task: Json) -> Done:
    """See `Format.write`: parts of the ids, of their numbers in each row, of the documents."""
    whole = context.options.document == "doc"
    rows = Rows(context, task, also=COLUMNS if whole else ())
    runs = Runs(str(context.parts[task["split"]].root))
    with (
        HashingFile(part_path(root, task, ".bin")) as ids,
        HashingFile(part_path(root, task, ".lengths")) as lengths,
        HashingFile(part_path(root, task, ".runs")) as documents,
    ):
        for batch in rows:
            values, counts = ids_of(batch, task["ids"])
            ids.write(values.data)
            lengths.write(counts.astype("<i4").data)
            if whole:
                documents.write(runs(batch, rows.first).tobytes())
        outputs = [output_of(root, sink) for sink in (ids, lengths, documents)]
    return Done(outputs, rows.result() | (runs.result() if whole else {}))


def finish(written: Written) -> list[FileEntry]:
    """See `Format.finish`."""
    entries = []
    for split, part in enumerate(written.context.parts):
        tasks = [task for task, _ in written.of(split)]
        parts = [part_path(written.root, task, ".bin") for task in tasks]
        index = _write_index(written, split, f"{part.split}.idx")
        entries += [join(written.root, f"{part.split}.bin", parts, written.copied), index]
    return entries


def _write_index(written: Written, split: int, file: str) -> FileEntry:
    both = written.of(split)
    paths = [part_path(written.root, task, ".lengths") for task, _ in both]
    total = sum(int(result["rows"]) for _, result in both)
    ends: Iterable[npt.NDArray[np.int64]] = _blocks(total)
    documents = total
    if written.context.options.document == "doc":
        starts = _document_starts(written, split)
        documents = len(starts)
        ends = [np.append(starts[1:], total)]
    kind = np.dtype(both[0][0]["ids"])
    with HashingFile(written.root / file) as sink:
        write_index(sink, kind, total, documents, lambda: _numbers(paths), ends)
        return entry_of(written.root, sink)


def _blocks(total: int) -> Iterator[npt.NDArray[np.int64]]:
    for start in range(0, total, _BLOCK):
        yield np.arange(start + 1, min(start + _BLOCK, total) + 1)


def _numbers(paths: Iterable[Path]) -> Iterator[npt.NDArray[np.int32]]:
    for path in paths:
        yield np.fromfile(present(path), "<i4")


def _document_starts(written: Written, split: int) -> npt.NDArray[np.int64]:
    where = str(written.context.parts[split].root)
    both = written.of(split)
    ranges = [(part_path(written.root, task, ".runs"), result) for task, result in both]
    runs = np.concatenate(list(joined(ranges, where)))
    require_once(runs, where)
    starts: npt.NDArray[np.int64] = runs["row"].copy()
    return starts


def read(root: Path, record: ExportRecord, split: str) -> Iterator[pa.RecordBatch]:
    """See `Format.read`."""
    rows = int(record.part(split)["rows"])
    theirs = _theirs()
    listed(root, record, f"{split}.bin")
    prefix = listed(root, record, f"{split}.idx").with_suffix("")
    batches = _by_megatron(theirs, prefix, rows) if theirs else _by_ourselves(prefix, rows)
    with readable(prefix.with_suffix(".idx")):
        for ids, lengths in batches:
            offsets = np.append(0, np.cumsum(lengths)).astype(np.int32)
            column = pa.ListArray.from_arrays(pa.array(offsets), pa.array(ids))
            yield pa.RecordBatch.from_arrays([column], names=["input_ids"])


def _theirs() -> Any:
    """Megatron's reader; None where it is not installed, or not with all that it needs."""
    try:
        from megatron.core.datasets.indexed_dataset import IndexedDataset
    except ImportError:
        return None
    return IndexedDataset


def _by_megatron(
    theirs: Any, prefix: Path, rows: int
) -> Iterator[tuple[npt.NDArray[Any], list[int]]]:
    found = theirs(str(prefix))
    _check_rows(prefix, len(found), rows)
    for start in range(0, rows, BATCH_ROWS):
        sequences = found[start : min(start + BATCH_ROWS, rows)]
        yield np.concatenate(sequences), [len(one) for one in sequences]


def _by_ourselves(
    prefix: Path, rows: int
) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[np.int32]]]:
    path = prefix.with_suffix(".idx")
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    codes = {code: np.dtype(name).newbyteorder("<") for name, code in CODES.items()}
    mark, version, code, count, _ = struct.unpack("<9sQBQQ", header)
    if mark != MARK or version != 1 or code not in codes:
        raise SetError(sentence("an index of Megatron's", "another file", str(path), REMEDY))
    _check_rows(prefix, count, rows)
    ids = np.memmap(prefix.with_suffix(".bin"), codes[code], "r")
    lengths = np.memmap(path, "<i4", "r", HEADER_BYTES, (rows,))
    places = np.memmap(path, "<i8", "r", HEADER_BYTES + 4 * rows, (rows,))
    for start in range(0, rows, BATCH_ROWS):
        some = slice(start, start + BATCH_ROWS)
        at = int(places[start]) // ids.itemsize
        bounds = at + np.append(0, np.cumsum(lengths[some], dtype=np.int64))
        apart = (bounds[:-1] * ids.itemsize != places[some]).any() or (lengths[some] < 0).any()
        if apart or at < 0 or bounds[-1] > len(ids):
            raise SetError(sentence("rows one after the other", "others", str(path), REMEDY))
        yield np.asarray(ids[at : bounds[-1]]), np.asarray(lengths[some])


def _check_rows(prefix: Path, found: int, rows: int) -> None:
    if found != rows:
        expected = f"{rows:,} sequences"
        raise SetError(sentence(expected, f"{found:,}", f"{prefix}.idx", REMEDY))


def _reader() -> str:
    if _theirs() is not None:
        return "Megatron's IndexedDataset"
    return "transferset's own reading: megatron-core is not installed"


FORMAT: Final = Format(
    "megatron",
    1,
    "ids as Megatron-LM maps them, .bin and .idx",
    ("document", "dtype"),
    plan,
    write,
    finish,
    read,
    _reader,
    share=0.4,
    own=("*.bin", "*.idx"),
)
