"""What `stats` says of a set, as plain JSON."""

from __future__ import annotations

from typing import Final

import numpy as np

from transferset.manifest import Json
from transferset.report.bigrams import LONGEST, NgramTable
from transferset.report.divergence import Divergence, divergence, ngram_divergence
from transferset.report.generated import codes_of, generated_of
from transferset.report.generated_measures import generated_measures, natural_side
from transferset.report.generated_measures import rows_to_read as of_generated
from transferset.report.id_rows import Bools, Counts, Rows, rows_of
from transferset.report.inspect import ROW_FACTS, summary
from transferset.report.measures import Measures, length_facts, mean, measure, quantiles
from transferset.report.relatives import source_of
from transferset.report.wording import listed
from transferset.schema import COLUMNS
from transferset.shards import ShardSet

#: Points of the type-token curve for each factor of ten.
POINTS_PER_DECADE: Final = 4


def stats(
    found: ShardSet,
    parent: ShardSet | None,
    word_start: Bools | None,
    progress: Rows | None = None,
) -> Json:
    """Measure a set, and compare it with its parent.

    Args:
        found: An open set; of one without `input_ids` what is counted in them is null.
        parent: The set that it is compared with, None if there is none at hand.
        word_start: bool[vocabulary], whether a piece starts a word; None leaves words uncounted.
        progress: Told of rows that were read, `rows_to_read` in all.

    Returns:
        label, name, root, op, columns, rows, tokens, content_tokens, bytes, text_bytes, types,
        type_token_ratio, unknown, unknown_share, length, content_length, words_per_row,
        statistics (of the sources), corpus (the same by part, and the whole),
        labels, words, tags, attempts, generated (see `inspect.row_facts`; `generated` has also
        `measures`, see `generated_measures`, null of a set without ids),
        type_token (pairs of tokens and types), divergence, divergence_reason (why that is null),
        and ids_reason (why nothing is counted in ids; null if it is).

    Raises:
        UsageError: A set has ids, but names no tokenizer.
        SetError: A set is damaged.
    """
    return stats_of(found, measure(found, word_start, progress), parent, progress)


def stats_of(
    found: ShardSet, measured: Measures, parent: ShardSet | None, progress: Rows | None = None
) -> Json:
    """What `stats` gives, of a set that was measured already.

    Args:
        found: An open set.
        measured: Its counts.
        parent: The set that it is compared with, None if there is none at hand.
        progress: Told of rows that were read.
    """
    reason = _incomparable(found, parent)
    compared = None
    if reason is None and parent is not None:
        compared = _compared(found, measured, parent, progress)
        reason = None if compared else "one of the two sets has no content tokens"
    facts = summary(found)
    shown = {name: facts[name] for name in ("statistics", "corpus", *ROW_FACTS)}
    return {
        **_identity(found, measured),
        **_amounts(measured),
        **shown,
        "generated": _generated(found, facts["generated"], parent, progress),
        "type_token": type_token_curve(measured),
        "divergence": compared,
        "divergence_reason": reason,
        "ids_reason": None if measured.has_ids else _without_ids(found),
    }


def rows_to_read(found: ShardSet, parent: ShardSet | None) -> int:
    """Rows of which `stats` tells its progress: each pass over a set counts them anew."""
    written = _generated_rows_to_read(found, parent)
    if parent is None or _incomparable(found, parent):
        return rows_of(found) + written
    return LONGEST * (rows_of(found) + rows_of(parent)) + written


def _generated_rows_to_read(found: ShardSet, parent: ShardSet | None) -> int:
    known = generated_of(found) if len(codes_of(found.manifest)) and _has_ids(found) else None
    if known is None:
        return 0
    return of_generated(found, natural_side(found, known["natural"], _alike(found, parent)))


def _generated(
    found: ShardSet, known: Json | None, parent: ShardSet | None, progress: Rows | None
) -> Json | None:
    if known is None:
        return None
    if not _has_ids(found):
        return {**known, "measures": None}
    natural = natural_side(found, known["natural"], _alike(found, parent))
    return {**known, "measures": generated_measures(found, natural, progress)}


def _alike(found: ShardSet, parent: ShardSet | None) -> ShardSet | None:
    """The parent, if its ids mean the same."""
    return None if parent is None or _incomparable(found, parent) else parent


def _identity(found: ShardSet, measured: Measures) -> Json:
    return {
        "label": found.label,
        "name": found.manifest.name,
        "root": found.place,
        "op": found.manifest.op,
        "columns": list(measured.columns),
        "bytes": measured.bytes,
        "text_bytes": measured.text_bytes,
    }


