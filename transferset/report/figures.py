"""Drawing cumulative distributions of several sets over each other, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from transferset.report.curves import Curve, same
from transferset.report.markup import Html, el, fit, join, shown
from transferset.report.palette import line
from transferset.report.scales import Scale, tick_label
from transferset.report.wording import number, percent

#: A figure's width in px where there is room, and on a phone.
WIDE, NARROW = 720, 344

#: Room around the plot: for the share's labels, the last tick, the axis' names.
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 18, 34, 46

#: Font size, and the distance of labels that stand below each other.
_FONT, _STEP = 13, 21

#: Most points of a curve that a path is drawn through; most values that are drawn as steps.
_POINTS, _STEPS = 400, 40


@dataclass(frozen=True, slots=True)
class Axes:
    """What a figure shows.

    Attributes:
        key: Name of the figure's file, and beginning of its element ids.
        title: What a screen reader calls the figure.
        x: Name of the horizontal axis, with its unit.
        y: Name of the vertical axis.
        log: Whether the horizontal axis is logarithmic.
    """

    key: str
    title: str
    x: str
    y: str
    log: bool = False


def figure(axes: Axes, curves: Sequence[Curve], width: int = WIDE) -> Html:
    """Draw the curves of all sets over each other.

    Args:
        axes: What is shown.
        curves: At least one.
        width: Of the figure in px; `WIDE` or `NARROW`.

    Returns:
        An `svg` element whose classes stand in `figure.css` and `palette.line_rules`.
    """
    height = max(400 if width == WIDE else 340, _STEP * len(curves) + 190)
    x, y = _scales(axes, curves, width, height)
    return svg(
        f"{axes.key}-{width}",
        (width, height),
        axes.title,
        describe(axes, curves),
        _horizontal(x, y, axes),
        _vertical(x, y, axes),
        *_lines(x, y, curves),
        _labels(x, y, curves, width),
    )


def svg(key: str, area: tuple[int, int], title: str, desc: str, *content: Html) -> Html:
    """An image with a title and a description for those who do not see it."""
    width, height = area
    return el(
        "svg",
        el("title", title, id=f"{key}-title"),
        el("desc", desc, id=f"{key}-desc"),
        *content,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
        class_="figure",
    )


def describe(axes: Axes, curves: Sequence[Curve]) -> str:
    """The figure in words: where each curve reaches half and nine tenths."""
    said = [
        f"{shown(c.name, 60)}: half at {number(c.reaches(0.5))}, nine tenths at "
        f"{number(c.reaches(0.9))}, all at {number(c.reaches(1.0))}"
        for c in curves
    ]
    return f"{axes.y} against {axes.x}. {'; '.join(said)}."


def _scales(axes: Axes, curves: Sequence[Curve], width: int, height: int) -> tuple[Scale, Scale]:
    last = max(c.reaches(1.0) for c in curves)
    if axes.log:
        low, high = 1.0, max(10.0, last)
    else:
        low, high = 0.0, max(1.0, min(last, shown_to(curves)))
    x = Scale(low, high, _LEFT, width - _RIGHT, axes.log)
    return x, Scale(0, 1, height - _BOTTOM, _TOP)


def shown_to(curves: Sequence[Curve]) -> float:
    """Where a linear axis ends: 99.9 % of each set's rows are shown, to the next round value."""
    end = max(1.0, *(c.reaches(0.999) for c in curves))
    ticks = Scale(0, end, 0, 1).ticks()
    step = ticks[1] - ticks[0] if len(ticks) > 1 else end
    return float(step * np.ceil(end / step))


def _horizontal(x: Scale, y: Scale, axes: Axes) -> Html:
    bottom = float(y(0.0))
    most = 8 if x.stop > NARROW else 5
    marks = []
    for value in x.ticks(most):
        at = float(x(value))
        marks.append(el("line", x1=at, x2=at, y1=bottom, y2=bottom + 5, class_="axis"))
        label = tick_label(value)
        marks.append(el("text", label, x=at, y=bottom + 19, text_anchor="middle", class_="tick"))
    marks += [_minor(float(x(value)), bottom) for value in x.minor()]
    base = el("line", x1=x.start, x2=x.stop, y1=bottom, y2=bottom, class_="axis")
    end = float(x.stop)
    name = el("text", axes.x, x=end, y=bottom + 38, text_anchor="end", class_="name")
    return join(base, *marks, name)


def _minor(at: float, bottom: float) -> Html:
    return el("line", x1=at, x2=at, y1=bottom, y2=bottom + 3, class_="axis")


