"""The tables of a report: those of the thesis for the given sets, origins, and the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from transferset.ledger import WHY, Reason
from transferset.manifest import Json
from transferset.report.corpus_table import cells, corpus_rows
from transferset.report.lineage import Entry, Node, Origin
from transferset.report.markup import Html, el, join, short, shown
from transferset.report.palette import line
from transferset.report.wording import counted, number, percent, share, size, small
from transferset.shards import ShardSet

if TYPE_CHECKING:
    from transferset.report.measures import Measures

#: Most origins that are listed; a build from a whole wiki has some seventy.
MOST_ORIGINS: Final = 200

#: A ledger entry above this share of what was read is marked.
NOTABLE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Subject:
    """One set of the report and all that is known of it.

    Attributes:
        number: Its number on the page, from 1.
        found: The set.
        measures: What was counted in it.
        stats: What `stats` makes of that.
    """

    number: int
    found: ShardSet
    measures: Measures
    stats: Json

    @property
    def name(self) -> str:
        """The set's name, as the page shows it."""
        return shown(self.found.label)

    @property
    def heading(self) -> Html:
        """Number and name."""
        return join(badge(self.number), "\u00a0", el("bdi", short(self.name, 100)))

    @property
    def label(self) -> Html:
        """Number and name, which is short enough for a table."""
        return join(badge(self.number), "\u00a0", el("bdi", short(self.name)))


def badge(number: int) -> Html:
    """The set's number on its colour."""
    return el("span", str(number), class_=f"badge b{line(number)}")


def table(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[str | None]], kind: str = ""
) -> Html:
    """A table under its title; it scrolls where it does not fit.

    Args:
        title: What it shows; one of a kind on the page.
        heads: Names of the columns; the first column names the rows.
        rows: Cells, as many as heads; None is a dash.
        kind: `words` for a table of texts; numbers are set right otherwise.
    """
    top = el("tr", *(el("th", head, scope="col") for head in heads))
    body = [
        el("tr", el("th", row[0], scope="row"), *(el("td", cell or "–") for cell in row[1:]))
        for row in rows
    ]
    return titled(title, kind, el("thead", top), el("tbody", *body))


def titled(title: str, kind: str, *content: Html) -> Html:
    """A title that stays in sight while its table scrolls; readers hear it as the table's name."""
    key = "".join(c if c.isascii() and c.isalnum() else "-" for c in title.lower())[:40]
    inner = el("table", *content, class_=kind or None, aria_labelledby=key)
    scroll = el("div", inner, class_="scroll", tabindex="0", role="group", aria_labelledby=key)
    return el("div", el("h3", title, id=key), scroll, class_="titled")


def size_table(subjects: Sequence[Subject]) -> Html:
    """Table 5.1 of the thesis: sizes, and the share of the parent."""
    heads = ("set", "sequences", "of its parent", "tokens", "of its parent", "text", "Arrow files")
    rows = []
    for one in subjects:
        m, (rows_there, tokens_there) = one.measures, _parents(one.found)
        rows.append(
            (
                one.label, number(m.rows), share(m.rows, rows_there), number(one.stats["tokens"]),
                share(m.tokens, tokens_there if m.has_ids else 0), size(m.text_bytes),
                size(m.bytes),
            )
        )  # fmt: skip
    return table("Size, as in Table 5.1 of the thesis", heads, rows)


def _parents(found: ShardSet) -> tuple[int, int]:
    """Rows and tokens of what the set was made from; 0 where that is not known."""
    totals = [
        parent.get("totals") for parent in found.manifest.parents if parent.get("role") != "fit"
    ]
    known = [t for t in totals if isinstance(t, dict)]
    if not known or len(known) != len(totals):
        return 0, 0
    return _sum(known, "rows"), _sum(known, "tokens")


def _sum(totals: Sequence[Json], member: str) -> int:
    values = [one.get(member) for one in totals]
    return sum(v for v in values if isinstance(v, int)) if all(values) else 0


def composition_table(subjects: Sequence[Subject]) -> Html:
    """Table 5.4 of the thesis, and how far a set's tokens are from its parent's."""
    heads = (
        "set", "sequences", "tokens", "Arrow files", "content tokens a row", "types", "unknown",
        "JS of tokens", "JS of bigrams", "bigrams of the parent",
    )  # fmt: skip
    rows = []
    for one in subjects:
        m, stats = one.measures, one.stats
        unknown = stats["unknown_share"]
        rows.append(
            (
                one.label, number(m.rows), number(one.stats["tokens"]), size(m.bytes),
                mean_of(stats["content_length"]), number(stats["types"]),
                None if unknown is None else percent(unknown), *_from_parent(stats["divergence"]),
            )
        )  # fmt: skip
    return table("Composition, as in Table 5.4 of the thesis, and beyond", heads, rows)


