"""The look of `evaluate` on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import IO, Final

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from transferset.errors import printable
from transferset.manifest import Json
from transferset.report.wording import counted, number, size, small

#: Rows of a table that are shown; `--json` gives all.
_MOST_CLASSES: Final = 30
_MOST_PAIRS: Final = 10

#: Characters of a text, and of a name.
_TEXT, _NAME = 240, 60

_NONE: Final = "–"


def show_evaluation(found: Json, file: IO[str] | None = None, width: int | None = None) -> None:
    """Print what `evaluate` found.

    Args:
        found: From `pipeline.evaluate.evaluate`.
        file: Where; standard output by default.
        width: Columns of the terminal; as it says by default.
    """
    console = Console(file=file, width=width, highlight=False, soft_wrap=False)
    for i, part in enumerate(_parts(found)):
        if i:
            console.print()
        console.print(part)


def _parts(found: Json) -> Iterator[RenderableType]:
    level = found["settings"]["level"]
    model = found["model"]["path"]  # names of folders are alike: one is `model`, the other too
    for task in found["tasks"]:
        name = f"{model}, {task['task']}," if len(found["model"]["tasks"]) > 1 else model
        yield _heading(name, task)
        yield from _task(task, level)
    if found["macro"]:
        yield _macro(found["macro"])
    if found["masked"]:
        yield from _masked(model, found["masked"], level)
    yield _cost(found)


def _task(task: Json, level: float) -> Iterator[RenderableType]:
    if task["metrics"]:
        counting = task["metrics"] if _same_score(task) else [*task["metrics"], task["score"]]
        yield _scores(counting, level)
    if task["by_class"]:
        yield _classes(task["by_class"])
        if task["confused"]["pairs"]:
            yield _confused(task["confused"])
        yield _calibration(task["calibration"])
    if task["mistakes"] and task["mistakes"]["surest"]:
        wrong = task["mistakes"]
        title = f"surest of {counted(wrong['rows'], 'mistakes')}"
        yield _mistakes(title, wrong["surest"])
        yield _mistakes("least sure", wrong["least_sure"])
    if task["deviations"]:
        yield _deviations(task["deviations"])
    if task["agreement"]:
        yield _agreement(task["agreement"], task["teacher_from"])


def _same_score(task: Json) -> bool:
    """Whether the task's one score is one of its metrics."""
    return any(one["value"] == task["score"]["value"] for one in task["metrics"])


def _heading(model: str, one: Json) -> str:
    told = [counted(one["rows"], "rows")]
    if one["unlabelled"]:
        told.append(f"{one['unlabelled']:,} without a label left out of the scores")
    if one["cut_rows"]:
        told.append(f"{one['cut_rows']:,} cut")
    if one["read"] != "ids":
        told.append(f"ids made anew from {one['read']}")
    return f"{_named(model, one)}: {', '.join(told)}"


def _named(model: str, one: Json) -> str:
    """By their directories: names of derived sets are long, and alike."""
    return f"[bold]{_text(model, 200)}[/bold] on [bold]{_text(one['set']['label'], 200)}[/bold]"


def _sides(scores: Sequence[Json]) -> Iterator[tuple[str, list[str]]]:
    """Rows of the table of scores; those of a teacher where there is one."""
    yield "model", [_ranged(one, _value) for one in scores]
    for label, member, form in (
        ("teacher", "teacher", _value),
        ("difference", "difference", _signed),
        ("retained", "retention", _percent),
    ):
        if any(one[member] for one in scores):
            yield label, [_ranged(one[member], form) for one in scores]


def _scores(scores: Sequence[Json], level: float) -> Table:
    names = [_text(one["name"].replace("_", " "), _NAME) for one in scores]
    table = _grid(f"scores \\[{100 * level:g} % interval]", *names)
    for label, cells in _sides(scores):
        table.add_row(label, *cells)
    return table


def _ranged(one: Json | None, form: Callable[[float | None], str]) -> str:
    if one is None or one["value"] is None:
        return _NONE
    low, high = (form(one[end]).removesuffix(" %") for end in ("low", "high"))
    return f"{form(one['value'])} \\[{low}, {high}]"


def _classes(table_of: Sequence[Json]) -> Table:
    shown = table_of
    if len(table_of) > _MOST_CLASSES:
        shown = sorted(table_of, key=lambda one: -one["support"])[:_MOST_CLASSES]
    table = _grid("by class", "precision", "recall", "F1", "rows", "predicted")
    for one in shown:
        figures = (_value(one[name]) for name in ("precision", "recall", "f1"))
        counts = (number(one[name]) for name in ("support", "predicted"))
        table.add_row(_text(one["class"], _NAME), *figures, *counts)
    if len(table_of) > len(shown):
        table.add_row(f"… {len(table_of) - len(shown):,} more in --json", *[""] * 5)
    return table


def _confused(found: Json) -> Table:
    table = _grid("confused", "taken for", "rows")
    table.columns[1].justify = "left"
    for one in found["pairs"][:_MOST_PAIRS]:
        names = (_text(one[side], _NAME) for side in ("gold", "predicted"))
        table.add_row(*names, number(one["rows"]))
    if found["count"] > _MOST_PAIRS:
        table.add_row(f"… {found['count'] - _MOST_PAIRS:,} more pairs", "", "")
    return table


