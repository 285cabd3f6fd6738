"""The plain way of writing each format: a whole program, as its users have it.

    PYTHON exports_peers.py FORMAT SET --out DIR

Nothing of transferset is needed, but for the set on disk.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Columns that texts go with.
TEXTS = ("text", "text_pair", "label")


def load(root: Path) -> Any:
    from datasets import disable_caching, load_from_disk

    disable_caching()  # a second run would find the first one's work
    return load_from_disk(str(root))


def texts(root: Path) -> Any:
    rows = load(root)
    return rows.select_columns([name for name in TEXTS if name in rows.column_names])


def to_parquet(root: Path, out: Path) -> None:
    load(root).to_parquet(out / "train.parquet")


def to_csv(root: Path, out: Path) -> None:
    texts(root).to_csv(out / "train.tsv", sep="\t")


def to_json(root: Path, out: Path) -> None:
    texts(root).to_json(out / "train.jsonl")


def batches(root: Path) -> Iterator[Any]:
    """Record batches of a set, mapped."""
    import pyarrow as pa

    for shard in json.loads((root / "state.json").read_bytes())["_data_files"]:
        with pa.memory_map(str(root / shard["filename"])) as source:
            yield from pa.ipc.open_stream(source)


def to_arrow_file(root: Path, out: Path) -> None:
    import pyarrow as pa

    writer = None
    for batch in batches(root):
        writer = writer or pa.ipc.new_file(str(out / "train.arrow"), batch.schema)
        writer.write_batch(batch)
    if writer:
        writer.close()


def to_megatron(root: Path, out: Path) -> None:
    """As Megatron's tools/preprocess_data.py does it, once texts are ids."""
    import torch
    from megatron.core.datasets.indexed_dataset import IndexedDatasetBuilder

    builder = None
    for batch in batches(root):
        column = batch.column("input_ids")
        kind = column.type.value_type.to_pandas_dtype()
        builder = builder or IndexedDatasetBuilder(str(out / "train.bin"), dtype=kind)
        for row in column.to_pylist():
            builder.add_document(torch.IntTensor(row), [len(row)])
    if builder:
        builder.finalize(str(out / "train.idx"))


def to_mds(root: Path, out: Path) -> None:
    """As MosaicML's guide has it: a dictionary for each row."""
    import numpy as np
    import pyarrow as pa
    from streaming import MDSWriter

    first = next(batches(root))
    columns, arrays = {}, []
    for field in first.schema:
        if pa.types.is_string(field.type):
            columns[field.name] = "str"
        elif not pa.types.is_nested(field.type):
            kind = np.dtype(field.type.to_pandas_dtype()).name
            columns[field.name] = {"int64": "int", "bool": "uint8"}.get(kind, kind)
        elif field.name in ("input_ids", "labels"):
            columns[field.name] = f"ndarray:{field.type.value_type}"
            arrays.append((field.name, field.type.value_type.to_pandas_dtype()))
    with MDSWriter(columns=columns, out=str(out / "train")) as writer:
        for batch in batches(root):
            for row in batch.select(list(columns)).to_pylist():
                for name, kind in arrays:
                    row[name] = np.array(row[name], kind)
                writer.write(row)


def to_nanogpt(root: Path, out: Path) -> None:
    """As nanoGPT's data/openwebtext/prepare.py does it, once texts are ids."""
    import numpy as np

    rows = load(root).select_columns(["input_ids"])
    rows = rows.map(lambda row: {"len": len(row["input_ids"])})
    total = int(np.sum(rows["len"][:], dtype=np.uint64))
    ids = np.memmap(out / "train.bin", dtype=np.uint16, mode="w+", shape=(total,))
    place, count = 0, min(1024, len(rows))
    for index in range(count):
        batch = rows.shard(num_shards=count, index=index, contiguous=True).with_format("numpy")
        some = np.concatenate(list(batch[:]["input_ids"]))
        ids[place : place + len(some)] = some
        place += len(some)
    ids.flush()


WAYS = {
    "hf": to_parquet,
    "parquet": to_parquet,
    "arrow-file": to_arrow_file,
    "megatron": to_megatron,
    "mds": to_mds,
    "nanogpt": to_nanogpt,
    "tsv": to_csv,
    "jsonl": to_json,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("format", choices=WAYS)
    parser.add_argument("set", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    WAYS[args.format](args.set, args.out)


if __name__ == "__main__":
    main()