def mean_of(lengths: Json | None) -> str:
    """The mean of lengths, if there are any rows."""
    return "–" if lengths is None else f"{lengths['mean']:,.1f}"


def _from_parent(away: Json | None) -> tuple[str | None, str | None, str | None]:
    """Divergences of tokens and bigrams, and the share of bigrams that the parent has."""
    if away is None:
        return None, None, None
    unigram, bigram, shared = away["unigram"], away["bigram"], away["overlap"]["2"]
    return (
        small(unigram["js"]),
        None if bigram is None else small(bigram["js"]),
        None if shared is None else percent(shared["tokens"]),
    )


def text_table(subjects: Sequence[Subject]) -> Html:
    """Table 4.4 of the thesis: sentences and words, as read from text and as found in ids."""
    heads = (
        "set", "text", "documents", "sentences", "words", "mean w.p.s.", "median w.p.s.",
        "words in ids", "mean a row", "median a row",
    )  # fmt: skip
    rows: list[Sequence[str]] = []
    for one in subjects:
        rows += _text_rows(one)
    return table("Text, as in Table 4.4 of the thesis", heads, rows)


def _text_rows(one: Subject) -> list[Sequence[str]]:
    known = corpus_rows(one.found.manifest)
    text = cells(known[-1]) if known else (size(one.measures.text_bytes), *"–––––")
    parts = [(shown(part.name, 60), *cells(part), "", "", "") for part in known[:-1]]
    return [(one.label, *text, *_id_cells(one)), *parts]


def _id_cells(one: Subject) -> list[str]:
    words, per_row = one.measures.words, one.stats["words_per_row"]
    if words is None or per_row is None:
        return ["–"] * 3
    total = int(np.arange(len(words)) @ words)
    return [number(total), f"{per_row['mean']:.1f}", f"{per_row['median']:g}"]


def origins_table(origins: Sequence[Origin]) -> Html:
    """What the sets were built from: file, address, checksum, licence."""
    heads = ("file", "from", "size", "checksum", "language", "licence")
    rows = [
        (
            el("bdi", shown(o.file, 120)), _link(o.url), size(o.bytes) if o.bytes else None,
            el("code", shown(o.digest, 140)) if o.digest else None, shown(o.language, 20),
            shown(o.licence, 200),
        )
        for o in origins[:MOST_ORIGINS]
    ]  # fmt: skip
    more = len(origins) - MOST_ORIGINS
    caption = "Sources" + (f": the first {MOST_ORIGINS} of {len(origins):,}" if more > 0 else "")
    return table(caption, heads, rows, "words")


def _link(url: str) -> Html | None:
    """A link, if it leads to the web; anything else is only text."""
    if not url:
        return None
    if url.startswith(("https://", "http://")) and len(url) <= 2000 and url.isprintable():
        return el("a", shown(url), href=url, rel="noreferrer")
    return join(shown(url))


def ledger_table(nodes: Sequence[Node]) -> Html:
    """What was read and is not in each set, by reason; the ancestors' ledgers come first."""
    heads = ("reason", "how many", "of what was read")
    groups = []
    for node in nodes:
        name = join(badge(node.number) if node.number else None, " ", el("bdi", shown(node.name)))
        title = el("tr", el("th", name, scope="rowgroup", colspan=len(heads)))
        rows = [_ledger_row(node, entry) for entry in node.ledger[: len(Reason)]]
        groups.append(el("tbody", title, *(rows or [_NOTHING])))
    top = el("thead", el("tr", *(el("th", head, scope="col") for head in heads)))
    return titled("Ledger, ancestors first", "ledger", top, *groups)


_NOTHING: Final = el("tr", el("th", "nothing was left out", scope="row", colspan=3))


def _ledger_row(node: Node, entry: Entry) -> Html:
    whole = node.read(entry.unit)
    part = share(entry.count, whole)
    notable = whole and entry.count / whole > NOTABLE
    why = WHY[Reason(entry.reason)] if entry.reason in set(Reason) else ""
    reason = shown(entry.reason, 60).replace("_", " ")
    return el(
        "tr",
        el("th", reason, el("span", f" {why}", class_="quiet"), scope="row"),
        el("td", counted(entry.count, shown(entry.unit, 20))),
        el("td", el("strong", part) if notable else part),
    )