def _calibration(found: Json) -> str:
    teacher = "" if found["teacher"] is None else f" (teacher {_value(found['teacher'])})"
    return f"calibration error {_value(found['error'])}{teacher}"


def _mistakes(title: str, rows: Sequence[Json]) -> Table:
    table = _grid(title, "sure", "is", "taken for", "text")
    for column in table.columns[2:]:
        column.justify = "left"
    for one in rows:
        names = (_text(one[side], _NAME) for side in ("gold", "predicted"))
        table.add_row(f"row {one['row']:,}", _percent(one["confidence"]), *names, _texts(one))
    return table


def _deviations(rows: Sequence[Json]) -> Table:
    table = _grid("furthest off", "is", "predicted", "error", "text")
    table.columns[4].justify = "left"
    for one in rows:
        figures = (_value(one["gold"]), _value(one["predicted"]), _signed(one["error"]))
        table.add_row(f"row {one['row']:,}", *figures, _texts(one))
    return table


def _texts(one: Json) -> str:
    return " [dim]|[/dim] ".join(_text(text, _TEXT) for text in one["texts"])


_AGREED: Final = {
    "decisions": "same decision",
    "kl": "KL(teacher‖model), nats",
    "pearson": "Pearson's correlation",
    "spearman": "Spearman's correlation",
    "distance": "mean distance",
}


def _agreement(found: Json, source: str | None = None) -> Table:
    over = next(f"{found[unit]:,} {unit}" for unit in ("rows", "positions") if unit in found)
    from_column = ", of the set's column logits" if source == "logits" else ""
    table = _grid(f"agreement with the teacher{from_column} ({over})", "")
    table.show_header = False
    for name, label in _AGREED.items():
        one = found.get(name)
        if isinstance(one, dict):
            table.add_row(label, _ranged(one, small if name == "kl" else _value))
        elif name in found:
            table.add_row(label, small(one) if name == "kl" else _value(one))
    return table


def _macro(found: Json) -> Table:
    taught = any(found[name]["teacher"] is not None for name in ("all", "without"))
    beside = ("teacher", "difference", "retained") if taught else ()
    table = _grid(f"macro score over {found['tasks']} tasks", "model", *beside)
    for label, name in (("all", "all"), ("without CoLA and STS-B", "without")):
        one = found[name]
        told = (_value(one["teacher"]), _signed(one["difference"]), _percent(one["retention"]))
        table.add_row(label, _value(one["value"]), *(told if taught else ()))
    return table


def _masked(model: str, found: Json, level: float) -> Iterator[RenderableType]:
    how = "as the set has them" if found["share"] is None else f"{found['share']:.0%}"
    told = f"{counted(found['rows'], 'rows')}, {found['masked']:,} masked pieces ({how})"
    cut = f", {found['cut_rows']:,} cut" if found["cut_rows"] else ""
    yield f"{_named(model, found)}: {told}{cut}"
    yield _scores(found["metrics"], level)
    if found["agreement"]:
        yield _agreement(found["agreement"])


def _cost(found: Json) -> Table:
    size_of, speed = found["size"], found["speed"]
    sides = ["model", *(["teacher"] if size_of["teacher"] else [])]
    table = _grid("size and speed", *sides, *(["by"] if len(sides) > 1 else []))
    for label, member, form in (
        ("parameters", "parameters", number),
        ("without embeddings", "other", number),
        ("weights on disk", "bytes", size),
    ):
        values = [size_of[side][member] for side in sides]
        table.add_row(label, *map(form, values), *_by(values, smaller=True))
    for label, member in (("rows/s", "rows_per_second"), ("tokens/s", "tokens_per_second")):
        values = [speed[side][member] for side in sides]
        table.add_row(f"{label}, one thread", *map(_rate, values), *_by(values, smaller=False))
    return table


def _by(values: Sequence[float], *, smaller: bool) -> list[str]:
    """How many times smaller or faster the model is."""
    if len(values) < 2:
        return []
    small, large = (values[0], values[1]) if smaller else (values[1], values[0])
    return [f"{large / small:.3g} ×" if small else _NONE]


def _grid(title: str, *headers: str) -> Table:
    table = Table(
        title=title or None, title_justify="left", title_style="bold", box=None, pad_edge=False,
        padding=(0, 2, 0, 0),
    )  # fmt: skip
    for i, header in enumerate(("", *headers)):
        justify = "left" if i == 0 else "right"
        table.add_column(header, justify=justify, header_style="dim", overflow="fold")  # type: ignore[arg-type]
    return table


def _text(value: object, limit: int) -> str:
    return escape(printable(str(value), limit))


def _value(value: float | None) -> str:
    if value is None:
        return _NONE
    told = f"{value:,.3f}" if abs(value) < 1000 else f"{value:,.0f}"
    return told.replace("-", "−")


def _signed(value: float | None) -> str:
    return _value(value) if value is None or value < 0 else f"+{_value(value)}"


def _percent(value: float | None) -> str:
    return _NONE if value is None else f"{100 * value:.1f} %"


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
