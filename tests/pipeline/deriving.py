"""Sets and recipes that the tests of derivations share."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from transferset import (
    Dedupe,
    Delete,
    Filter,
    Generate,
    Lengths,
    Mask,
    Pack,
    Replace,
    Sample,
    Shuffle,
)
from transferset.shards import ShardSet

#: Every step, alone and after steps that drop, repeat, make or join rows.
RECIPES = {
    "sample": [Sample("10%")],
    "sample by tokens": [Sample("30%", by="tokens")],
    "bootstrap": [Sample("150%", with_replacement=True)],
    "shuffle": [Shuffle()],
    "window": [Shuffle(window=2)],
    "generate": [Generate("50%")],
    "mask": [Mask(0.15, rule="bert")],
    "delete": [Delete(0.3)],
    "replace": [Replace(0.2)],
    "lengths": [Lengths("5:9")],
    "filter": [Filter("length > 4 and doc_id != 17")],
    "dedupe": [Dedupe()],
    "pack": [Pack(40)],
    "pack documents": [Pack(20, by="document")],
    "long": [Filter("length > 3"), Sample("60%"), Delete(0.2), Dedupe(), Shuffle(), Mask(0.3)],
    "bootstrap, noise": [Sample("300%", with_replacement=True), Delete(0.4), Dedupe(), Sample(500)],
    "generate, sample": [Lengths("4:"), Generate("80%"), Sample("50%"), Shuffle(), Pack(64)],
    "pack, sample": [Sample("90%"), Pack(30), Sample("50%"), Shuffle(), Sample("50%")],
    "bootstrap, pack": [Sample("200%", with_replacement=True), Pack(24), Replace(0.5)],
}


def rows_of(found: ShardSet) -> pa.Table:
    """All rows, without a trace of batches or shards."""
    return pa.Table.from_batches(found.batches()).combine_chunks()


def files_of(root: Path) -> dict[str, bytes]:
    """The bytes of all files of a set that are not of the run."""
    return {
        str(p.relative_to(root)): p.read_bytes()
        for p in sorted(root.rglob("*"))
        if p.is_file() and "_run" not in p.parts
    }
