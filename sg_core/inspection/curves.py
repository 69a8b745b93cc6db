# SPDX-License-Identifier: MIT
"""Curves over the steps of a run, as SVG that stands in a page by itself."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 400, 190  # of a chart, in units of its own
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 10, 24  # margins
COLOURS = ("#f5b942", "#4cc3f1", "#f472b6", "#86d957", "#fb8f55", "#b39bfa", "#5eead4", "#e2e8f0")
DASHES = ("", "6 3", "2 3")  # of curves beyond as many as there are colours
DECADES = 6.0  # a logarithmic axis shows at most so many


@dataclass(frozen=True)
class Curve:
    """One value a step, None where there is none; ``index`` decides its colour and its dashes."""

    name: str
    values: Sequence[float | None]
    index: int = 0

    @property
    def style(self) -> str:
        """How it is drawn, as SVG attributes."""
        dashes = DASHES[self.index // len(COLOURS) % len(DASHES)]
        return f'stroke="{colour_of(self.index)}" stroke-dasharray="{dashes}"'


def colour_of(index: int) -> str:
    """The colour of that number."""
    return COLOURS[index % len(COLOURS)]


def chart(
    title: str,
    words: str,
    curves: Sequence[Curve],
    *,
    logarithmic: bool = False,
    top: float | None = None,
    mark: float | None = None,
    guided: Sequence[bool] = (),
) -> str:
    """A figure with curves over steps 1, 2, …, and what they mean.

    Args:
        top: the end of the axis; the largest value by default.
        mark: a value with a line across, such as where something counts as met.
        guided: for each step, whether its ground is shaded.
    """
    axis = _axis(curves, logarithmic, top)
    count = max((len(curve.values) for curve in curves), default=1)
    parts = [_ground(guided, count), _ticks(axis, count)]
    if mark is not None:
        parts.append(f'<line class="mark" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{axis.y(mark)}" y2="{axis.y(mark)}"/>')
    parts += [
        f"<g {curve.style}><title>{html.escape(curve.name)}</title>{_line(curve, axis, count)}</g>" for curve in curves
    ]
    legend = "".join(
        f'<span><svg width="22" height="8"><line x1="0" x2="22" y1="4" y2="4" {curve.style}/></svg>'
        f"{html.escape(curve.name)}</span>"
        for curve in curves
    )
    return (
        f'<figure class="chart"><figcaption><b>{html.escape(title)}</b> {html.escape(words)}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(title)}">{"".join(parts)}</svg>'
        f'<div class="legend">{legend}</div></figure>'
    )


@dataclass(frozen=True)
class Axis:
    """From values to heights in a chart; ``low`` and ``high`` are its ends, or their logarithms to base 10."""

    low: float
    high: float
    logarithmic: bool

    def y(self, value: float) -> float:
        """Where a value stands; beyond the ends, at an end."""
        number = math.log10(max(value, 1e-30)) if self.logarithmic else value
        part = (number - self.low) / (self.high - self.low)
        return round(HEIGHT - BOTTOM - min(1.0, max(0.0, part)) * (HEIGHT - BOTTOM - TOP), 1)

    def ticks(self) -> list[float]:
        """The values that are written: the ends and the middle, or every power of ten."""
        if self.logarithmic:
            return [10.0**power for power in range(math.ceil(self.low), math.floor(self.high) + 1)]
        return [self.low, (self.low + self.high) / 2, self.high]


def _axis(curves: Sequence[Curve], logarithmic: bool, top: float | None) -> Axis:
    values = [value for curve in curves for value in curve.values if value is not None and math.isfinite(value)]
    if logarithmic:
        above = [math.log10(value) for value in values if value > 0] or [0.0]
        high = float(math.ceil(max(above) + 1e-9))
        return Axis(max(math.floor(min(above)), high - DECADES), high, True)
    low, high = min([0.0, *values]), max(values, default=1.0) if top is None else top
    return Axis(low, high if high > low else low + 1.0, False)


def _ground(guided: Sequence[bool], count: int) -> str:
    width = (WIDTH - LEFT - RIGHT) / max(1, count)
    boxes = (
        f'<rect class="guided" x="{LEFT + number * width:.1f}" y="{TOP}" width="{width:.1f}" '
        f'height="{HEIGHT - TOP - BOTTOM}"/>'
        for number, pulls in enumerate(guided)
        if pulls
    )
    return "".join(boxes)


def _ticks(axis: Axis, count: int) -> str:
    parts = []
    for value in axis.ticks():
        y = axis.y(value)
        parts.append(f'<line class="tick" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{value:.3g}</text>')
    parts += [
        f'<text x="{_x(step - 1, count)}" y="{HEIGHT - 6}" text-anchor="middle">{step}</text>'
        for step in sorted({1, (count + 1) // 2, count})
    ]
    return "".join(parts)


def _x(number: int, count: int) -> float:
    return round(LEFT + (number + 0.5) * (WIDTH - LEFT - RIGHT) / max(1, count), 1)


def _line(curve: Curve, axis: Axis, count: int) -> str:
    """Its points, joined where one follows another; a dot where one stands alone."""
    runs: list[list[str]] = [[]]
    for number, value in enumerate(curve.values):
        if value is None or not math.isfinite(value) or (axis.logarithmic and value <= 0):
            runs.append([])
            continue
        runs[-1].append(f"{_x(number, count)},{axis.y(value)}")
    drawn = []
    for run in runs:
        if len(run) == 1:
            x, y = run[0].split(",")
            drawn.append(f'<circle cx="{x}" cy="{y}" r="2.5" fill="{colour_of(curve.index)}" stroke="none"/>')
        elif run:
            drawn.append(f'<polyline points="{" ".join(run)}"/>')
    return "".join(drawn)
