"""The look of `stats` on a terminal: sets side by side."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from transferset.errors import printable
from transferset.manifest import Json
from transferset.report.corpus_table import HEADS, CorpusRow, cells
from transferset.report.terminal_corpus import corpus_grid
from transferset.report.terminal_generated import example_lines, written_cells
from transferset.report.terminal_labels import label_cells
from transferset.report.wording import number, percent, size, small

#: Longer names are folded; a column is as wide as what stands in it up to this.
_WIDEST: Final = 16

#: Space between columns.
_GAP: Final = 2

#: What stands for what is not known, and before what is estimated.
_NONE, _ABOUT = "–", "≈ "

Cell = Callable[[Json], str]


@dataclass(frozen=True, slots=True)
class _Row:
    """A label and what stands beside it for each set."""

    label: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Section:
    title: str
    rows: tuple[_Row, ...]


def show_stats(sets: Sequence[Json], file: IO[str] | None = None, width: int | None = None) -> None:
    """Print what `stats` found, one column a set.

    Args:
        sets: From `report.stats.stats`, at least one.
        file: Where; standard output by default.
        width: Columns of the terminal; as it says by default.
    """
    console = Console(file=file, width=width, highlight=False, soft_wrap=False)
    names = tuple(_folded(one["label"]) for one in sets)
    sections = list(_sections(sets))
    labels = max(len(row.label) for section in sections for row in section.rows)
    widths = [_width(names[i], sections, i) for i in range(len(sets))]
    for start, stop in _groups(widths, console.width - labels):
        group = slice(start, stop)
        headers: tuple[str, ...] | None = names[group]
        for section in sections:
            rows = [row for row in section.rows if set(row.cells[group]) != {_NONE}]
            if rows:
                console.print(f"[bold]{escape(section.title)}[/bold]")
                console.print(_table(headers, rows, [labels, *widths[group]], group))
                console.print()
                headers = None  # once is enough: all columns stand below each other
    for one in sets:
        if len(one["corpus"]) > 1:
            console.print(corpus_grid(f"text of {one['label']}", one["corpus"]))
            console.print()
    for line in (*example_lines(sets), *_notes(sets)):
        console.print(line)


def _folded(name: object) -> str:
    """A name on several lines, broken after hyphens where it has some."""
    return "\n".join(textwrap.wrap(printable(str(name), 4 * _WIDEST), _WIDEST)) or _NONE


def _width(name: str, sections: Sequence[_Section], column: int) -> int:
    texts = [name, *(row.cells[column] for section in sections for row in section.rows)]
    return max(len(line) for text in texts for line in text.split("\n"))


def _groups(widths: Sequence[int], room: int) -> Iterator[tuple[int, int]]:
    """Sets that fit beside each other; the others follow in tables of their own."""
    start, used = 0, 0
    for i, width in enumerate(widths):
        if i > start and used + width + _GAP > room:
            yield start, i
            start, used = i, 0
        used += width + _GAP
    yield start, len(widths)


def _table(
    headers: Sequence[str] | None, rows: Sequence[_Row], widths: Sequence[int], group: slice
) -> Table:
    table = Table(
        box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=headers is not None
    )
    table.add_column("", width=widths[0], no_wrap=True)
    for i, width in enumerate(widths[1:]):
        header = escape(headers[i]) if headers else ""
        table.add_column(
            header, width=width, justify="right", header_style="bold cyan", overflow="fold"
        )
    for row in rows:
        table.add_row(escape(row.label), *map(escape, row.cells[group]))
    return table


def _sections(sets: Sequence[Json]) -> Iterator[_Section]:
    yield _section("size", _SIZE, sets)
    if any(one["length"] for one in sets):
        yield _section("ids a row, [CLS] and [SEP] included", _lengths(sets), sets)
    if any(one["labels"] for one in sets):
        yield _section("labels", label_cells(sets), sets)
    yield _section("types among the first content tokens", _curve(sets), sets)
    if any(one["corpus"] for one in sets):
        yield _section("text as its source had it", _SOURCE, sets)
    if any(one["generated"] for one in sets):
        yield _section("written by a language model (natural rows)", written_cells(), sets)
    if any(one["divergence"] for one in sets):
        names = _parents(sets)
        of = printable(names[0]) if len(names) == 1 else "the parent"
        yield _section(f"divergence from {of}, in bits", _divergence(sets), sets)
        yield _section("n-grams that the parent has too", _OVERLAP, sets)


def _section(title: str, rows: dict[str, Cell], sets: Sequence[Json]) -> _Section:
    made = (_Row(label, tuple(cell(one) for one in sets)) for label, cell in rows.items())
    return _Section(title, tuple(made))


def _share(value: float | None) -> str:
    return _NONE if value is None else percent(value)


def _at(one: Json | None, *keys: str) -> Any:
    """A member of members, None where one of them is null."""
    for key in keys:
        one = None if one is None else one.get(key)
    return one


_SIZE: Final[dict[str, Cell]] = {
    "made by": lambda s: printable(str(s["op"])),
    "rows": lambda s: number(s["rows"]),
    "tokens": lambda s: number(s["tokens"]),
    "content tokens": lambda s: number(s["content_tokens"]),
    "bytes of shards": lambda s: size(s["bytes"]),
    "bytes of text": lambda s: size(s["text_bytes"]),
    "types": lambda s: number(s["types"]),
    "types a content token": lambda s: small(s["type_token_ratio"]),
    "unknown": lambda s: _share(s["unknown_share"]),
    "content tokens a row": lambda s: _mean(s["content_length"]),
    "words a row*": lambda s: _mean(s["words_per_row"]),
    "words a row*, median": lambda s: number(_at(s, "words_per_row", "median")),
}


def _mean(lengths: Json | None) -> str:
    return _NONE if lengths is None else f"{lengths['mean']:,.1f}"


def _lengths(sets: Sequence[Json]) -> dict[str, Cell]:
    percents = next(list(one["length"]["quantiles"]) for one in sets if one["length"])
    return {
        "mean": lambda s: _mean(s["length"]),
        "shortest": _member("length", "min"),
        **{_percentile(p): _member("length", "quantiles", p) for p in percents},
        "longest": _member("length", "max"),
    }


def _percentile(p: str) -> str:
    return "median" if p == "50" else f"{p}{'st' if p == '1' else 'th'} percentile"


def _member(*keys: str) -> Cell:
    return lambda s: number(_at(s, *keys))


def _curve(sets: Sequence[Json]) -> dict[str, Cell]:
    """One row a power of ten; `--json` has four points for each."""
    most = max(one["content_tokens"] or 0 for one in sets)
    powers = [10**k for k in range(2, len(str(most))) if 10**k < most]
    return {**{f"{power:,}": _types(power) for power in powers}, "all": _member("types")}


def _types(tokens: int) -> Cell:
    return lambda s: number(dict(map(tuple, s["type_token"])).get(tokens))


def _whole(place: int) -> Cell:
    """A cell of the last row of the table of corpus statistics."""
    return lambda s: cells(CorpusRow(**s["corpus"][-1]))[place] if s["corpus"] else _NONE


_SOURCE: Final[dict[str, Cell]] = {
    label: _whole(HEADS.index(head))
    for label, head in (
        ("text in UTF-8", "text"),
        ("documents", "documents"),
        ("sentences", "sentences"),
        ("words", "words"),
        ("words a sentence", "words/sentence"),
        ("words a sentence, median", "median"),
    )
}


def _estimate(member: str, form: Callable[[float], str], *keys: str) -> Cell:
    """A member of what was computed on a share of the types, marked if that is not all."""

    def cell(one: Json) -> str:
        of = _at(one["divergence"], *keys)
        if of is None:
            return _NONE
        return ("" if of["sampled_share"] == 1 else _ABOUT) + form(of[member])

    return cell


def _parents(sets: Sequence[Json]) -> list[str]:
    return sorted({one["divergence"]["parent"] for one in sets if one["divergence"]})


_BITS: Final = {"KL(set‖parent)": "kl", "KL(parent‖set)": "kl_reverse", "Jensen–Shannon": "js"}


def _divergence(sets: Sequence[Json]) -> dict[str, Cell]:
    rows: dict[str, Cell] = {}
    if len(_parents(sets)) > 1:
        rows["parent"] = lambda s: _folded(_at(s["divergence"], "parent") or _NONE)
    for order in ("unigram", "bigram"):
        for label, member in _BITS.items():
            rows[f"{order} {label}"] = _estimate(member, small, order)
    return rows


_OVERLAP: Final[dict[str, Cell]] = {
    f"{kind}, {what}": _estimate(what, percent, "overlap", order)
    for order, kind in (("1", "unigrams"), ("2", "bigrams"), ("3", "trigrams"))
    for what in ("tokens", "types")
}


def _notes(sets: Sequence[Json]) -> Iterator[str]:
    if any(one["words_per_row"] for one in sets):
        yield "* pieces that begin a word; punctuation marks are words"
    for one in sets:
        if one["ids_reason"] is not None:
            yield f"{escape(printable(one['ids_reason']))}"
        elif one["divergence"] is None:
            name, reason = printable(one["label"]), printable(one["divergence_reason"])
            yield f"[dim]no divergence of {escape(name)}: {escape(reason)}[/dim]"
    if any(one["divergence"] for one in sets):
        yield "KL with ½ added to every count: between small sets read Jensen–Shannon"
    shares = {
        kind: min(
            (_at(s["divergence"], *keys, "sampled_share") or 1 for s in sets if s["divergence"]),
            default=1,
        )
        for kind, keys in (("bigrams", ("bigram",)), ("trigrams", ("overlap", "3")))
    }
    for kind, share in shares.items():
        if share < 1:
            yield f"≈ estimated on {percent(share)} of all different {kind}, chosen by hash"