def _vertical(x: Scale, y: Scale, axes: Axes) -> Html:
    marks = []
    for value in (0.25, 0.5, 0.75, 1.0):
        at = float(y(value))
        marks.append(el("line", x1=x.start, x2=x.stop, y1=at, y2=at, class_="grid"))
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        at, label = float(y(value)) + 4, f"{value:.0%}".replace("%", " %")
        marks.append(el("text", label, x=x.start - 6, y=at, text_anchor="end", class_="tick"))
    return join(*marks, el("text", axes.y, x=2, y=14, class_="name"))


def _lines(x: Scale, y: Scale, curves: Sequence[Curve]) -> list[Html]:
    """The first below the others: where curves coincide, it is wider and shows on both sides."""
    drawn = []
    for i, curve in enumerate(curves):
        above = sum(same(curve, later) for later in curves[i + 1 :])
        weight = 2.2 + 2.2 * min(above, 3)
        path = _path(x, y, curve)
        drawn.append(el("path", d=path, class_=f"line s{line(curve.number)}", stroke_width=weight))
    return drawn


def _path(x: Scale, y: Scale, curve: Curve) -> str:
    """Steps where every value is drawn, else lines through points that are even in px."""
    inside = curve.x <= x.high
    px, py = x(curve.x[inside]), y(curve.y[inside])
    if not len(px):
        return f"M{x.start:.1f} {float(y(0.0)):.1f}H{x.stop:.1f}"
    if len(px) > _STEPS:
        wanted = np.searchsorted(px, np.linspace(px[0], px[-1], _POINTS))
        kept = np.unique(np.append(wanted, len(px) - 1))
        points = [f"{a:.1f} {b:.1f}" for a, b in zip(px[kept], py[kept], strict=True)]
        end = "" if x.log else f"H{x.stop:.1f}"
        return f"M{'L'.join(points)}{end}"
    steps = "".join(f"H{a:.1f}V{b:.1f}" for a, b in zip(px, py, strict=True))
    return f"M{x.start:.1f} {float(y(0.0)):.1f}{steps}H{x.stop:.1f}"


def _labels(x: Scale, y: Scale, curves: Sequence[Curve], width: int) -> Html:
    """A label beside each line: right of a cumulative curve there is always room."""
    right = width - _RIGHT
    most = right - min(230.0, 0.52 * (right - x.start))  # where a label begins at the latest
    lowest = y.start - 14 - _STEP * (len(curves) - 1)
    top = min(lowest, max(float(y(0.55)), *(_height(x, y, c, most - 24) + 12 for c in curves)))
    beside = max(_place(x, y, c, top - 10) for c in curves)
    left = min(beside + 24, most)
    return join(*(_label(x, y, c, (left, top + i * _STEP), right) for i, c in enumerate(curves)))


def _place(x: Scale, y: Scale, curve: Curve, height: float) -> float:
    """Where a curve reaches a height, both in px."""
    share = (y.start - height) / (y.start - y.stop)
    return float(x(min(curve.reaches(share), x.high)))


def _height(x: Scale, y: Scale, curve: Curve, place: float) -> float:
    """How high a curve is at a place, both in px."""
    part = (place - x.start) / (x.stop - x.start)
    value = x.low * (x.high / x.low) ** part if x.log else x.low + part * (x.high - x.low)
    return float(y(curve.at(value)))


def _label(x: Scale, y: Scale, curve: Curve, at: tuple[float, float], right: float) -> Html:
    left, top = at
    point = _place(x, y, curve, top)
    label = fit(f"{curve.number}  {shown(curve.name, 80)}", right - left - 32, _FONT)
    style = line(curve.number)
    leader = None
    if point < left - 8:
        leader = el("line", x1=point, x2=left - 4, y1=top, y2=top, class_="leader")
    return join(
        leader,
        el("circle", cx=point, cy=top, r=3.2, class_=f"f{style}") if leader else None,
        el("rect", x=left - 3, y=top - 9, width=right - left + 3, height=18, class_="behind"),
        el("line", x1=left, x2=left + 26, y1=top, y2=top, class_=f"line s{style}", stroke_width=3),
        el("text", label, x=left + 32, y=top + 4.5, class_="label"),
    )


def head_share(curves: Sequence[Curve], rank: int) -> str:
    """`47.1 %`, or `47.1–48.0 %` where the sets differ: what the commonest pieces make up."""
    low, high = (pick(c.at(rank) for c in curves) for pick in (min, max))
    first, last = percent(low), percent(high)
    return last if first == last else f"{first[:-2]}–{last}"
