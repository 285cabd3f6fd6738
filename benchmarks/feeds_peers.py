"""What people read batches with today: `datasets` and torch's `DataLoader`; and the limits.

All are given the rows of their batches, so none spends time on choosing them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from transferset.shards import ShardSet

Rows = list[npt.NDArray[np.int64]]


def loader(path: Path, rows: Rows, kind: str, *, fixed: bool) -> Any:
    """A loader over `load_from_disk`, as their manuals show it.

    Args:
        path: Of a set.
        rows: Of each batch.
        kind: The format of `datasets`: torch, numpy; or `lists` for none.
        fixed: Whether rows are of one length, so that the default collators do; else
            transformers' `DataCollatorWithPadding` pads them to the longest.
    """
    from datasets import load_from_disk
    from torch.utils.data import DataLoader, default_collate

    found = load_from_disk(str(path)).select_columns(["input_ids"])
    if kind != "lists":
        found = found.with_format(kind)
    collate = default_collate if fixed else _padding(path)
    if fixed and kind == "lists":  # torch's default makes a tensor of each column of such a list
        from transformers import default_data_collator as collate
    loaded = DataLoader(found, batch_sampler=[one.tolist() for one in rows], collate_fn=collate)
    return map(_with_mask, loaded) if fixed else loaded


def _with_mask(batch: Any) -> Any:
    import torch

    return {**batch, "attention_mask": torch.ones_like(batch["input_ids"])}


@lru_cache
def _padding(path: Path) -> Any:
    from transformers import AutoTokenizer, DataCollatorWithPadding

    tokenizer = AutoTokenizer.from_pretrained(path)
    # it advises on every batch to let the tokenizer pad texts, of which there are none here
    tokenizer.deprecation_warnings["Asking-to-pad-a-fast-tokenizer"] = True
    return DataCollatorWithPadding(tokenizer)


@lru_cache
def _column(path: Path) -> Any:
    """All ids as one array: the best that Arrow can be given."""
    import pyarrow as pa

    table = pa.Table.from_batches(ShardSet.open(path).batches())
    return table.column("input_ids").combine_chunks()


def taken(path: Path, rows: Rows) -> Iterator[tuple[Any, Any]]:
    """Rows as Arrow's kernel takes them, flat, without padding and without tensors."""
    import pyarrow as pa

    column = _column(path)
    for one in rows:
        found = column.take(pa.array(one))
        yield found.values.to_numpy(), found.offsets.to_numpy()


def copied(path: Path, rows: Rows) -> Iterator[Any]:
    """As many bytes as the ids of each batch have, copied from one place: no tool can be faster."""
    column = _column(path)
    lengths, source = column.value_lengths().to_numpy(), column.values.to_numpy()
    for one in rows:
        yield source[: int(lengths[one].sum())].copy(), None
