"""Rows that a language model wrote, on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from rich.markup import escape

from transferset.errors import printable
from transferset.manifest import Json
from transferset.report.generated_grids import (
    COMPARED_ROWS,
    SIDE_ROWS,
    SideCell,
    attempts_in_short,
    in_short,
    note,
    perplexities,
)
from transferset.report.wording import number, share

#: Characters of a text that are shown.
MOST_TEXT: Final = 200

_NONE: Final = "–"


def in_lines(known: Json | None) -> Iterator[tuple[str, str]]:
    """What `inspect` says of them: names and plain text.

    Args:
        known: From `generated.generated_of`; None gives nothing.
    """
    if known is None:
        return
    yield "written", in_short(known)
    if known["sampling"] is not None:
        yield "attempts", attempts_in_short(known["sampling"])


def written_cells() -> dict[str, Callable[[Json], str]]:
    """Rows of a table of sets side by side; what natural rows have stands in brackets.

    What a cell is made from comes from `stats.stats`.
    """
    return {
        **{name: _both(cell) for name, cell in SIDE_ROWS.items()},
        **{name: _measured(cell) for name, cell in COMPARED_ROWS.items()},
        "perplexity of a piece": _perplexity,
        "attempts": lambda s: _sampling(s, lambda told: number(told["attempts"])),
        "finished": lambda s: _sampling(s, lambda t: share(t["finished"], t["attempts"])),
        "kept": lambda s: _sampling(s, lambda t: share(t["kept"], t["attempts"])),
        "copies, dropped": lambda s: _sampling(s, _copied),
        "rows for each original": lambda s: _sampling(s, _multiple),
    }


def _measured(cell: Callable[[Json], str]) -> Callable[[Json], str]:
    def shown(one: Json) -> str:
        known = one["generated"]
        return _NONE if known is None or known["measures"] is None else cell(known["measures"])

    return shown


def _both(cell: SideCell) -> Callable[[Json], str]:
    def sides(measures: Json) -> str:
        mine, its = cell(measures["generated"]), measures["natural"]
        return mine if its is None else f"{mine} ({cell(its)})"

    return _measured(sides)


def _perplexity(one: Json) -> str:
    if one["generated"] is None:
        return _NONE
    written, natural = perplexities(one["generated"])
    return written if natural == _NONE else f"{written} ({natural})"


def _sampling(one: Json, cell: Callable[[Json], str]) -> str:
    known = one["generated"]
    return _NONE if known is None or known["sampling"] is None else cell(known["sampling"])


def _copied(told: Json) -> str:
    copied = told["outcomes"]["copied"] + told["outcomes"]["copied_evaluation"]
    return share(copied, told["attempts"])


def _multiple(told: Json) -> str:
    return _NONE if told["multiple"] is None else f"{told['multiple']:.4g}"


def example_lines(sets: Sequence[Json]) -> Iterator[str]:
    """Rows that models wrote, a line each, with rich's markup; what they say is escaped."""
    for one in sets:
        known = one["generated"]
        if known is None or known["measures"] is None:
            continue
        name = escape(printable(one["label"], 80))
        yield f"[bold]rows of {name} that a language model wrote, at random[/bold]"
        for row in known["measures"]["examples"]:
            yield f"[dim]{row['row']:>9,}[/dim]  {escape(_text(row))}"
        yield f"[dim]{escape(printable(note(known), 600))}[/dim]"
        yield ""


def _text(row: Json) -> str:
    if row["text"] is None:
        return printable(" ".join(map(str, row["input_ids"])), MOST_TEXT)
    texts = [row["text"], *([] if row["text_pair"] is None else [row["text_pair"]])]
    ending = " … (not finished)" if row["finished"] is False else ""
    return " | ".join(printable(text, MOST_TEXT // len(texts)) for text in texts) + ending
