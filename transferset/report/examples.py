"""Example rows before and after each step of a derivation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from transferset.errors import SetError, sentence
from transferset.report.inspect import Decode, head, label_text
from transferset.report.json_tables import read_table
from transferset.report.markup import Html, el, join, shown
from transferset.shapes import Nullable, count, text
from transferset.shards import REMEDY, ShardSet

#: Where a derivation leaves a few rows as they were before and after each step.
EXAMPLES: Final = Path("_tables") / "examples.json"

#: Most rows, steps of a row, pieces of a step, and characters of a text that a page shows.
MOST_ROWS, MOST_STEPS, MOST_PIECES, MOST_TEXT = 4, 20, 96, 400

Ids = tuple[int, ...]

_SHAPE: Final = {
    "rows": [
        {
            "parent_row": count,
            "copy": count,
            "steps": [{"step": text, "input_ids": Nullable([count])}],
        }
    ]
}


@dataclass(frozen=True, slots=True)
class Example:
    """A row and what became of it.

    Attributes:
        title: Which row it is.
        steps: Name of each step and the ids after it; None where the row was not there, not yet or
            no longer; nothing where rows have no ids.
        texts: Names and values of its text, of the second text of a pair, and of its label.
    """

    title: str
    steps: tuple[tuple[str, Ids | None], ...]
    texts: tuple[tuple[str, str], ...] = ()


def examples(found: ShardSet) -> tuple[Example, ...]:
    """Rows before and after each step, or else a set's first rows.

    Raises:
        SetError: The examples that the set holds are not of the format, or a shard is damaged.
    """
    return _traced(found) or tuple(
        _first(i, row) for i, row in enumerate(head(found, MOST_ROWS, None))
    )


def _first(number: int, row: dict[str, Any]) -> Example:
    steps = (("as it is", tuple(row["input_ids"])),) if "input_ids" in row else ()
    names = {"text": "text", "text_pair": "second text"}
    texts = [(name, row[column]) for column, name in names.items() if column in row]
    if "label" in row:
        texts.append(("label", label_text(row)))
    return Example(f"Row {number:,}", steps, tuple(texts))


def _traced(found: ShardSet) -> tuple[Example, ...]:
    """The rows that the set's manifest says it keeps for this, if they have ids at any step."""
    body = read_table(found, EXAMPLES.as_posix(), _SHAPE, "examples")
    if body is None:
        return ()
    size = found.manifest.tokenizer["vocab_size"] if found.manifest.tokenizer else 0
    rows = [_example(row, size, found.root / EXAMPLES) for row in body["rows"][:MOST_ROWS]]
    return tuple(row for row in rows if any(ids is not None for _, ids in row.steps))


def _example(row: dict[str, Any], vocabulary: int, path: Path) -> Example:
    steps = []
    for entry in row["steps"][:MOST_STEPS]:
        ids = entry["input_ids"]
        if ids and max(ids) >= vocabulary:
            raise SetError(sentence(f"ids below {vocabulary}", str(max(ids)), str(path), REMEDY))
        steps.append((entry["step"], None if ids is None else tuple(ids)))
    copy = f", copy {row['copy']:,}" if row["copy"] else ""
    new = bool(steps) and steps[0][1] is None
    title = f"New row {row['parent_row']:,}" if new else f"Row {row['parent_row']:,} of the parent"
    return Example(title + copy, tuple(steps))


def examples_html(found: ShardSet, decode: Decode | None) -> Html:
    """The examples of a set: a table for each row, its steps below each other.

    Args:
        found: The set.
        decode: Turns ids into pieces and text; None shows the ids.
    """
    rows = examples(found)
    if not rows:
        return el("p", "The set has no rows.", class_="quiet")
    if any(row.texts for row in rows):
        return join(*(_texts(row, decode) for row in rows))
    if all(len(row.steps) == 1 for row in rows):
        only = [(row.title, row.steps[0][1] or ()) for row in rows]
        return _table(*(_row(title, _pieces(ids, set(), decode)) for title, ids in only))
    return join(*(_history(row, decode) for row in rows))


def _texts(example: Example, decode: Decode | None) -> Html:
    lines = [_row(name, join(shown(value, MOST_TEXT))) for name, value in example.texts]
    ids = [_row("ids", _pieces(ids or (), set(), decode)) for _, ids in example.steps]
    return _table(el("caption", example.title), *lines, *ids)


def _history(example: Example, decode: Decode | None) -> Html:
    lines = []
    before: Ids | None = None
    for name, ids in example.steps:
        label = "before" if name == "source" else shown(name, 40)
        if ids is None or ids == before:
            state = "as before" if ids else "not there yet" if before is None else "no longer there"
            lines.append(_row(label, el("em", state, class_="quiet")))
        else:
            lines.append(_row(label, _pieces(ids, _changed(ids, before), decode)))
            before = ids
    return _table(el("caption", example.title), *lines)


def _table(*content: Html) -> Html:
    return el("table", *content, class_="example")


def _row(label: str, cell: Html) -> Html:
    return el("tr", el("th", label, scope="row"), el("td", cell, dir="auto"))


def _pieces(ids: Ids, changed: set[int], decode: Decode | None) -> Html:
    first = list(ids[:MOST_PIECES])
    pieces = decode(first)[0] if decode is not None else [str(i) for i in first]
    spans = [_piece(piece, i in changed) for i, piece in enumerate(pieces)]
    if len(ids) > len(first):
        spans.append(el("span", f"… and {len(ids) - len(first):,} more", class_="quiet"))
    return Html(" ".join(spans))


def _changed(ids: Ids, before: Ids | None) -> set[int]:
    """Places whose id was exchanged for another; a row in another order has none."""
    if before is None or len(before) != len(ids) or sorted(before) == sorted(ids):
        return set()
    return {i for i, (a, b) in enumerate(zip(before, ids, strict=True)) if a != b}


def _piece(piece: str, changed: bool) -> Html:
    text = shown(piece, 60)
    special = len(piece) > 2 and piece[0] == "[" and piece[-1] == "]" and piece[1:-1].isupper()
    return (
        el("mark", text) if changed else el("span", text, class_="quiet") if special else join(text)
    )
