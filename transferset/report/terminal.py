"""The look of `inspect` on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import IO, Final

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table

from transferset.errors import printable
from transferset.manifest import Json
from transferset.report.inspect import label_text
from transferset.report.logits import logits_text, top_text
from transferset.report.terminal_corpus import corpus_grid
from transferset.report.terminal_generated import in_lines
from transferset.report.terminal_labels import grids

#: A ledger entry above this share of what was read is shown in colour.
NOTABLE = 0.01

#: Of long rows only so much is shown; `--json` gives all.
SHOWN_PIECES, SHOWN_CHARACTERS = 128, 800


def show(facts: Json, rows: Sequence[Json], file: IO[str] | None = None) -> None:
    """Print what `inspect` found.

    Args:
        facts: From `report.inspect.summary`.
        rows: From `report.inspect.head`.
        file: Where; standard output by default.
    """
    console = Console(file=file, highlight=False, soft_wrap=False)
    console.print(Group(*_parts(facts)))
    if rows:
        console.print()
        console.print(_rows(rows, facts["teacher"]))


def _parts(facts: Json) -> list[RenderableType]:
    parts: list[RenderableType] = [_overview(facts), "", _columns(facts)]
    if facts["corpus"]:
        parts += ["", corpus_grid("text that it was built from", facts["corpus"])]
    for grid in grids(facts):
        parts += ["", grid]
    return [*parts, "", _ledger(facts)]


def _shares(params: Json) -> str:
    """Parts of a mix, each with its rows where they are known."""
    names, counts = params["parts"], params.get("counts")
    if not isinstance(counts, list) or len(counts) != len(names) or not sum(counts):
        return ", ".join(map(str, names))
    total = sum(counts)
    return ", ".join(
        f"{name} {count:,} ({count / total:.1%})" for name, count in zip(names, counts, strict=True)
    )


def _grid(title: str, *headers: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for i, header in enumerate(headers):
        table.add_column(header, justify="left" if i == 0 else "right", header_style="dim")
    return table


def _text(value: object, limit: int = 300) -> str:
    return escape(printable(str(value), limit))


def _overview(facts: Json) -> Table:
    table = Table(
        title=_text(facts["name"]), title_justify="left", title_style="bold", box=None,
        show_header=False, pad_edge=False,
    )  # fmt: skip
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    totals = facts["totals"]
    table.add_row("made by", f"{_text(facts['op'])}, seed {facts['seed']}")
    for step in _steps(facts["params"]):
        table.add_row("step", _text(step))
    if facts["params"].get("parts"):
        table.add_row("parts", _text(_shares(facts["params"])))
    for name, said in _preset(facts["params"].get("preset")):
        table.add_row(name, _text(said))
    table.add_row("rows", f"{totals['rows']:,}")
    for name, said in in_lines(facts["generated"]):
        table.add_row(name, _text(said))
    table.add_row("tokens", f"{totals['tokens']:,} ({totals['content_tokens']:,} content)")
    table.add_row("bytes", f"{totals['bytes']:,} in {len(facts['shards'])} shard(s)")
    if facts["tokenizer"]:
        tokenizer = facts["tokenizer"]
        table.add_row(
            "tokenizer", f"{_text(tokenizer['name'])}, {tokenizer['vocab_size']:,} pieces"
        )
    for source in facts["sources"]:
        origin = source.get("url") or source.get("base") or ""
        table.add_row(f"source {source['code']}", f"{_text(source['file'])} {_text(origin)}")
    for parent in facts["parents"]:
        table.add_row("parent", _text(parent.get("name", parent)))
    table.add_row("licence", _text(facts["licence"]))
    table.add_row("recipe", _text(facts["recipe"]))
    return table


def _preset(preset: object) -> Iterator[tuple[str, object]]:
    if isinstance(preset, dict):
        yield "as in", preset.get("name")
        yield from (("except", deviation) for deviation in preset.get("deviations", []))


def _steps(params: Json) -> list[str]:
    """Steps in words: `sample size=10% by=rows`."""
    shown = []
    for step in params.get("steps") or []:
        for name, values in step.items() if isinstance(step, dict) else ():
            given = values.items() if isinstance(values, dict) else ()
            shown.append(" ".join([str(name), *(f"{k}={v}" for k, v in given)]))
    return shown


def _columns(facts: Json) -> Table:
    table = _grid("columns", "name", "type")
    for name, kind in facts["columns"].items():
        table.add_row(_text(name), _text(kind))
    return table


def _ledger(facts: Json) -> Table:
    table = _grid("not in the set, by reason", "reason", "count", "share", "why")
    table.columns[3].justify = "left"
    documents = facts["totals"].get("documents", 0)
    seen = {
        "pages": documents + sum(e["count"] for e in facts["ledger"] if e["unit"] == "pages"),
        "documents": documents
        + sum(e["count"] for e in facts["ledger"] if e["unit"] == "documents"),
        "rows": facts["rows"] + sum(e["count"] for e in facts["ledger"] if e["unit"] == "rows"),
    }
    for entry in facts["ledger"]:
        share = entry["count"] / seen[entry["unit"]] if seen.get(entry["unit"]) else None
        style = "yellow" if share is not None and share > NOTABLE else ""
        table.add_row(
            _text(entry["reason"]),
            f"{entry['count']:,} {entry['unit']}",
            "" if share is None else f"{share:.1%}",
            _text(entry["why"]),
            style=style,
        )
    if not facts["ledger"]:
        table.add_row("nothing", "", "", "")
    return table


def _first(values: Sequence[object]) -> str:
    shown = _text(" ".join(map(str, values[:SHOWN_PIECES])), SHOWN_CHARACTERS)
    return shown if len(values) <= SHOWN_PIECES else f"{shown} … ({len(values):,} in all)"


def _rows(rows: Sequence[Json], teacher: Json | None) -> Table:
    table = Table(title="rows", title_justify="left", title_style="bold", show_lines=True)
    table.add_column("row", justify="right", style="dim")
    cells = _cells(rows, teacher)
    for name in cells:
        table.add_column(name, overflow="fold", ratio=None if name in _NARROW else 1)
    for number, row in enumerate(rows):
        table.add_row(str(number), *(cell(row) for cell in cells.values()))
    return table


#: Columns as wide as what stands in them.
_NARROW: Final = ("document", "label")


def _cells(rows: Sequence[Json], teacher: Json | None) -> dict[str, Callable[[Json], str]]:
    """What is shown of each row, by the name of its column: what none has is left out."""
    there = {name for row in rows for name in row}
    texts = any(row.get("text") for row in rows)
    known: dict[str, tuple[bool, Callable[[Json], str]]] = {
        "document": ("doc_id" in there, _page),
        "ids": ("input_ids" in there, lambda row: _first(row.get("input_ids", []))),
        "pieces": ("pieces" in there, lambda row: _first(row.get("pieces", []))),
        "decoded": (not texts and "decoded" in there, lambda row: _shown(row, "decoded")),
        "text": (texts, lambda row: _shown(row, "text") or _shown(row, "decoded")),
        "second text": ("text_pair" in there, lambda row: _shown(row, "text_pair")),
        "label": ("label" in there, lambda row: _text(label_text(row), 60)),
        "logits": ("logits" in there, lambda row: _text(logits_text(row["logits"], teacher), 200)),
        "teacher": ("tail" in there, lambda row: _text(top_text(row), 100)),
    }
    return {name: cell for name, (shown, cell) in known.items() if shown}


def _page(row: Json) -> str:
    return f"{row['doc_id']}#{row['sentence']}" if "doc_id" in row else ""


def _shown(row: Json, name: str) -> str:
    return _text(row.get(name, ""), SHOWN_CHARACTERS)
