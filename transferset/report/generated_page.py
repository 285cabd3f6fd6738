"""The section of a report on rows that a language model wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from transferset.manifest import Json
from transferset.report import bars, tables
from transferset.report.figures import NARROW, WIDE
from transferset.report.generated_grids import (
    OUTCOMES,
    in_short,
    measures_grid,
    outcomes_grid,
    prefixes_grid,
)
from transferset.report.inspect import Decode
from transferset.report.label_grids import Grid
from transferset.report.markup import Html, el, join, shown
from transferset.report.tables import Subject

#: Characters of a text that the page shows.
MOST_TEXT: Final = 400

_MEANING: Final = (
    "Distinct-n is the number of different n-grams to all n-grams (Li and others 2016). "
    "Self-repetition is the mean of ln(1 + k), k being how many 4-grams of a row stand in another "
    "row of the same side (Salkar and others 2022). “n-grams of natural rows” is the share of the "
    "n-grams of a row that stand in natural rows, of natural rows in different ones. JS is the "
    "Jensen–Shannon divergence from natural rows in bits."
)


def is_written(one: Subject) -> bool:
    """Whether a language model wrote some of a set's rows."""
    return one.stats["generated"] is not None


def generated_parts(subjects: Sequence[Subject], decode: Sequence[Decode | None]) -> list[Html]:
    """Tables, pictures and rows of the sets with rows that a language model wrote."""
    parts: list[Html] = []
    for one, turn in zip(subjects, decode, strict=True):
        if is_written(one):
            parts += _parts(one, turn)
    return [*parts, el("p", _MEANING, class_="quiet")] if parts else []


def _parts(one: Subject, decode: Decode | None) -> Iterator[Html]:
    known, number = one.stats["generated"], one.number
    yield el("h3", one.heading)
    yield el("p", f"{shown(in_short(known))}.")
    yield from _table(measures_grid(known), number)
    yield from _lengths(known, number)
    yield from _table(outcomes_grid(known), number)
    yield from _outcomes(known, number)
    yield from _table(prefixes_grid(known), number)
    if known["measures"] is not None:
        yield _examples(known["measures"]["examples"], decode, number)


def _table(grid: Grid | None, number: int) -> Iterator[Html]:
    if grid is None:
        return
    rows = [(shown(row[0], 100), *row[1:]) for row in grid.rows]
    yield tables.table(f"{grid.title} of set {number}", grid.heads, rows)
    if grid.note:
        yield el("p", shown(grid.note, 600), class_="quiet")


def _lengths(known: Json, number: int) -> Iterator[Html]:
    if known["measures"] is None:
        return
    title = f"Lengths of written and of natural rows of set {number}"
    axes = ("content tokens in a row", "share of the rows")
    lengths = known["measures"]["lengths"]
    said = " The last bar has all longer rows too." if lengths["longer"] else ""
    draw = partial(bars.histogram, f"written-{number}", title, lengths, axes)
    yield _figure(title, said, draw)


def _outcomes(known: Json, number: int) -> Iterator[Html]:
    if known["sampling"] is None:
        return
    parts = [(OUTCOMES[name], count) for name, count in known["sampling"]["outcomes"].items()]
    if not any(count for _, count in parts):
        return
    title = f"What came of the attempts of set {number}"
    yield _figure(title, "", partial(bars.in_parts, f"outcomes-{number}", title, parts))


def _figure(title: str, said: str, draw: Callable[[int], Html]) -> Html:
    images = [
        el("div", draw(width), class_="wide" if width == WIDE else "narrow")
        for width in (WIDE, NARROW)
    ]
    return el("figure", el("figcaption", el("strong", f"{title}."), said), *images)


def _examples(rows: Sequence[Json], decode: Decode | None, number: int) -> Html:
    lines = [
        el("tr", el("th", f"row {row['row']:,}", scope="row"), el("td", text, dir="auto"))
        for row, text in ((row, _text(row, decode)) for row in rows)
    ]
    title = f"Rows of set {number} that the model wrote, chosen at random"
    return tables.titled(title, "example", el("tbody", *lines))


def _text(row: Json, decode: Decode | None) -> Html:
    text = row["text"]
    if text is None:
        ids = row["input_ids"]
        text = decode(ids)[1] if decode is not None else " ".join(map(str, ids))
    parts: list[Html | str] = [shown(text, MOST_TEXT)]
    if row["text_pair"] is not None:
        parts += [el("br"), shown(row["text_pair"], MOST_TEXT)]
    if row["finished"] is False:
        parts.append(el("span", " (not finished)", class_="quiet"))
    return join(*parts)
