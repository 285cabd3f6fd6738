"""nanoGPT's ids: `train.bin` and `val.bin`, nothing but ids one after the other.

Its train.py maps them by `np.memmap(…, dtype=np.uint16)` and cuts anywhere. What it wants to know
besides, the size of the vocabulary, it reads from a pickle; here it stands in `meta.json`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from transferset.errors import SetError, sentence
from transferset.exported import REMEDY, ExportRecord
from transferset.exports.cutting import left_out, pieces
from transferset.exports.joining import entry_of, join, output_of, part_path
from transferset.exports.listed import listed, readable
from transferset.exports.protocol import Context, Draft, Format, Options, Part, Written
from transferset.exports.rows import Rows
from transferset.exports.stream import id_type, ids_of
from transferset.files import HashingFile
from transferset.manifest import FileEntry, Json, pretty
from transferset.shards import ShardSet
from transferset.stage import Done

#: Ids that are read at once.
_BLOCK: Final = 1 << 20

META: Final = "meta.json"

_STREAM: Final = "where rows begin and end: nanogpt holds one stream of ids, as in the rows"


def plan(sets: Sequence[ShardSet], parts: Sequence[Part], options: Options) -> Draft:
    """See `Format.plan`."""
    # never wide by itself: train.py would read two ids for one
    narrow = Options(dtype=options.dtype or "uint16")
    kind = id_type(sets, narrow, ("uint16", "uint32"), "nanogpt")
    tasks = [
        {"split": split, "start": start, "stop": stop, "rows": stop - start, "ids": kind}
        for split, found in enumerate(sets)
        for start, stop in pieces(found)
    ]
    gone = [told for found in sets for told in left_out(found, ("input_ids",), "nanogpt")]
    columns = {part.split: ("input_ids",) for part in parts}
    return Draft(columns, tasks, len(parts), [*gone, _STREAM])


def write(root: Path, context: Context, task: Json) -> Done:
    """See `Format.write`."""
    rows = Rows(context, task, ends=False)
    with HashingFile(part_path(root, task, ".bin")) as sink:
        for batch in rows:
            sink.write(ids_of(batch, task["ids"])[0].data)
        output = output_of(root, sink)
    return Done([output], rows.result())


def finish(written: Written) -> list[FileEntry]:
    """See `Format.finish`."""
    splits = [part.split for part in written.context.parts]
    entries = []
    for number, split in enumerate(splits):
        parts = [part_path(written.root, task, ".bin") for task, _ in written.of(number)]
        entries.append(join(written.root, file_name(split, splits), parts, written.copied))
    return [*entries, _write_meta(written)]


def _write_meta(written: Written) -> FileEntry:
    tokenizer = ShardSet.open(written.context.parts[0].root).manifest.tokenizer
    meta: Json = {"dtype": written.tasks[0]["ids"]}
    if tokenizer is not None:
        special = tokenizer["special_ids"]
        meta |= {"vocab_size": tokenizer["vocab_size"], "special_ids": special}
    with HashingFile(written.root / META) as sink:
        sink.write(pretty(meta))
        return entry_of(written.root, sink)


def file_name(split: str, splits: Sequence[str]) -> str:
    """The file of a split; nanoGPT says `val` for validation.

    Args:
        split: One of them.
        splits: All of an export.
    """
    short = split == "validation" and "val" not in splits
    return f"{'val' if short else split}.bin"


def read(root: Path, record: ExportRecord, split: str) -> Iterator[pa.RecordBatch]:
    """See `Format.read`: mapped as train.py does it."""
    kind = np.dtype("uint32" if record.params.get("dtype") == "uint32" else "uint16")
    path = listed(root, record, file_name(split, [part["split"] for part in record.parts]))
    if path.stat().st_size % kind.itemsize:
        found = f"{path.stat().st_size:,} bytes"
        raise SetError(sentence(f"whole ids of {kind.itemsize} bytes", found, str(path), REMEDY))
    with readable(path):
        ids = np.memmap(path, kind.newbyteorder("<"), "r")
    for start in range(0, len(ids), _BLOCK):
        some = np.asarray(ids[start : start + _BLOCK])
        bounds = pa.array([0, len(some)], pa.int32())
        yield pa.RecordBatch.from_arrays(
            [pa.ListArray.from_arrays(bounds, pa.array(some))], names=["input_ids"]
        )


def _reader() -> str:
    return "np.memmap, as nanoGPT's train.py"


FORMAT: Final = Format(
    "nanogpt",
    1,
    "a stream of uint16 ids as nanoGPT maps it",
    ("dtype",),
    plan,
    write,
    finish,
    read,
    _reader,
    share=0.3,
    own=("*.bin", META),
)
