"""Ids one after the other, as formats have them that are an array of ids and little else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.errors import UsageError, sentence
from transferset.exports.protocol import Options
from transferset.shards import ShardSet


def id_type(sets: Sequence[ShardSet], options: Options, types: Sequence[str], name: str) -> str:
    """The type that ids have in an export, of all splits.

    Args:
        sets: That are exported.
        options: May name it.
        types: Those that the format can have; without an option the first that is wide enough.
        name: Of the format.

    Raises:
        UsageError: A set has no ids, or no such type holds them.
    """
    for found in sets:
        if "input_ids" not in found.manifest.schema:
            expected = f"a column input_ids for --to {name}"
            raise UsageError(sentence(expected, ", ".join(found.manifest.schema), str(found.root)))
    if options.dtype is not None and options.dtype not in types:
        expected = f"--dtype {' or '.join(types)} with --to {name}"
        raise UsageError(sentence(expected, options.dtype))
    wide = any("uint16" not in found.manifest.schema["input_ids"] for found in sets)
    if wide and options.dtype == "uint16":
        do = f"choose --dtype {types[-1]}"
        raise UsageError(sentence("ids that fit 16 bits", "a vocabulary above 65,536", do=do))
    return options.dtype or types[wide]


def ids_of(batch: pa.RecordBatch, kind: str) -> tuple[npt.NDArray[Any], npt.NDArray[np.int32]]:
    """Ids of some rows, one row after the other, and how many each row has.

    Args:
        batch: With a column `input_ids`.
        kind: The type to give, `uint16`, `uint32` or `int32`.
    """
    column = batch.column("input_ids")
    offsets = column.offsets.to_numpy()
    first, last = int(offsets[0]), int(offsets[-1])
    ids = column.values.slice(first, last - first).to_numpy()
    return np.ascontiguousarray(ids, np.dtype(kind).newbyteorder("<")), np.diff(offsets)
