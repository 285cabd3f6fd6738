"""What `diff` says of two sets, as plain JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from transferset.errors import SetError, UsageError, sentence
from transferset.manifest import Json
from transferset.report.generated import generated_of
from transferset.report.id_rows import Pieces, Rows, rows_of
from transferset.report.measures import Measures, measure
from transferset.report.row_order import RowByRow, occurs_in_order, row_by_row
from transferset.report.shared_rows import Shared, shared_rows
from transferset.report.verdicts import relation, verdict
from transferset.shards import REMEDY, ShardSet

#: How rows are told apart when their order does not matter.
ROWS_BY, BAGS_BY = "SipHash-2-4-128, random key", "sum of random 128-bit values"

#: How often `diff` reads either set at most.
_PASSES = 3


@dataclass(frozen=True, slots=True)
class _Findings:
    """What was found of A and B."""

    a: Measures
    b: Measures
    aligned: RowByRow | None
    b_in_a: bool
    a_in_b: bool
    rows: Shared
    bags: Shared


def diff(a: ShardSet, b: ShardSet, progress: Rows | None = None) -> Json:
    """Say what two sets share, and prove how their rows are related.

    What `order` and `row_by_row` say was found by comparing the ids themselves, but for
    `reordered`, which rests, like `rows` and `bags`, on 128-bit digests under random keys.

    Args:
        a: An open set with `input_ids`.
        b: Another one of the same tokenizer.
        progress: Told of rows that were read, at most `rows_to_read` in all.

    Returns:
        verdict (one sentence), relation (its name), a and b (what they are), order (same_rows,
        row_permutation, reordered, b_in_a, a_in_b), rows, bags and tokens (what is shared),
        lengths, row_by_row (null if one has more rows; `labels` in it are those that differ),
        columns.

    Raises:
        UsageError: A set has no ids, or they have different tokenizers.
        SetError: A set is damaged, or they disagree on the size of the vocabulary.
        TransfersetError: Temporary files cannot be written.
    """
    _require_one_tokenizer(a, b)
    found = _compare(a, b, progress)
    facts = {
        "a": _side(a, found.a),
        "b": _side(b, found.b),
        "order": _order(found),
        "rows": _shared(found.rows, found) | {"told_apart_by": ROWS_BY},
        "bags": _shared(found.bags, found) | {"told_apart_by": BAGS_BY},
        "tokens": _tokens(found),
        "lengths": _lengths(found),
        "row_by_row": _row_by_row(found.aligned),
        "columns": _columns(found),
    }
    return {"verdict": verdict(facts), "relation": relation(facts), **facts}


def rows_to_read(a: ShardSet, b: ShardSet) -> int:
    """Most rows of which `diff` tells its progress: each pass over a set counts them anew."""
    return _PASSES * (rows_of(a) + rows_of(b))


def _require_one_tokenizer(a: ShardSet, b: ShardSet) -> None:
    Pieces.of(a), Pieces.of(b)
    mine, its = a.manifest.tokenizer, b.manifest.tokenizer
    if mine is None or its is None or mine["sha256"] != its["sha256"]:
        name = its["name"] if its else "none"
        raise UsageError(
            sentence(
                f"the tokenizer of {a.root} ({mine['name'] if mine else 'none'}) in both sets",
                f"another one ({name})",
                b.place,
                "compare sets whose ids mean the same",
            )
        )
    if mine["vocab_size"] != its["vocab_size"]:
        expected = f"{mine['vocab_size']:,} pieces of the tokenizer, as in {a.root}"
        raise SetError(sentence(expected, f"{its['vocab_size']:,}", str(b.root), REMEDY))


def _compare(a: ShardSet, b: ShardSet, progress: Rows | None) -> _Findings:
    aligned = row_by_row(a, b, progress)
    b_in_a = a_in_b = aligned is not None and aligned.same == aligned.rows
    if aligned is None:  # as many rows in the same order are the same rows
        b_in_a = occurs_in_order(b, a, progress)
        a_in_b = occurs_in_order(a, b, progress)
    rows, bags = shared_rows(a, b, progress)
    return _Findings(
        measure(a, None, progress), measure(b, None, progress), aligned, b_in_a, a_in_b, rows, bags
    )


def _side(found: ShardSet, measured: Measures) -> Json:
    return {
        "name": found.manifest.name,
        "root": found.place,
        "op": found.manifest.op,
        "rows": measured.rows,
        "tokens": measured.tokens,
        "content_tokens": measured.content_tokens,
        "types": int((measured.token_counts > 0).sum()),
        "generated": _generated(found),
        "bytes": measured.bytes,
    }


def _generated(found: ShardSet) -> int | None:
    """Rows that a language model wrote, None where nothing says so."""
    known = generated_of(found)
    return None if known is None else int(known["rows"])


def _order(found: _Findings) -> Json:
    aligned, rows = found.aligned, found.rows
    same = aligned is not None and aligned.same == aligned.rows
    return {
        "same_rows": same,
        "row_permutation": aligned is not None
        and aligned.same + aligned.permuted == aligned.rows
        and not same,
        "reordered": rows.shared == found.a.rows == found.b.rows and not same,
        "b_in_a": found.b_in_a,
        "a_in_b": found.a_in_b,
    }


def _shared(one: Shared, found: _Findings) -> Json:
    return {
        **asdict(one),
        "share_of_a": _share(one.shared, found.a.rows),
        "share_of_b": _share(one.shared, found.b.rows),
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _tokens(found: _Findings) -> Json:
    a, b = found.a.token_counts, found.b.token_counts
    shared = int(np.minimum(a, b).sum())
    return {
        "shared": shared,
        "share_of_a": _share(shared, found.a.content_tokens),
        "share_of_b": _share(shared, found.b.content_tokens),
        "same": bool((a == b).all()),
        "types_shared": int(((a > 0) & (b > 0)).sum()),
        "types_only_a": int(((a > 0) & (b == 0)).sum()),
        "types_only_b": int(((a == 0) & (b > 0)).sum()),
    }


def _lengths(found: _Findings) -> Json:
    aligned = found.aligned
    return {
        "same_histogram": np.array_equal(found.a.total_lengths, found.b.total_lengths),
        "same_content_histogram": np.array_equal(found.a.lengths, found.b.lengths),
        "same_row_by_row": aligned is not None and aligned.same_length == aligned.rows,
    }


def _row_by_row(aligned: RowByRow | None) -> Json | None:
    if aligned is None:
        return None
    facts = asdict(aligned)
    del facts["equal_columns"]
    return {**facts, "changed": aligned.rows - aligned.same}


def _columns(found: _Findings) -> Json:
    a, b = found.a.columns, found.b.columns
    return {
        "shared": [name for name in a if name in b],
        "only_a": [name for name in a if name not in b],
        "only_b": [name for name in b if name not in a],
        "equal": None if found.aligned is None else list(found.aligned.equal_columns),
    }
