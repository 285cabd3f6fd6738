"""Drawing cumulative distributions of several sets over each other, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from transferset.report.curves import Curve, same
from transferset.report.markup import Html, el, fit_name, join, shown
from transferset.report.markup import width as width_of
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
_MOST_POINTS, _MOST_STEPS = 400, 40


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
    tall, slope = (400, 1.7) if width == WIDE else (340, 2.2)
    height = max(tall, round(slope * _STEP * len(curves)) + 130)  # labels stand below the curves
    plot = _Plot.of(axes, curves, width, height)
    return svg(
        f"{axes.key}-{width}",
        (width, height),
        axes.title,
        describe(axes, curves),
        _horizontal(plot, axes),
        _vertical(plot, axes),
        *_lines(plot, curves),
        _labels(plot, curves),
    )


@dataclass(frozen=True, slots=True)
class _Plot:
    """Both axes, and whether curves are drawn as steps or as lines from value to value."""

    x: Scale
    y: Scale
    steps: bool

    @classmethod
    def of(cls, axes: Axes, curves: Sequence[Curve], width: int, height: int) -> _Plot:
        last = max(c.reaches(1.0) for c in curves)
        low, high = (1.0, max(10.0, last)) if axes.log else (0.0, min(last, shown_to(curves)))
        x = Scale(low, max(1.0, high), _LEFT, width - _RIGHT, axes.log)
        most = max(int(np.sum(c.x <= high)) for c in curves)
        return cls(x, Scale(0, 1, height - _BOTTOM, _TOP), steps=most <= _MOST_STEPS)

    def across(self, curve: Curve, height: float) -> float:
        """Where a curve is at a height, both in px."""
        share = (self.y.start - height) / (self.y.start - self.y.stop)
        if self.steps:
            return float(self.x(min(curve.reaches(share), self.x.high)))
        return min(self.x.stop, float(np.interp(share, curve.y, self.x(curve.x))))

    def up(self, curve: Curve, place: float) -> float:
        """How high a curve is at a place, both in px."""
        part = (place - self.x.start) / (self.x.stop - self.x.start)
        low, high = self.x.low, self.x.high
        return float(self.y(curve.at(low * (high / low) ** part if self.x.log else high * part)))


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
        aria_labelledby=f"{key}-title",
        aria_describedby=f"{key}-desc",
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


def shown_to(curves: Sequence[Curve]) -> float:
    """Where a linear axis ends: 99.9 % of each set's rows are shown, to the next round value."""
    end = max(1.0, *(c.reaches(0.999) for c in curves))
    ticks = Scale(0, end, 0, 1).ticks()
    step = ticks[1] - ticks[0] if len(ticks) > 1 else end
    return float(step * np.ceil(end / step))


def _horizontal(plot: _Plot, axes: Axes) -> Html:
    x, bottom = plot.x, plot.y.start
    marks = []
    for value in x.ticks(8 if x.stop > NARROW else 5):
        at = float(x(value))
        marks.append(el("line", x1=at, x2=at, y1=bottom, y2=bottom + 5, class_="axis"))
        label = tick_label(value)
        marks.append(el("text", label, x=at, y=bottom + 19, text_anchor="middle", class_="tick"))
    for at in map(float, x(np.array(x.minor()))):
        marks.append(el("line", x1=at, x2=at, y1=bottom, y2=bottom + 3, class_="axis"))
    base = el("line", x1=x.start, x2=x.stop, y1=bottom, y2=bottom, class_="axis")
    name = el("text", axes.x, x=x.stop, y=bottom + 38, text_anchor="end", class_="name")
    return join(base, *marks, name)


def _vertical(plot: _Plot, axes: Axes) -> Html:
    x, marks = plot.x, []
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        at = float(plot.y(value))
        if value:
            marks.append(el("line", x1=x.start, x2=x.stop, y1=at, y2=at, class_="grid"))
        label = f"{100 * value:.0f}\u00a0%"
        marks.append(el("text", label, x=x.start - 6, y=at + 4, text_anchor="end", class_="tick"))
    return join(*marks, el("text", axes.y, x=2.0, y=14.0, class_="name"))


def _lines(plot: _Plot, curves: Sequence[Curve]) -> list[Html]:
    """The first below the others: where curves coincide, it is wider and shows on both sides."""
    drawn = []
    for i, curve in enumerate(curves):
        above = sum(same(curve, later) for later in curves[i + 1 :])
        style = f"line s{line(curve.number)}"
        weight = 2.2 + 2.2 * min(above, 3)
        drawn.append(el("path", d=_path(plot, curve), class_=style, stroke_width=weight))
    return drawn


def _path(plot: _Plot, curve: Curve) -> str:
    x, inside = plot.x, curve.x <= plot.x.high
    px, py = x(curve.x[inside]), plot.y(curve.y[inside])
    end = "" if x.log else f"H{x.stop:.1f}"
    if plot.steps or not len(px):
        steps = "".join(f"H{a:.1f}V{b:.1f}" for a, b in zip(px, py, strict=True))
        return f"M{x.start:.1f} {plot.y.start:.1f}{steps}{end}"
    wanted = np.searchsorted(px, np.linspace(px[0], px[-1], _MOST_POINTS))
    kept = np.unique(np.append(wanted, len(px) - 1))
    points = [f"{a:.1f} {b:.1f}" for a, b in zip(px[kept], py[kept], strict=True)]
    return f"M{'L'.join(points)}{end}"


def _labels(plot: _Plot, curves: Sequence[Curve]) -> Html:
    """A label beside each line: right of a cumulative curve there is always room."""
    x, y = plot.x, plot.y
    latest = x.stop - min(230.0, 0.52 * (x.stop - x.start))  # where a label begins at most
    lowest = y.start - 14 - _STEP * (len(curves) - 1)
    free = [plot.up(curve, latest - 24) + 12 for curve in curves]
    top = min(lowest, max(float(y(0.55)), *free))
    left = min(latest, max(plot.across(curve, top - 10) for curve in curves) + 24)
    return join(*(_label(plot, c, left, top + i * _STEP) for i, c in enumerate(curves)))


def _label(plot: _Plot, curve: Curve, left: float, top: float) -> Html:
    point, right = plot.across(curve, top), plot.x.stop
    style = line(curve.number)
    number_, name = f"{curve.number}\u2002", shown(curve.name)
    text = number_ + fit_name(name, right - left - 34 - width_of(number_, _FONT), _FONT)
    leader = None
    if point < left - 8:
        leader = join(
            el("line", x1=point, x2=left - 4, y1=top, y2=top, class_="leader"),
            el("circle", cx=point, cy=top, r=3.2, class_=f"f{style}"),
        )
    return join(
        leader,
        el("rect", x=left - 3, y=top - 9, width=right - left + 3, height=18, class_="behind"),
        el("line", x1=left, x2=left + 26, y1=top, y2=top, class_=f"line s{style}", stroke_width=3),
        el("text", text, x=left + 32, y=top + 4.5, class_="label"),
    )


def head_share(curves: Sequence[Curve], rank: int) -> str:
    """`47.1 %`, or `47.1–48.0 %` where the sets differ: what the commonest pieces make up."""
    low, high = (pick(c.at(rank) for c in curves) for pick in (min, max))
    first, last = percent(low), percent(high)
    return last if first == last else f"{first[:-2]}–{last}"
