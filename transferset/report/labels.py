"""Labels, words and tags of a set, counted by streaming those columns alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.manifest import Json
from transferset.report.column_batches import column_batches
from transferset.shards import ShardSet

#: Codes from this on are counted together: no set has so many classes.
MOST_CODES: Final = 1 << 16

#: What stands for a label that is null.
NO_LABEL: Final = "no label"

#: Bars of the histogram of scores.
BINS: Final = 10

Counts = npt.NDArray[np.int64]


def labels_of(found: ShardSet) -> Json | None:
    """Classes or scores of a set's rows.

    Args:
        found: An open set.

    Returns:
        None without a column `label`. Of classes `kind` "class", `rows`, `missing` (rows without
        a label), `classes`: `code`, `name` (null if the manifest has none), `rows` and `share` of
        all rows, by code, and `others` (rows with a code that is none). Of scores `kind` "score",
        `rows`, `missing`, `min`, `mean`, `max` (null without any), `histogram`: `edges` and `rows`
        of ten bars of one width, and `others` (rows whose score is not finite).

    Raises:
        SetError: A shard is damaged.
    """
    kind = found.manifest.schema.get("label")
    if kind is None:
        return None
    return _scores(found) if kind.startswith("float") else _classes(found)


def _classes(found: ShardSet) -> Json:
    names = found.manifest.names.get("label", ())
    counts: Counts = np.zeros(len(names), np.int64)
    rows = missing = others = 0
    for (column,) in column_batches(found, ["label"]):
        codes = column.drop_null().to_numpy()
        known = codes[(codes >= 0) & (codes < MOST_CODES)]
        counts = _added(counts, known)
        rows += len(column)
        missing += column.null_count
        others += len(codes) - len(known)
    classes = [
        {
            "code": code,
            "name": names[code] if code < len(names) else None,
            "rows": count,
            "share": count / rows if rows else None,
        }
        for code, count in enumerate(counts.tolist())
        if count or code < len(names)
    ]
    return {
        "kind": "class", "rows": rows, "missing": missing, "others": others, "classes": classes,
    }  # fmt: skip


def _scores(found: ShardSet) -> Json:
    rows = missing = count = 0
    low, high, total = np.inf, -np.inf, 0.0
    for (column,) in column_batches(found, ["label"]):
        values = _finite(column)
        rows += len(column)
        missing += column.null_count
        count += len(values)
        total += float(values.sum())
        low, high = min(low, values.min(initial=np.inf)), max(high, values.max(initial=-np.inf))
    known = {"kind": "score", "rows": rows, "missing": missing, "others": rows - missing - count}
    if not count:
        return {**known, "min": None, "mean": None, "max": None, "histogram": None}
    edges = np.linspace(low, high, BINS + 1)
    bars: Counts = np.zeros(BINS, np.int64)
    for (column,) in column_batches(found, ["label"]):
        bars += np.histogram(_finite(column), edges)[0] if low < high else 0
    if low == high:  # one value has no width
        edges, bars = np.array([low, high]), np.array([count])
    return {
        **known, "min": float(low), "mean": total / count, "max": float(high),
        "histogram": {"edges": edges.tolist(), "rows": bars.tolist()},
    }  # fmt: skip


def _finite(column: pa.Array) -> npt.NDArray[np.float64]:
    values = column.drop_null().to_numpy().astype(np.float64)
    kept: npt.NDArray[np.float64] = values[np.isfinite(values)]
    return kept


def words_of(found: ShardSet) -> Json | None:
    """Words of a set's texts, both sides of pairs together.

    Returns:
        None without a column `words`; else `words` in all, `mean` and `max` of a row.

    Raises:
        SetError: A shard is damaged.
    """
    names = [name for name in ("words", "words_pair") if name in found.manifest.schema]
    if not names:
        return None
    rows = total = most = 0
    for columns in column_batches(found, names):
        lengths = sum(np.diff(column.offsets.to_numpy()).astype(np.int64) for column in columns)
        rows += len(lengths)
        total += int(np.sum(lengths))
        most = max(most, int(np.max(lengths, initial=0)))
    return {"words": total, "mean": total / rows if rows else None, "max": most}


def tags_of(found: ShardSet) -> Json | None:
    """Tags of a set's words, the most frequent first.

    Returns:
        None without a column `pos`; else `words`, and `tags`: `name`, `words` and `share`.

    Raises:
        SetError: A shard is damaged.
    """
    columns = [name for name in ("pos", "pos_pair") if name in found.manifest.schema]
    if not columns:
        return None
    counts: Counts = np.zeros(0, np.int64)
    for some in column_batches(found, columns):
        for column in some:
            counts = _added(counts, column.flatten().drop_null().to_numpy())
    names = found.manifest.names.get("pos", ())
    total = int(counts.sum())
    shares = (counts / max(1, total)).tolist()
    tags = [
        {"name": _tag(names, code), "words": int(counts[code]), "share": shares[code]}
        for code in np.argsort(-counts, kind="stable").tolist()
        if counts[code]
    ]
    return {"words": total, "tags": tags}


def _tag(names: Sequence[str], code: int) -> str:
    return names[code] if code < len(names) else f"tag {code}"


def _added(counts: Counts, codes: npt.NDArray[Any]) -> Counts:
    """The counts of codes with more codes counted."""
    more: Counts = np.bincount(codes, minlength=len(counts))
    more[: len(counts)] += counts
    return more
