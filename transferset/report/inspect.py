"""What a set is, read from its manifest and a few of its rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from transferset.ledger import WHY, Reason
from transferset.manifest import Json
from transferset.report.attempts import attempts_of
from transferset.report.corpus_table import corpus_rows, histogram_of, median
from transferset.report.generated import generated_of
from transferset.report.labels import NO_LABEL, labels_of, tags_of, words_of
from transferset.schema import COLUMNS
from transferset.shards import ShardSet

#: Members of `row_facts`.
ROW_FACTS: Final = ("labels", "teacher", "words", "tags", "attempts", "generated")

#: Turns ids into (pieces, text).
Decode = Callable[[list[int]], tuple[list[str], str]]


def summary(found: ShardSet) -> Json:
    """The manifest's facts under the names that programs rely on.

    Args:
        found: An open set.

    Returns:
        rows, tokens, content_tokens, columns, totals, ledger, parents, op, params, seed, shards,
        and name, recipe, tokenizer, sources, statistics, corpus (rows of the table of corpus
        statistics, the whole last), licence, names (of codes, by column), and what `row_facts`
        gives.

    Raises:
        SetError: A shard with labels or words is damaged.
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
        "names": {column: list(names) for column, names in manifest.names.items()},
        **row_facts(found),
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


def row_facts(found: ShardSet) -> Json:
    """What a set's rows are labelled with, and how variants among them came about.

    Returns:
        labels, words, tags (null without these columns; see `labels`), teacher (of the manifest;
        null without logits), attempts (see `attempts`) and generated (null without rows that a
        language model wrote; see `generated`).

    Raises:
        SetError: A shard, or an account of attempts or of sampling, is damaged.
    """
    return {
        "labels": labels_of(found),
        "teacher": found.manifest.teacher,
        "words": words_of(found),
        "tags": tags_of(found),
        "attempts": attempts_of(found),
        "generated": generated_of(found),
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
        One object a row: its columns, `pieces` and `decoded` beside `input_ids`, and `label_name`
        beside a `label` that has one.
    """
    rows: list[dict[str, Any]] = []
    for batch in found.batches():
        if len(rows) >= count:
            break
        rows += map(_plain, batch.slice(0, count - len(rows)).to_pylist())
    if decode is not None:
        for row in rows:
            row["pieces"], row["decoded"] = decode(row["input_ids"])
    classes = found.manifest.names.get("label", ())
    for row in rows:
        code = row.get("label")
        if isinstance(code, int) and 0 <= code < len(classes):
            row["label_name"] = classes[code]
    return rows


def _plain(row: Json) -> Json:
    """With numbers of Python: older versions of pyarrow give numpy's for 16-bit ones."""
    return {
        name: list(map(float, value)) if name in _NUMBERS else value for name, value in row.items()
    }


_NUMBERS: Final = ("logits", "top_logits", "tail")


def label_text(row: Json) -> str:
    """The label of a row that `head` gave: its name, code or score."""
    label = row["label"]
    if label is None:
        return NO_LABEL
    return str(row.get("label_name", f"{label:g}" if isinstance(label, float) else label))
