"""The sections of a report: cards, lineage, tables, figures, ledger, examples, licence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from transferset.report import rails, tables
from transferset.report.curves import Curve, coinciding
from transferset.report.examples import examples_html
from transferset.report.figures import NARROW, WIDE, Axes, figure, head_share
from transferset.report.generated_page import generated_parts
from transferset.report.inspect import Decode
from transferset.report.label_grids import label_grids
from transferset.report.lineage import Lineage, Node
from transferset.report.markup import Html, el, short, shown
from transferset.report.tables import Subject
from transferset.report.wording import listed, made_by, number, percent, sentence_case, small

#: Pieces whose joint share the caption of the token figure tells.
HEAD: Final = 100


def section(key: str, title: str, *content: Html) -> Html:
    """A section under its heading, which the contents lead to."""
    heading = el("h2", title, id=f"{key}-head")
    return el("section", heading, *content, id=key, aria_labelledby=f"{key}-head")


def cards_section(subjects: Sequence[Subject], graph: Lineage) -> Html:
    """What each set is, in a few lines."""
    nodes = {node.number: node for node in graph.nodes.values() if node.number}
    numbers = {one.found.place: one.number for one in subjects}
    cards = [_card(one, _made(nodes[one.number], graph), numbers) for one in subjects]
    columns = "two" if len(subjects) in (2, 4) else "three"
    return section("sets", "The sets", el("div", *cards, class_=f"cards {columns}"))


def _card(one: Subject, made: str, numbers: Mapping[str, int]) -> Html:
    manifest = one.found.manifest
    facts = (
        ("rows", number(one.measures.rows)),
        ("tokens", number(one.stats["tokens"])),
        ("tokens a row", tables.mean_of(one.stats["length"])),
    )
    seed = f" Seed\u00a0{manifest.seed}." if manifest.parents else ""
    return el(
        "article",
        el("h3", one.heading),
        el("p", f"{sentence_case(made)}.{seed}"),
        el("dl", *(el("div", el("dt", term), el("dd", value)) for term, value in facts)),
        *_verdict(one, numbers),
        el("p", f"Licence: {shown(manifest.licence, 120) or 'not stated'}", class_="quiet"),
        class_="card",
    )


def _made(node: Node, graph: Lineage, most: int = 4) -> str:
    """From which sets and how; those on the page go by their number."""
    made = made_by(node.op, node.params)
    named: dict[bool, list[str]] = {True: [], False: []}
    for key, role in node.parents.items():
        parent = graph.nodes.get(key)
        if parent is not None:
            named[role == "fit"].append(_reference(parent.number, parent.name))
    for names in named.values():
        names[most:] = [f"{len(names) - most:,} others"] if len(names) > most else []
    if named[False]:
        made = f"from {listed(named[False])}: {made}"
    return f"{made}; model fitted on {listed(named[True])}" if named[True] else made


def _reference(number_: int | None, name: str) -> str:
    return f"set\u00a0{number_}" if number_ else short(shown(name))


def _verdict(one: Subject, numbers: Mapping[str, int]) -> list[Html]:
    """How a set differs from the one it is compared with, in one sentence."""
    away = one.stats["divergence"]
    if away is None:
        return []
    js = away["unigram"]["js"]
    near = sum(js > bound for bound in _BOUNDS)
    said = f"Compared with {_reference(numbers.get(away['parent_root']), away['parent'])}: "
    if near and one.measures.tokens < away["parent_tokens"] * _SMALL:
        said += f"JS\u00a0{small(js)} (a set this small differs by chance)"
    else:
        said += _NEAR[near] + (f" (JS\u00a0{small(js)})" if near else "")
    if away["overlap"]["2"] is not None:
        said += f"; {percent(away['overlap']['2']['tokens'])} of its token pairs occur there"
    return [el("p", f"{said}.")]


#: Share of the parent's tokens below which frequencies differ by chance alone.
_SMALL: Final = 0.5

#: Jensen–Shannon divergences in bits, and how frequencies are that are farther apart.
_BOUNDS: Final = (0.0, 0.01, 0.1)
_NEAR: Final = (
    "exactly the same token frequencies",
    "almost the same token frequencies",
    "similar token frequencies",
    "different token frequencies",
)


def lineage_section(graph: Lineage) -> Html:
    """Where the sets come from, drawn."""
    _, left_out = rails.entries(graph)
    notes = [
        "Squares are files from outside, rings are ancestors, numbered discs are this report’s "
        "sets. Addresses, checksums and licences stand in full under Licence and sources."
    ]
    if left_out:
        notes.append(f"{left_out:,} farther ancestors are not drawn.")
    if graph.unwalked:
        notes.append("There are more ancestors than a report follows.")
    if graph.cycles:
        notes.append("A manifest names a set among its own ancestors; that link is not drawn.")
    drawings = [_at_width(rails.draw(graph, width), width) for width in (WIDE, NARROW)]
    return section("lineage", "Where they come from", *drawings, _note(" ".join(notes)))


def _note(text: str) -> Html:
    return el("p", text, class_="quiet")


def _at_width(image: Html, width: int) -> Html:
    """A drawing for a wide or for a narrow screen; the other one is not displayed."""
    return el("div", image, class_="wide" if width == WIDE else "narrow")


def size_section(subjects: Sequence[Subject]) -> Html:
    """The tables of the thesis."""
    return section(
        "size",
        "Size and composition",
        tables.size_table(subjects),
        _note(_BYTES),
        tables.composition_table(subjects),
        _note(_COMPOSITION + _uncompared(subjects)),
        tables.text_table(subjects),
        _note(_TEXT),
    )


_BYTES: Final = (
    "Tokens are ids, [CLS] and [SEP] included. “Arrow files” are bytes of the set on disk: ids of "
    "2 or 4 bytes with all other columns, uncompressed. They are not comparable with the sizes in "
    "the thesis, which are of text; “text” is the UTF-8 text that a set keeps beside its ids, if "
    "any."
)
_COMPOSITION: Final = (
    "JS is the Jensen–Shannon divergence from the parent in bits: 0 for equal frequencies, 1 for "
    "nothing in common. “Bigrams of the parent” is the share of a set’s pairs of neighbouring "
    "tokens that its parent has too. Content tokens and types leave out [CLS], [SEP], [PAD] and "
    "[MASK]."
)


def _uncompared(subjects: Sequence[Subject]) -> str:
    """Why cells are empty, or not exact."""
    lone: dict[str, list[str]] = {}
    for one in subjects:
        if one.stats["divergence"] is None:
            lone.setdefault(one.stats["divergence_reason"], []).append(str(one.number))
    notes = [
        f" Set{'s' if len(numbers) > 1 else ''} {listed(numbers)}: {shown(reason, 200)}."
        for reason, numbers in lone.items()
    ]
    bigrams = [(one.stats["divergence"] or {}).get("bigram") for one in subjects]
    if any(found is not None and found["sampled_share"] < 1 for found in bigrams):
        notes.append(" Bigrams were compared on a random sample of their types.")
    return "".join(notes)


_TEXT: Final = (
    "“w.p.s.” is words per sentence. The first columns were counted in the text when a set was "
    "built; “words in ids” were counted in the pieces of each row. The two count words "
    "differently: compare a number only with those above and below it."
)


def has_labels(one: Subject) -> bool:
    """Whether a set has labels, tags or variants to be told of."""
    return bool(label_grids(one.stats))


def labels_section(subjects: Sequence[Subject]) -> Html | None:
    """Classes or scores, tags, and what came of attempts to make variants; None without any."""
    parts: list[Html] = []
    for one in filter(has_labels, subjects):
        for grid in label_grids(one.stats):
            title = f"{grid.title} of set {one.number}"
            rows = [(shown(row[0], 100), *row[1:]) for row in grid.rows]
            parts.append(tables.table(title, grid.heads, rows))
            parts += [_note(shown(grid.note))] if grid.note else []
    return section("labels", "Labels and variants", *parts) if parts else None


def written_section(subjects: Sequence[Subject], decode: Sequence[Decode | None]) -> Html | None:
    """Rows that a language model wrote, beside natural ones; None without any."""
    parts = generated_parts(subjects, decode)
    return section("written", "Written by a language model", *parts) if parts else None


def figures_section(charts: Sequence[tuple[Axes, Sequence[Curve]]]) -> Html:
    """The distributions of all sets over each other."""
    drawn = [_figure(*chart) for chart in charts] or [_note("The sets have no ids to be counted.")]
    return section("figures", "Lengths and frequencies", *drawn)


def _figure(axes: Axes, curves: Sequence[Curve]) -> Html:
    text = f" {_said(axes, curves)}{_coincidence(curves)}"
    drawings = [_at_width(figure(axes, curves, width), width) for width in (WIDE, NARROW)]
    return el("figure", el("figcaption", el("strong", axes.title + "."), text), *drawings)


def _said(axes: Axes, curves: Sequence[Curve]) -> str:
    """What a reader in a hurry takes from a figure."""
    if axes.log:
        share = head_share(curves, HEAD)
        return (
            f"The {HEAD} commonest pieces make up {share} of all content tokens "
            "(as Figure 5.4 of the thesis)."
        )
    half = sorted({c.reaches(0.5) for c in curves})
    spread = number(half[0]) if len(half) == 1 else f"{number(half[0])} to {number(half[-1])}"
    longest = number(max(c.reaches(1.0) for c in curves))
    return (
        f"Half of the rows have at most {spread} content tokens, the longest has {longest} "
        "(as Figure 5.3 of the thesis)."
    )


def _coincidence(curves: Sequence[Curve]) -> str:
    groups = [listed([str(n) for n in group]) for group in coinciding(curves)]
    return "".join(f" The lines of sets {group} lie on each other." for group in groups)


def ledger_section(graph: Lineage) -> Html:
    """What was read and is not in the sets, from their ancestors on."""
    nodes = [node for node in graph.nodes.values() if node.ledger or node.number]
    nearest = nodes[-max(rails.MOST_DRAWN, sum(bool(node.number) for node in nodes)) :]
    note = f"Bold: more than {tables.NOTABLE:.0%} of what was read."
    if farther := len(nodes) - len(nearest):
        note += f" The ledgers of {farther:,} farther ancestors are left out."
    return section("ledger", "What was left out", tables.ledger_table(nearest), _note(note))


def examples_section(subjects: Sequence[Subject], decode: Sequence[Decode | None]) -> Html:
    """Rows of each set, before and after each step where that is known."""
    parts = []
    for one, turn in zip(subjects, decode, strict=True):
        parts += [el("h3", one.heading), examples_html(one.found, turn)]
    return section("examples", "Example rows", *parts)


def licence_section(graph: Lineage) -> Html:
    """Licences of the sets, and what they were built from."""
    items = [
        el("li", tables.badge(node.number), " ", el("bdi", shown(node.name)), ": ",
           shown(node.licence) or "not stated")
        for node in graph.nodes.values()
        if node.number
    ]  # fmt: skip
    origins = graph.origins
    table = tables.origins_table(origins) if origins else el("p", "No sources are known.")
    return section("licence", "Licence and sources", el("ul", *items, class_="plain"), table)
