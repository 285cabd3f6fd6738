"""Bars of a report: a histogram of two sides over each other, and one bar in parts, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from transferset.manifest import Json
from transferset.report.figures import NARROW, svg
from transferset.report.markup import Html, el, fit, join
from transferset.report.palette import line
from transferset.report.scales import Scale, tick_label
from transferset.report.wording import number, percent, share

#: Room around the bars: for the share's labels, above, and for the axis.
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 18, 58, 46

#: Height of a histogram, of a bar in parts, and of a line of its key.
_HEIGHT, _BAR, _STEP = 260, 30, 22

#: The least that can be seen of a part, and what is left free between two, in px.
_LEAST, _GAP = 2.0, 1.5

_FONT: Final = 13

#: Lines (colour and dash) of natural and of written rows.
NATURAL, WRITTEN = 1, 2


def histogram(key: str, title: str, lengths: Json, of: tuple[str, str], width: int) -> Html:
    """Rows by length: written ones as bars, natural ones as an outline over them.

    Args:
        key: Beginning of the element ids.
        title: What a screen reader calls it.
        lengths: `lengths` of `generated_measures`.
        of: Names of the axes: lengths, and shares of the rows.
        width: Of the image in px.
    """
    edges = lengths["edges"] or [0, 1]
    shares = {name: _shares(lengths[name]) for name in ("generated", "natural")}
    most = max(max(values, default=0.0) for values in shares.values()) or 1.0
    x = Scale(float(edges[0]), float(edges[-1]), _LEFT, width - _RIGHT)
    y = Scale(0.0, most, _HEIGHT - _BOTTOM, _TOP)
    drawn = [_bars(x, y, edges, shares["generated"])]
    if shares["natural"]:
        outline = _outline(x, y, edges, shares["natural"])
        drawn.append(el("path", d=outline, class_=f"line s{NATURAL}", stroke_width=2.2))
    desc = "; ".join(_peak(name, edges, values) for name, values in shares.items() if values)
    axes = (_across(x, of[0]), _up(x, y, of[1]))
    return svg(
        f"{key}-{width}", (width, _HEIGHT), title, desc, *axes, *drawn,
        _key(width, both=bool(shares["natural"])),
    )  # fmt: skip


def _shares(rows: list[int] | None) -> list[float]:
    total = sum(rows or ())
    return [count / total for count in rows or ()] if total else []


def _peak(name: str, edges: Sequence[int], shares: Sequence[float]) -> str:
    most = max(range(len(shares)), key=lambda i: shares[i])
    which = "written" if name == "generated" else name
    return f"{which} rows: most, {percent(shares[most])}, have {_span(edges, most)}"


def _span(edges: Sequence[int], bar: int) -> str:
    first, last = edges[bar], edges[bar + 1] - 1
    return f"{first:,} content tokens" if first == last else f"{first:,} to {last:,} content tokens"


def _bars(x: Scale, y: Scale, edges: Sequence[int], shares: Sequence[float]) -> Html:
    bars = []
    for i, value in enumerate(shares):
        left, right, top = float(x(edges[i])), float(x(edges[i + 1])), float(y(value))
        wide = max(0.5, right - left - 1)
        bars.append(el("rect", x=left, y=top, width=wide, height=y.start - top))
    return el("g", *bars, class_=f"f{line(WRITTEN)}", fill_opacity=0.75)


def _outline(x: Scale, y: Scale, edges: Sequence[int], shares: Sequence[float]) -> str:
    steps = "".join(
        f"V{float(y(value)):.1f}H{float(x(edges[i + 1])):.1f}" for i, value in enumerate(shares)
    )
    return f"M{float(x(edges[0])):.1f} {y.start:.1f}{steps}V{y.start:.1f}"


def _across(x: Scale, name: str) -> Html:
    bottom = float(_HEIGHT - _BOTTOM)
    marks = []
    for value in x.ticks(8 if x.stop > NARROW else 5):
        at = float(x(value))
        marks.append(el("line", x1=at, x2=at, y1=bottom, y2=bottom + 5, class_="axis"))
        label = tick_label(value)
        marks.append(el("text", label, x=at, y=bottom + 19, text_anchor="middle", class_="tick"))
    base = el("line", x1=x.start, x2=x.stop, y1=bottom, y2=bottom, class_="axis")
    named = el("text", name, x=x.stop, y=bottom + 38, text_anchor="end", class_="name")
    return join(base, *marks, named)


def _up(x: Scale, y: Scale, name: str) -> Html:
    marks = []
    for value in y.ticks(4):
        at = float(y(value))
        if value:
            marks.append(el("line", x1=x.start, x2=x.stop, y1=at, y2=at, class_="grid"))
        label = f"{100 * value:.3g}\u00a0%"
        marks.append(el("text", label, x=x.start - 6, y=at + 4, text_anchor="end", class_="tick"))
    return join(*marks, el("text", name, x=2.0, y=14.0, class_="name"))


def _key(width: int, *, both: bool) -> Html:
    top = 36.0
    parts = [
        el("rect", x=float(_LEFT), y=top - 10, width=22, height=12, class_=f"f{line(WRITTEN)}",
           fill_opacity=0.75),
        el("text", "written", x=_LEFT + 28.0, y=top, class_="label"),
    ]  # fmt: skip
    if both:
        left = _LEFT + min(120.0, width / 3)
        parts += [
            el("line", x1=left, x2=left + 22, y1=top - 4, y2=top - 4, stroke_width=2.2,
               class_=f"line s{line(NATURAL)}"),
            el("text", "natural", x=left + 28, y=top, class_="label"),
        ]  # fmt: skip
    return join(*parts)


def in_parts(key: str, title: str, parts: Sequence[tuple[str, int]], width: int) -> Html:
    """One bar, in parts as large as their counts, with a key below in the same order.

    Args:
        key: Beginning of the element ids.
        title: What a screen reader calls it.
        parts: Names and counts; those of 0 are left out.
        width: Of the image in px.
    """
    shown = [(name, count) for name, count in parts if count]
    total = sum(count for _, count in shown)
    columns = 2 if width > NARROW else 1
    lines = -(-len(shown) // columns)
    marks, left = [], 0.0
    for i, (part, (name, count)) in enumerate(zip(_widths(shown, width), shown, strict=True), 1):
        marks.append(el("rect", x=left, y=4.0, width=part, height=_BAR, class_=f"f{line(i)}"))
        left += part + _GAP
        across, down = divmod(i - 1, lines)
        marks.append(_entry(i, f"{name}: {number(count)} ({share(count, total)})",
                            (across * width / columns, _BAR + 26.0 + down * _STEP),
                            width / columns))  # fmt: skip
    desc = "; ".join(f"{name}: {share(count, total)}" for name, count in shown)
    return svg(f"{key}-{width}", (width, _BAR + 14 + lines * _STEP), title, desc, *marks)


def _widths(parts: Sequence[tuple[str, int]], width: int) -> list[float]:
    """Each as wide as its share of what the least ones leave, so that all can be seen."""
    total = sum(count for _, count in parts)
    room = width - (_LEAST + _GAP) * len(parts) + _GAP
    return [_LEAST + room * count / total for _, count in parts]


def _entry(i: int, text: str, at: tuple[float, float], room: float) -> Html:
    left, top = at
    return join(
        el("rect", x=left, y=top - 10, width=14, height=12, class_=f"f{line(i)}"),
        el("text", fit(text, room - 26, _FONT), x=left + 20, y=top, class_="label"),
    )
