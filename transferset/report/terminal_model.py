"""The look of `inspect` of a model on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any, Final

from rich.console import Console, Group
from rich.markup import escape
from rich.table import Table

from transferset.errors import printable
from transferset.manifest import Json
from transferset.report.wording import in_words, size

#: Rows of each kind that are shown; `--json` gives all.
_MOST: Final = 40

#: Of params: models that are told by name.
_MODELS: Final = ("teacher", "student", "preset")


def show_model(facts: Json, file: IO[str] | None = None) -> None:
    """Print what `inspect` found of a model.

    Args:
        facts: From `report.model_facts.model_facts`.
        file: Where; standard output by default.
    """
    console = Console(file=file, highlight=False, soft_wrap=False)
    console.print(Group(_overview(facts), "", _files(facts)))


def _overview(facts: Json) -> Table:
    table = Table(
        title=_text(facts["name"]), title_justify="left", title_style="bold", box=None,
        show_header=False, pad_edge=False,
    )  # fmt: skip
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, told in _told(facts):
        table.add_row(name, _text(told))
    return table


def _told(facts: Json) -> Iterator[tuple[str, str]]:
    params, metrics = facts["params"], facts["metrics"]
    yield "made by", f"{facts['op']}, seed {facts['seed']}"
    given = {k: v for k, v in params.items() if v not in (None, False) and k not in _MODELS}
    yield "options", ", ".join(f"{name} {in_words(value)}" for name, value in sorted(given.items()))
    for name, model in (("base", facts["base"]), ("teacher", params.get("teacher"))):
        if isinstance(model, dict):
            yield name, f"{model.get('name')}, weights {model.get('weights')}"
    for parent in facts["parents"][:_MOST]:
        totals = parent.get("totals")
        rows = totals.get("rows") if isinstance(totals, dict) else None
        counted = f", {rows:,} rows" if isinstance(rows, int) else ""
        yield str(parent.get("role", "parent")), f"{parent['name']}{counted}"
    yield "tokenizer", in_words(facts["tokenizer"])[1:-1]
    for name, value in metrics.items():
        if value is not None and not isinstance(value, list):
            yield name.replace("_", " "), _figure(value)
    measured = metrics.get("evaluations")
    for one in _kept(measured if isinstance(measured, list) else [], metrics.get("kept_step")):
        yield "measured", in_words(one)[1:-1]
    yield "licence", facts["licence"]
    yield "recipe", facts["recipe"]
    yield "digest", facts["digest"]


def _kept(measured: list[Any], step: object) -> list[Any]:
    """The measurement of the weights that were kept."""
    return [one for one in measured if isinstance(one, dict) and one.get("step") == step][:1]


def _figure(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return in_words(value)[1:-1] if isinstance(value, dict) else in_words(value)


def _files(facts: Json) -> Table:
    table = Table(box=None, pad_edge=False)
    for i, header in enumerate(("file", "size", "blake3")):
        justify = "right" if i == 1 else "left"
        table.add_column(header, justify=justify, header_style="dim")  # type: ignore[arg-type]
    for entry in facts["files"][:_MOST]:
        table.add_row(_text(entry["file"]), size(entry["bytes"]), _text(entry["blake3"], 16))
    return table


def _text(value: object, limit: int = 2000) -> str:
    return escape(printable(str(value), limit))