def _amounts(measured: Measures) -> Json:
    types, content = int((measured.token_counts > 0).sum()), measured.content_tokens
    counts = {
        "tokens": measured.tokens,
        "content_tokens": content,
        "types": types,
        "unknown": measured.unknown,
    }
    return {
        "rows": measured.rows,
        **(counts if measured.has_ids else dict.fromkeys(counts)),
        "type_token_ratio": types / content if content else None,
        "unknown_share": measured.unknown / content if content else None,
        "length": length_facts(measured.total_lengths),
        "content_length": length_facts(measured.lengths),
        "words_per_row": _words(measured.words),
    }


def _words(histogram: Counts | None) -> Json | None:
    if histogram is None or not histogram.any():
        return None
    return {
        "mean": mean(histogram),
        "median": quantiles(histogram, [0.5])[0],
        "counted": "pieces that begin a word",
    }


def type_token_curve(measured: Measures) -> list[list[int]]:
    """How many types the first tokens have, for a row of numbers of tokens.

    Returns:
        Pairs of content tokens and types, in the order of the set's rows, exact, at powers of
        10^¼ and at the end; none of a set without ids.
    """
    total = measured.content_tokens
    seen = np.sort(measured.first_seen[measured.first_seen >= 0])
    if not measured.has_ids:
        return []
    # one power more than needed: those beyond the end are taken off, and the end put on
    powers = np.arange(POINTS_PER_DECADE * len(str(total)) + 1) / POINTS_PER_DECADE
    places = np.rint(10.0**powers).astype(np.int64)
    places = np.unique(np.append(places[places < total], total))
    return [[int(n), int(k)] for n, k in zip(places, np.searchsorted(seen, places), strict=True)]


def _incomparable(found: ShardSet, parent: ShardSet | None) -> str | None:
    """Why a set is not compared with a parent; None when it can be."""
    if (lacking := next((s for s in (found, parent) if s and not _has_ids(s)), None)) is not None:
        return _without_ids(lacking)
    if parent is None:
        return _parentless(found)
    if not same_tokenizer(found, parent):
        return f"{parent.label} was made with another tokenizer"
    return None


def _has_ids(found: ShardSet) -> bool:
    return "input_ids" in found.manifest.schema


def _without_ids(found: ShardSet) -> str:
    columns = listed([name for name in COLUMNS if name in found.manifest.schema])
    return f"{found.label} has no ids, only {columns}: nothing can be said of tokens"


def _parentless(found: ShardSet) -> str:
    if (entry := source_of(found.manifest)) is not None:
        return f"its parent {entry['name']} is not beside it; name it with --parent"
    if parts := len(found.manifest.parents):
        return f"it has {parts} parents; name one with --parent"
    return "it was not derived from another set"


def same_tokenizer(a: ShardSet, b: ShardSet) -> bool:
    """Whether the ids of two sets mean the same pieces."""
    mine, its = a.manifest.tokenizer, b.manifest.tokenizer
    return mine is not None and its is not None and mine["sha256"] == its["sha256"]


def _compared(
    found: ShardSet, measured: Measures, parent: ShardSet, progress: Rows | None
) -> Json | None:
    # the parent's counts are freed before the tables of n-grams are filled
    unigram = divergence(measured.token_counts, measure(parent, None, progress).token_counts)
    bigram, trigram = (_ngrams(order, found, parent, progress) for order in (2, 3))
    if unigram is None:
        return None
    overlap = {"1": unigram, "2": bigram, "3": trigram}
    return {
        "parent": parent.label,
        "parent_tokens": parent.manifest.totals["tokens"],
        "parent_root": parent.place,
        "unigram": _bits(unigram),
        "bigram": _bits(bigram) if bigram else None,
        "overlap": {order: _overlap(one) if one else None for order, one in overlap.items()},
    }


def _ngrams(
    order: int, found: ShardSet, parent: ShardSet, progress: Rows | None
) -> Divergence | None:
    table = NgramTable(order)
    table.count(found, 0, progress)
    table.count(parent, 1, progress)
    return ngram_divergence(table)


def _bits(one: Divergence) -> Json:
    return {
        "kl": one.kl,
        "kl_reverse": one.kl_reverse,
        "js": one.js,
        "outside": one.outside,
        "sampled_share": one.sampled_share,
    }


def _overlap(one: Divergence) -> Json:
    return {
        "tokens": 1 - one.outside,
        "types": 1 - one.outside_types,
        "sampled_share": one.sampled_share,
    }
