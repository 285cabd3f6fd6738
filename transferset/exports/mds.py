"""MosaicML's MDS: a folder for each split, shards of samples and an index.

Written without their package, which wants numpy < 2.2 and transformers < 5.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from transferset.errors import SetError, UsageError, sentence
from transferset.exported import REMEDY, ExportRecord
from transferset.exports.cutting import columns_of, files, left_out, pieces
from transferset.exports.joining import entry_of, output_of
from transferset.exports.listed import listed, readable
from transferset.exports.mds_reading import read_shard, with_nulls
from transferset.exports.mds_rows import MOST_BYTES, NO_CLASS, configuration, encode, frame, held
from transferset.exports.protocol import Context, Draft, Format, Options, Part, Written
from transferset.exports.rows import Rows
from transferset.exports.tables import schema_of, stated_schema
from transferset.files import HashingFile
from transferset.manifest import FileEntry, Json, canonical
from transferset.schema import COLUMNS
from transferset.shards import ShardSet
from transferset.stage import Done

_INDEX: Final = "index.json"

#: Bytes of Arrow that become one shard, as their writer has it; a task holds a shard in memory.
_SHARD_BYTES: Final = 64 << 20

#: Of the rows of a shard, one in so many is also read by MosaicML's reader, where it is installed.
_CHECKED: Final = 1000

_NULLS: Final = f"that a label is missing: mds has {NO_CLASS} there, of scores NaN"


def plan(sets: Sequence[ShardSet], parts: Sequence[Part], options: Options) -> Draft:
    """See `Format.plan`."""
    columns, gone = {}, []
    for found, part in zip(sets, parts, strict=True):
        taken = columns_of(found, options, COLUMNS)
        names = {column.name for column in held(schema_of(found, taken))}
        if not names:
            expected = "--columns that mds can hold"
            raise UsageError(sentence(expected, ", ".join(taken), str(found.root)))
        columns[part.split] = [name for name in taken if name in names]
        gone += left_out(found, columns[part.split], "mds")
    tasks = [task for split in range(len(sets)) for task in _tasks(sets, parts, options, split)]
    if any("label" in names for names in columns.values()):
        gone.append(_NULLS)
    return Draft(columns, tasks, len(tasks), gone)


def _tasks(
    sets: Sequence[ShardSet], parts: Sequence[Part], options: Options, split: int
) -> Iterator[Json]:
    found, shards = sets[split], options.shards
    ranges = pieces(found, _SHARD_BYTES) if shards is None else files(found, shards)
    for i, (start, stop) in enumerate(ranges):
        file = _shard_name(parts[split].split, i)
        yield {"split": split, "start": start, "stop": stop, "rows": stop - start, "file": file}


def _shard_name(split: str, shard: int) -> str:
    return f"{split}/shard.{shard:05d}.mds"


def write(root: Path, context: Context, task: Json) -> Done:
    """See `Format.write`: one shard, which is held in memory until its samples are counted."""
    part = context.parts[task["split"]]
    columns = held(schema_of(ShardSet.open(part.root), context.columns[part.split]))
    rows = Rows(context, task)
    encoded = [encode(batch, columns) for batch in rows]
    head = frame(columns, np.concatenate([sizes for _, sizes in encoded]))
    size = len(head) + sum(len(samples) for samples, _ in encoded)
    if size > MOST_BYTES:
        raise UsageError(sentence("shards below 4 GiB", f"{size:,} bytes", do="raise --shards"))
    path = root / task["file"]
    path.parent.mkdir(exist_ok=True)
    with HashingFile(path) as sink:
        sink.write(head)
        for samples, _ in encoded:
            sink.write(samples.data)
        output = output_of(root, sink)
    entry = {"file": output.file, "bytes": output.bytes, "blake3": output.blake3}
    return Done([output], {**rows.result(), "entry": entry})


def finish(written: Written) -> list[FileEntry]:
    """See `Format.finish`."""
    entries = []
    for split, part in enumerate(written.context.parts):
        both = written.of(split)
        entries += [FileEntry(**result["entry"]) for _, result in both]
        schema = schema_of(ShardSet.open(part.root), written.context.columns[part.split])
        stated = configuration(held(schema))
        shards = [(FileEntry(**result["entry"]), result["rows"]) for _, result in both]
        with HashingFile(written.root / part.split / _INDEX) as sink:
            sink.write(_index(shards, stated))
            entries.append(entry_of(written.root, sink))
    return entries


def _index(shards: Sequence[tuple[FileEntry, int]], stated: Json) -> bytes:
    """The index of shards and the samples in each."""
    entries = []
    for entry, samples in shards:
        raw = {"basename": Path(entry.file).name, "bytes": entry.bytes, "hashes": {}}
        entries.append({**stated, "samples": samples, "raw_data": raw, "zip_data": None})
    return canonical({"version": 2, "shards": entries})


def read(root: Path, record: ExportRecord, split: str) -> Iterator[pa.RecordBatch]:
    """See `Format.read`."""
    schema = stated_schema(root, record, split)
    columns = held(schema)
    shards = _shards(root, record, split)
    _require_index(root, record, split, shards, configuration(columns))
    reader = _theirs()
    theirs = reader(str(root), split) if reader is not None else None
    number = 0
    for path in shards:
        for batch in read_shard(path, columns, schema):
            if theirs is not None:
                _check_samples(batch, theirs, number, str(path))
            number += batch.num_rows
            yield with_nulls(batch)


def _shards(root: Path, record: ExportRecord, split: str) -> list[Path]:
    count = sum(entry.file.startswith(f"{split}/shard.") for entry in record.files)
    return [listed(root, record, _shard_name(split, shard)) for shard in range(count)]


def _require_index(
    root: Path, record: ExportRecord, split: str, shards: Sequence[Path], stated: Json
) -> None:
    """Refuse an index of other shards or columns.

    MosaicML's reader believes it: where it says so, what stands in a column is unpickled.
    """
    path = listed(root, record, f"{split}/{_INDEX}")
    entries = {entry.file: entry for entry in record.files}
    found = []
    for shard in shards:
        with readable(shard), shard.open("rb") as file:
            (samples,) = struct.unpack("<I", file.read(4))
        found.append((entries[f"{split}/{shard.name}"], samples))
    if path.read_bytes() != _index(found, stated):
        raise SetError(sentence("an index of the shards", "another", str(path), REMEDY))


def _theirs() -> Any:
    """MosaicML's reader; None where it is not installed, or not with all that it needs."""
    try:
        from streaming import LocalDataset
    except ImportError:
        return None
    return LocalDataset


def _check_samples(batch: pa.RecordBatch, theirs: Any, first: int, at: str) -> None:
    """Compare some rows with what MosaicML's reader gives: it opens the shard for each."""
    for row in range(0, batch.num_rows, _CHECKED):
        found = theirs[first + row]
        for name, value in batch.slice(row, 1).to_pylist()[0].items():
            theirs_has, ours = np.asarray(found[name]), np.asarray(value)
            # a missing score is NaN; of texts numpy will not ask
            if not np.array_equal(theirs_has, ours, equal_nan=ours.dtype.kind == "f"):
                where = f"{at}, row {first + row:,}"
                raise SetError(sentence(f"{name} as written", "another", where, REMEDY))


def _reader() -> str:
    if _theirs() is not None:
        return f"MosaicML's LocalDataset for a row in {_CHECKED:,}, for all transferset's own"
    return "transferset's own reading: mosaicml-streaming is not installed"


FORMAT: Final = Format(
    "mds",
    1,
    "samples as MosaicML's StreamingDataset reads them",
    ("columns", "shards"),
    plan,
    write,
    finish,
    read,
    _reader,
    share=1.1,
    own=("*/shard.*.mds", "*/index.json"),
)
