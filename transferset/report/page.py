"""The report: one page about sets, readable without a network, a script or much time."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files as resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

from transferset.errors import UsageError, sentence
from transferset.files import write_atomic, writing
from transferset.manifest import Json
from transferset.report import rails, sections
from transferset.report.curves import Curve, length_curve, token_curve
from transferset.report.figure_files import (
    MARK,
    figure_css,
    require_ours,
    standalone,
    write_figures,
)
from transferset.report.figures import Axes, figure
from transferset.report.generated_page import is_written
from transferset.report.inspect import Decode
from transferset.report.lineage import Lineage, lineage
from transferset.report.markup import Html, el, join, short, shown
from transferset.report.palette import LINES, page_variables
from transferset.report.tables import Subject
from transferset.report.wording import listed, number
from transferset.shards import ShardSet
from transferset.version import __version__

if TYPE_CHECKING:
    from transferset.report.measures import Measures

LENGTHS: Final = Axes(
    "lengths",
    "Cumulative distribution of sequence lengths",
    "content tokens in a row",
    "rows with at most so many tokens",
)
TOKENS: Final = Axes(
    "tokens",
    "Cumulative distribution of token frequencies",
    "rank of the piece, commonest first (logarithmic)",
    "tokens that are one of so many commonest pieces",
    log=True,
)


def write_report(
    sets: Sequence[ShardSet],
    out: Path,
    *,
    measures: Sequence[Measures],
    stats: Sequence[Json],
    decode: Sequence[Decode | None],
    figures: Path | None = None,
) -> Path:
    """Write a report of sets as one self-contained HTML page.

    The same sets give the same bytes.

    Args:
        sets: At least one, in the order of the page.
        out: The page; an older report is replaced, any other file is not.
        measures: From `measures.measure`, one a set.
        stats: From `stats.stats`, one a set.
        decode: For each set what turns ids into pieces and text; None shows ids.
        figures: A directory for the figures as files of their own, made if need be: SVG, and PNG
            unless `figure_files.how_to_get_png` says how to get it.

    Returns:
        `out`.

    Raises:
        UsageError: No sets, or one twice, or a file that is not ours would be replaced.
        SetError: The examples that a set holds are damaged.
        TransfersetError: A file cannot be written.
    """
    if not sets:
        raise UsageError(sentence("a set to report on", "none", do="name one"))
    subjects = [
        Subject(i, *known) for i, known in enumerate(zip(sets, measures, stats, strict=True), 1)
    ]
    graph = lineage(sets)
    if len(sets) > sum(node.number is not None for node in graph.nodes.values()):
        raise UsageError(sentence("each set once", "one twice", do="name it once"))
    charts = _charts(subjects)
    require_ours(out)
    page = _page(subjects, graph, charts, decode).encode()
    if figures is not None:
        drawings = {axes.key: figure(axes, curves) for axes, curves in charts}
        drawings["lineage"] = rails.draw(graph)
        write_figures(figures, {name: standalone(image) for name, image in drawings.items()})
    with writing(out):
        write_atomic(out, page)
    return out


def _charts(subjects: Sequence[Subject]) -> list[tuple[Axes, list[Curve]]]:
    charts = []
    for axes, curve in ((LENGTHS, length_curve), (TOKENS, token_curve)):
        drawn = [curve(one.number, one.found.label, one.measures) for one in subjects]
        if curves := [one for one in drawn if one is not None]:
            charts.append((axes, curves))
    return charts


def _page(
    subjects: Sequence[Subject],
    graph: Lineage,
    charts: Sequence[tuple[Axes, Sequence[Curve]]],
    decode: Sequence[Decode | None],
) -> str:
    title = f"Report on {_names(subjects)}"
    body = join(
        el(
            "header",
            el("h1", title),
            el("p", _lede(subjects, graph), class_="lede"),
            _contents(subjects),
        ),
        el(
            "main",
            sections.cards_section(subjects, graph),
            sections.lineage_section(graph),
            sections.size_section(subjects),
            sections.labels_section(subjects),
            sections.written_section(subjects, decode),
            sections.figures_section(charts),
            sections.ledger_section(graph),
            sections.examples_section(subjects, decode),
            sections.licence_section(graph),
        ),
        el("footer", el("p", f"Written by transferset {__version__}. {_CITATION}")),
    )
    return (
        f"<!doctype html>\n<!-- {MARK.decode()} -->\n{el('html', _head(title), body, lang='en')}\n"
    )


_CITATION: Final = (
    "“The thesis” is S. van de Graaf, Distilling BERT: Transfer Dataset Size and Composition "
    "Effects, MSc thesis, University of Amsterdam, 2021."
)


def _head(title: str) -> Html:
    """The head; its policy lets the page load nothing, whatever a name in it may contain."""
    style = page_css()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
    return el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="referrer", content="no-referrer"),
        el("link", rel="icon", href="data:,"),
        el("title", title),
        el("style", Html(style)),
    )


def page_css() -> str:
    """All rules of the page."""
    rules = resources("transferset.report").joinpath("style.css").read_text("utf-8")
    badges = "".join(f".b{i}{{background:var(--line-{i})}}" for i in range(1, LINES + 1))
    return f"{page_variables()}{rules}{figure_css()}{badges}"


def _names(subjects: Sequence[Subject], most: int = 4) -> str:
    names = [one.name for one in subjects]
    if len(names) > most or sum(map(len, names)) > 90:
        others = "another set" if len(names) == 2 else f"{len(names) - 1} other sets"
        first = short(names[0], 80)
        return first if len(names) == 1 else f"{first} and {others}"
    return listed(names)


def _lede(subjects: Sequence[Subject], graph: Lineage) -> str:
    """One sentence: how many sets, from what, in which vocabulary."""
    count = f"{len(subjects)} sets" if len(subjects) > 1 else "One set"
    sizes = sorted({one.measures.rows for one in subjects})
    rows = " to ".join(number(n) for n in (sizes if len(sizes) < 2 else (sizes[0], sizes[-1])))
    origins = [shown(o.file, 60) for o in graph.origins]
    origin = f", from {listed(origins)}" if 0 < len(origins) <= 3 else ""
    if len(origins) > 3:
        origin = f", from {len(origins):,} files"
    words = {
        (t["name"], t["vocab_size"])
        for t in (one.found.manifest.tokenizer for one in subjects)
        if t is not None
    }
    pieces = listed([f"{shown(n, 60)} ({size:,} pieces)" for n, size in sorted(words)[:4]])
    vocabulary = f"; vocabulary {pieces}" if pieces else ""
    return f"{count} of {rows} rows{origin}{vocabulary}."


def _contents(subjects: Sequence[Subject]) -> Html:
    """Links to the sections, for those who look for one thing."""
    names = {
        "lineage": "Lineage",
        "size": "Tables",
        **({"labels": "Labels"} if any(map(sections.has_labels, subjects)) else {}),
        **({"written": "Written rows"} if any(map(is_written, subjects)) else {}),
        "figures": "Figures",
        "ledger": "Ledger",
        "examples": "Examples",
        "licence": "Licence",
    }
    links = [el("li", el("a", text, href=f"#{key}")) for key, text in names.items()]
    return el("nav", el("ul", *links), aria_label="sections")
