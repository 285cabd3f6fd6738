"""What a set is, read from its manifest and a few of its rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from transferset.ledger import WHY, Reason
from transferset.manifest import Json
from transferset.report.corpus_table import corpus_rows, histogram_of, median
from transferset.schema import COLUMNS
from transferset.shards import ShardSet

#: Turns ids into (pieces, text).
Decode = Callable[[list[int]], tuple[list[str], str]]


def summary(found: ShardSet) -> Json:
    """The manifest's facts under the names that programs rely on.

    Args:
        found: An open set.

    Returns:
        rows, tokens, content_tokens, columns, totals, ledger, parents, op, params, seed, shards,
        and name, recipe, tokenizer, sources, statistics, corpus (rows of the table of corpus
        statistics, the whole last), licence.
    """
    manifest = found.manifest
    totals = dict(manifest.totals)
    return {
        "name": manifest.name,
        "op": manifest.op,
        "params": manifest.params,
        "seed": manifest.seed,
        "rows": totals["rows"],
        "tokens": totals["tokens"],
        "content_tokens": totals["content_tokens"],
        "columns": {name: manifest.schema[name] for name in COLUMNS if name in manifest.schema},
        "totals": totals,
        "statistics": [_with_averages(one) for one in manifest.statistics],
        "corpus": [row.to_json() for row in corpus_rows(manifest)],
        "ledger": [{**entry, "why": _why(entry["reason"])} for entry in manifest.ledger],
        "parents": list(manifest.parents),
        "sources": list(manifest.sources),
        "licence": manifest.licence,
        "tokenizer": manifest.tokenizer,
        "recipe": manifest.recipe,
        "digest": manifest.digest,
        "code": manifest.code,
        "shards": [
            {
                "file": s.file,
                "rows": s.rows,
                "tokens": s.tokens,
                "bytes": s.bytes,
                "blake3": s.blake3,
            }
            for s in manifest.shards
        ],
    }


def _why(reason: str) -> str:
    return WHY[Reason(reason)] if reason in set(Reason) else ""


def _with_averages(statistics: Json) -> Json:
    return {
        **{k: v for k, v in statistics.items() if k != "words_per_sentence"},
        "words_per_sentence_mean": statistics["words"] / max(1, statistics["sentences"]),
        "words_per_sentence_median": median(histogram_of([statistics]) or ()),
    }


def head(found: ShardSet, count: int, decode: Decode | None) -> list[Json]:
    """The first rows of a set, decoded.

    Args:
        found: An open set.
        count: Number of rows, ≥ 0.
        decode: Turns ids into pieces and text; None when the set has no ids.

    Returns:
        One object a row: its columns, and `pieces` and `decoded` beside `input_ids`.
    """
    rows: list[dict[str, Any]] = []
    for batch in found.batches():
        if len(rows) >= count:
            break
        rows += batch.slice(0, count - len(rows)).to_pylist()
    if decode is not None:
        for row in rows:
            row["pieces"], row["decoded"] = decode(row["input_ids"])
    return rows
