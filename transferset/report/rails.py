"""Drawing a lineage: one line of text after the other, joined by rails at their left.

Ancestors stand above descendants. Where a set has several children, its rail goes down past the
last of them and each hangs on it; where it has one, that stands right below. So a drawing of any
number of sets is as narrow as a phone, and every line has room for words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from transferset.report.figures import NARROW, WIDE, svg
from transferset.report.lineage import Lineage, Node, Origin, abridged
from transferset.report.markup import Html, el, fit_name, join, shown, width, wrap
from transferset.report.palette import line
from transferset.report.wording import counted, listed, made_by, sentence_case, size

#: Most sets that are drawn.
MOST_DRAWN: Final = 40

#: Most origins of a set that get a line each.
_MOST_ORIGINS: Final = 4

#: Distance of rails; of the first from the edge; radius of a bend; sizes of text.
_LANE, _EDGE, _BEND, _TITLE, _DETAIL = 26, 14, 9, 14, 12

#: Heights in px: of a title, of a line of detail, and of the air below an entry.
_TITLE_HEIGHT, _LINE_HEIGHT, _AIR = 20, 17, 16

#: Most rails beside each other.
_MOST_LANES: Final = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """One stop of the drawing.

    Attributes:
        key: Identity.
        title: First line.
        details: What else is said; each is broken into lines as needed.
        number: The set's number on the page.
        kind: `set`, `origin` or `gap`.
        parents: Keys of entries above, with the role of each.
    """

    key: str
    title: str
    details: tuple[str, ...]
    number: int | None
    kind: str
    parents: Mapping[str, str]


def entries(graph: Lineage) -> tuple[list[Entry], int]:
    """The stops of a drawing, ancestors first, and how many sets there is no room for."""
    nodes, left_out = abridged(graph, MOST_DRAWN)
    drawn = {node.key for node in nodes}
    stops = []
    for node in nodes:
        origins = _origins(node)
        stops += origins
        parents = {key: role for key, role in node.parents.items() if key in drawn}
        stops.append(_set_entry(node, {**dict.fromkeys((o.key for o in origins), ""), **parents}))
    return stops, left_out


def _origins(node: Node) -> list[Entry]:
    if len(node.origins) > _MOST_ORIGINS:
        total = sum(origin.bytes or 0 for origin in node.origins)
        title = f"{len(node.origins):,} files, {size(total)}"
        ends = f"{shown(node.origins[0].file, 60)} to {shown(node.origins[-1].file, 60)}"
        return [Entry(f"{node.key} origins", title, (ends,), None, "origin", {})]
    return [
        Entry(f"{node.key} {i}", shown(o.file), _origin_details(o), None, "origin", {})
        for i, o in enumerate(node.origins)
    ]


def _origin_details(origin: Origin) -> tuple[str, ...]:
    facts = [size(origin.bytes) if origin.bytes else "", _short_digest(origin.digest)]
    facts.append(shown(origin.licence, 60))
    known = " · ".join(fact for fact in facts if fact)
    return tuple(fact for fact in (shown(origin.url, 120), known) if fact)


def _short_digest(digest: str) -> str:
    kind, _, value = shown(digest, 100).partition(" ")
    return f"{kind} {value[:12]}…" if value else ""


def _set_entry(node: Node, parents: Mapping[str, str]) -> Entry:
    if node.hidden:
        title = f"… {node.hidden:,} sets in between"
        return Entry(node.key, title, (), None, "gap", parents)
    counts = [counted(node.totals[u], u) for u in ("rows", "tokens") if u in node.totals]
    how = sentence_case(made_by(node.op, node.params))
    fitted = [role for role in node.parents.values() if role == "fit"]
    if fitted:
        how += f" (model fitted on {'another set' if len(fitted) == 1 else 'other sets'})"
    details = (how, " · ".join(counts))
    return Entry(node.key, shown(node.name), details, node.number, "set", parents)


@dataclass(frozen=True, slots=True)
class _Stop:
    """Where an entry stands: which rail, at which height, with which lines."""

    entry: Entry
    lane: int
    at: float
    lines: list[str]


def draw(graph: Lineage, width_px: int = WIDE) -> Html:
    """Draw where the sets come from.

    Args:
        graph: From `lineage.lineage`.
        width_px: `figures.WIDE` or `figures.NARROW`.

    Returns:
        An `svg` element.
    """
    listing, _ = entries(graph)
    lanes = _lanes(listing)
    stops, height = _stops(listing, lanes, width_px)
    by_key = {stop.entry.key: stop for stop in stops}
    lines = [
        _rail(by_key[key], stop, role) for stop in stops for key, role in stop.entry.parents.items()
    ]
    return svg(
        f"lineage-{width_px}",
        (width_px, round(height)),
        "Where the sets come from",
        describe(listing),
        *lines,
        *(_stop(stop, max(lanes.values(), default=0), width_px) for stop in stops),
    )


def describe(listing: Sequence[Entry]) -> str:
    """The drawing in words."""
    title = {entry.key: entry.title for entry in listing}
    said = []
    for entry in listing:
        if entry.parents:
            said.append(f"{entry.title} from {listed([title[key] for key in entry.parents])}")
    return f"{'; '.join(said)}." if said else "Sets without known ancestors."


def _lanes(listing: Sequence[Entry]) -> dict[str, int]:
    """Which rail each entry stands on; a rail is taken until its last child is reached."""
    last = {key: i for i, entry in enumerate(listing) for key in entry.parents}
    children: dict[str, int] = {}
    for entry in listing:
        for key in entry.parents:
            children[key] = children.get(key, 0) + 1
    lanes: dict[str, int] = {}
    taken: dict[int, int] = {}
    for i, entry in enumerate(listing):
        heirs = [lanes[key] for key in entry.parents if children[key] == 1]
        free = (lane for lane in range(len(listing) + 1) if taken.get(lane, -1) < i)
        beside = max((lanes[key] for key in entry.parents), default=-1)
        lane = min(heirs) if heirs else next(lane for lane in free if lane > beside)
        lanes[entry.key] = lane
        taken[lane] = max(last.get(entry.key, i), i)
    return lanes


def _stops(
    listing: Sequence[Entry], lanes: Mapping[str, int], width_px: int
) -> tuple[list[_Stop], float]:
    most = min(max(lanes.values(), default=0), _MOST_LANES)
    room = width_px - _x(most) - 24
    top, stops = 16.0, []
    for entry in listing:
        broken = [line for detail in entry.details if detail
                  for line in wrap(detail, room, _DETAIL, 3)]  # fmt: skip
        stops.append(_Stop(entry, lanes[entry.key], top, broken))
        top += _TITLE_HEIGHT + _LINE_HEIGHT * len(broken) + _AIR
    return stops, top


def _x(lane: int) -> float:
    return _EDGE + _LANE * float(min(lane, _MOST_LANES))


def _rail(parent: _Stop, child: _Stop, role: str) -> Html:
    """Down the parent's rail and, in a bend, over to the child's."""
    x0, y0, x1, y1 = _x(parent.lane), parent.at, _x(child.lane), child.at
    if x0 == x1:
        path = f"M{x0:.1f} {y0:.1f}V{y1:.1f}"
    else:
        bend = _BEND if x1 > x0 else -_BEND
        path = (
            f"M{x0:.1f} {y0:.1f}V{y1 - _BEND:.1f}Q{x0:.1f} {y1:.1f} {x0 + bend:.1f} {y1:.1f}"
            f"H{x1:.1f}"
        )
    return el("path", d=path, class_="rail fit" if role == "fit" else "rail")


def _stop(stop: _Stop, most: int, width_px: int) -> Html:
    x, entry = _x(stop.lane), stop.entry
    left = _x(min(most, _MOST_LANES)) + 20
    room = width_px - left - 4
    title = fit_name(entry.title, room, _TITLE * 1.12)
    texts = [
        el("text", line, x=left, y=stop.at + 5 + _LINE_HEIGHT * (i + 1), class_="quiet")
        for i, line in enumerate(stop.lines)
    ]
    style = "quiet" if entry.kind == "gap" else "bold" if entry.number else None
    return join(
        _sign(entry, x, stop.at),
        el("text", title, x=left, y=stop.at + 5, font_size=_TITLE, class_=style),
        *texts,
    )


def _sign(entry: Entry, x: float, at: float) -> Html:
    """A numbered disc for the report's sets, a ring for others, a square for what is outside."""
    if entry.number is not None:
        radius = max(10.0, width(str(entry.number), 12) / 2 + 4)
        return join(
            el("circle", cx=x, cy=at, r=radius, class_=f"f{line(entry.number)}"),
            el("text", str(entry.number), x=x, y=at + 4.2, text_anchor="middle", class_="number"),
        )
    if entry.kind == "origin":
        return el("rect", x=x - 5, y=at - 5, width=10, height=10, class_="stop")
    if entry.kind == "gap":
        return el("circle", cx=x, cy=at, r=2.5, class_="stop")
    return el("circle", cx=x, cy=at, r=6, class_="stop")


__all__ = ["MOST_DRAWN", "NARROW", "WIDE", "Entry", "describe", "draw", "entries"]
