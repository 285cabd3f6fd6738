"""How good rows are that a language model wrote, beside natural rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from transferset.manifest import Json
from transferset.report.divergence import divergence
from transferset.report.generated_rows import MOST_TOKENS, Side, Tally, Text
from transferset.report.id_rows import Counts, Rows, rows_of
from transferset.report.measures import length_facts
from transferset.report.repetition import (
    distinct,
    repeated_rows,
    repetition,
    rows_within,
    self_repetition,
    share_elsewhere,
    share_within,
)
from transferset.shards import ShardSet, damage_named

#: Lengths of n-grams: whose different ones are counted, and that are looked for in natural rows.
DISTINCT, COPIED = (1, 2, 3), (4, 8)

#: Rows that are shown, and characters of a text that `--json` gives.
EXAMPLES, MOST_TEXT = 20, 2000

#: Most bars of the histogram of lengths.
BARS: Final = 30

#: How often the rows of either side are read.
_PASSES, _NATURAL_PASSES = 2, 3 + len(COPIED)


@dataclass(frozen=True, slots=True)
class _Looked:
    """A side: where it is, its counts, and the rows that are held of it."""

    side: Side
    tally: Tally
    text: Text
    rows: Counts

    @classmethod
    def at(cls, side: Side, progress: Rows | None) -> _Looked:
        tally = side.tally(progress)
        return cls(side, tally, *side.gather(tally.tokens, progress))


def natural_side(found: ShardSet, natural: int, parent: ShardSet | None) -> Side | None:
    """The natural rows that a set's generated rows are compared with.

    Args:
        found: A set with rows that a language model wrote.
        natural: How many rows it has beside them; if any, they are taken.
        parent: Another set of the same tokenizer, or None.
    """
    if natural:
        return Side(found, generated=False)
    return None if parent is None else Side(parent, generated=False)


def rows_to_read(found: ShardSet, natural: Side | None) -> int:
    """Rows of which `generated_measures` tells its progress."""
    of_natural = rows_of(natural.found) if natural is not None else 0
    return _PASSES * rows_of(found) + _NATURAL_PASSES * of_natural


def generated_measures(found: ShardSet, natural: Side | None, progress: Rows | None = None) -> Json:
    """Measure the rows of a set that a language model wrote, and natural rows alike.

    All is counted in ids without [CLS] [SEP] [PAD] [MASK], n-grams within a row and a side of a
    pair. Lengths and unigrams are those of all rows. The rest is counted in rows in a random order
    that their numbers decide, up to `MOST_TOKENS` tokens of either side (`looked_at`), which are
    all rows of most sets; distinct-n and self-repetition, which depend on the number of tokens, in
    the first `tokens` tokens of either side in that order.

    Args:
        found: An open set with `input_ids` and such rows.
        natural: From `natural_side`; None leaves out what is compared.
        progress: Told of rows that were read, `rows_to_read` in all.

    Returns:
        `tokens`, `most_tokens`, `natural` (null if there is none) and `generated`, each with
        `set`, `root`, `rows`, `content_tokens`, `looked_at` (share of the rows), `length`,
        `distinct` (by n), `self_repetition`, `repetition` (share of 4-grams that stand earlier in
        the same row), `repeated_rows` (of the rows looked at, equal to another one) and
        `in_natural` (by n, share of the rows' different n-grams that stand in natural rows, of
        natural rows in others); `js` (`length`, `unigram`: bits), `copied_rows` (rows looked at
        that are natural rows, and their `share`), these three null without natural rows;
        `lengths` (`edges` and rows of either side between them); and `examples` (`row`, `text`,
        `text_pair`, `finished`, null where the set has no such column, or `input_ids` where it has
        no text), chosen at random by row number.

    Raises:
        SetError: A set is damaged.
    """
    mine = _Looked.at(Side(found, generated=True), progress)
    its = None if natural is None else _Looked.at(natural, progress)
    if its is not None and not its.tally.rows:
        its = None
    tokens = min(one.tally.tokens for one in (mine, its) if one is not None)
    tokens = min(tokens, MOST_TOKENS)
    sides = [_side(one, tokens) for one in (mine, its) if one is not None]
    copied, within = None, None
    if its is not None:
        rows = rows_within(mine.text, _texts(its.side, progress))
        copied = {"rows": rows, "share": rows / max(1, mine.text.rows)}
        within = {str(n): share_within(mine.text, _texts(its.side, progress), n) for n in COPIED}
        sides[1]["in_natural"] = {str(n): share_elsewhere(its.text, n) for n in COPIED}
    sides[0]["in_natural"] = within
    return {
        "tokens": tokens, "most_tokens": MOST_TOKENS, "generated": sides[0],
        "natural": sides[1] if its is not None else None, "js": _js(mine, its),
        "copied_rows": copied, "lengths": _histogram(mine, its),
        "examples": _examples(found, mine.rows[:EXAMPLES].tolist()),
    }  # fmt: skip


def _texts(side: Side, progress: Rows | None) -> Iterator[Text]:
    return (text for text, _ in side.batches(progress))


def _side(one: _Looked, tokens: int) -> Json:
    same = one.text.first(tokens)
    return {
        "set": one.side.found.label,
        "root": one.side.found.place,
        "rows": one.tally.rows,
        "content_tokens": one.tally.tokens,
        "looked_at": one.text.rows / max(1, one.tally.rows),
        "length": length_facts(one.tally.lengths),
        "distinct": {str(n): distinct(same, n) for n in DISTINCT},
        "self_repetition": self_repetition(same),
        "repetition": repetition(one.text),
        "repeated_rows": repeated_rows(one.text) / max(1, one.text.rows),
    }


def _js(mine: _Looked, its: _Looked | None) -> Json | None:
    if its is None:
        return None
    lengths = _aligned(mine.tally.lengths, its.tally.lengths)
    found = {
        "length": divergence(*lengths),
        "unigram": divergence(mine.tally.token_counts, its.tally.token_counts),
    }
    return {name: None if one is None else one.js for name, one in found.items()}


def _aligned(a: Counts, b: Counts) -> tuple[Counts, Counts]:
    longest = max(len(a), len(b))
    padded = [np.pad(one, (0, longest - len(one))) for one in (a, b)]
    return padded[0], padded[1]


def _histogram(mine: _Looked, its: _Looked | None) -> Json:
    """Rows by length; the last bar has all that are longer than 99 % of either side."""
    none: Counts = np.zeros(1, np.int64)
    a, b = _aligned(mine.tally.lengths, none if its is None else its.tally.lengths)
    known = [length_facts(one) for one in (a, b)]
    end = max(one["quantiles"]["99"] for one in known if one is not None) + 1
    width = -(-end // BARS)
    edges = np.arange(0, end + width, width)
    rows = [np.add.reduceat(one, edges[:-1]).tolist() for one in (a, b)]
    return {
        "edges": edges.tolist(), "longer": len(a) > int(edges[-1]), "generated": rows[0],
        "natural": None if its is None else rows[1],
    }  # fmt: skip


def _examples(found: ShardSet, rows: Sequence[int]) -> list[Json]:
    with damage_named(found.root):
        table = found.rows(rows)
    names = [n for n in ("text", "text_pair", "finished") if n in table.column_names]
    shown = names if "text" in names else [*names, "input_ids"]
    columns = {name: table[name].to_pylist() for name in shown}
    return [
        {"row": row, **{n: _cut(columns[n][i]) if n in columns else None for n in _SHOWN}}
        for i, row in enumerate(rows)
    ]


_SHOWN: Final = ("text", "text_pair", "finished", "input_ids")


def _cut(value: object) -> object:
    if isinstance(value, str) and len(value) > MOST_TEXT:
        return value[: MOST_TEXT - 1] + "…"
    return value
