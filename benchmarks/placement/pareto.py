# SPDX-License-Identifier: MIT
"""What obedience costs: every method as a point, mean IoU over floating-point operations, and the Pareto front."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from PIL import Image, ImageDraw

from benchmarks.placement.figures import Picture, chosen, costs, iou, main_pictures
from benchmarks.sheet import INK, PAPER, font

SIZE = (1100, 700)
MARGINS = (80, 30, 40, 70)  # left, right, top, bottom
COLOURS = MappingProxyType({"ours": (214, 69, 52), "control": (120, 120, 128), "peer": (52, 105, 190)})
OTHER = (150, 120, 60)
RADIUS = 6
FAINT = (222, 220, 214)
TICKS = (0.1, 0.2, 0.3, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)  # of the cost, which is logarithmic
PixelBox = tuple[float, float, float, float]


@dataclass(frozen=True)
class CostPoint:
    """A method in so many steps: mean IoU of the four kinds of masks, and cost over an unguided picture's of 30."""

    method: str
    group: str
    steps: int
    cost: float
    iou: float

    @property
    def label(self) -> str:
        """What stands beside it."""
        return f"{self.method}, {self.steps}"


def cost_points(all_: Sequence[Picture]) -> list[CostPoint]:
    """Every method and number of steps whose operations were counted."""
    points = []
    for steps in sorted({picture.steps for picture in all_}):
        main, cost = main_pictures(all_, steps), costs(all_, steps)
        groups = {picture.method: picture.group for picture in main}
        points += [
            CostPoint(name, group, steps, cost[name], iou(chosen(main, method=name)))
            for name, group in groups.items()
            if name in cost
        ]
    return points


def front(points: Sequence[CostPoint]) -> list[CostPoint]:
    """Those that no other point betters at equal or lower cost, from cheap to dear."""
    best: list[CostPoint] = []
    for point in sorted(points, key=lambda point: (point.cost, -point.iou)):
        if not best or point.iou > best[-1].iou:
            best.append(point)
    return best


def chart(points: Sequence[CostPoint]) -> Image.Image:
    """All points with their names, cost to the right on a logarithmic axis, IoU upwards, the front as steps.

    Raises:
        ValueError: There is none.
    """
    if not points:
        raise ValueError("No method has a cost: count floating-point operations of at least one case.")
    axes = _Axes.around(points)
    sheet = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(sheet)
    _grid(pen, axes)
    steps = _steps(front(points), axes)
    pen.line(steps, fill=INK, width=2)
    marks = [(axes.x(point.cost), axes.y(point.iou)) for point in points]
    taken = [_around(mark, mark) for mark in marks] + [_around(*ends) for ends in pairwise(steps)]
    for point, (x, y) in zip(points, marks, strict=True):
        colour = COLOURS.get(point.group, OTHER)
        pen.ellipse((x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS), fill=colour, outline=INK)
        _label(pen, point.label, (x, y), colour, taken)
    return sheet


@dataclass(frozen=True)
class _Axes:
    """From costs and IoU to pixels."""

    cheapest: float
    dearest: float
    top: float

    @classmethod
    def around(cls, points: Sequence[CostPoint]) -> "_Axes":
        costs_ = [point.cost for point in points]
        top = math.ceil(max(point.iou for point in points) * 10 + 0.2) / 10
        return cls(min(costs_) / 1.3, max(costs_) * 1.6, top)

    def x(self, cost: float) -> float:
        left, right = MARGINS[0], SIZE[0] - MARGINS[1]
        return left + (right - left) * math.log(cost / self.cheapest) / math.log(self.dearest / self.cheapest)

    def y(self, value: float) -> float:
        top, bottom = MARGINS[2], SIZE[1] - MARGINS[3]
        return bottom - (bottom - top) * value / self.top


def _steps(best: Sequence[CostPoint], axes: _Axes) -> list[tuple[float, float]]:
    """The corners of the front: across at what a cheaper point reaches, then up to the next."""
    corners = [(axes.x(best[0].cost), axes.y(best[0].iou))]
    for point in best[1:]:
        corners += [(axes.x(point.cost), corners[-1][1]), (axes.x(point.cost), axes.y(point.iou))]
    return corners


def _grid(pen: ImageDraw.ImageDraw, axes: _Axes) -> None:
    """Lines at round values, their numbers, and what the axes mean."""
    left, right, top, bottom = MARGINS[0], SIZE[0] - MARGINS[1], MARGINS[2], SIZE[1] - MARGINS[3]
    for tenth in range(round(axes.top * 10) + 1):
        y = axes.y(tenth / 10)
        pen.line((left, y, right, y), fill=FAINT)
        pen.text((left - 8, y), f"{tenth / 10:.1f}", fill=INK, font=font(15), anchor="rm")
    for tick in TICKS:
        if axes.cheapest <= tick <= axes.dearest:
            x = axes.x(tick)
            pen.line((x, top, x, bottom), fill=FAINT)
            pen.text((x, bottom + 8), f"{tick:g}", fill=INK, font=font(15), anchor="ma")
    pen.text((left, 12), "mean IoU with the layout", fill=INK, font=font(16))
    words = "floating-point operations, over those of an unguided picture in 30 steps"
    pen.text(((left + right) / 2, SIZE[1] - 28), words, fill=INK, font=font(16), anchor="ma")


def _label(
    pen: ImageDraw.ImageDraw, words: str, at: tuple[float, float], colour: tuple[int, int, int], taken: list[PixelBox]
) -> None:
    """Words beside a point, where they cover nothing that is there; ``taken`` gains their box."""
    x, y = at
    tried: list[PixelBox] = []
    for distance in range(0, 160, 8):
        for dx, dy, anchor in ((11, 0, "lm"), (-11, 0, "rm"), (0, -11 - distance, "mb"), (0, 11 + distance, "mt")):
            shifted = (x + dx, y + dy + (distance if anchor in ("lm", "rm") else 0))
            box = pen.textbbox(shifted, words, font=font(14), anchor=anchor)
            tried.append(box)
            if _inside(box) and not any(_overlap(box, other) for other in taken):
                pen.text(shifted, words, fill=colour, font=font(14), anchor=anchor)
                taken.append(box)
                return
    pen.text(tried[0][:2], words, fill=colour, font=font(14))
    taken.append(tried[0])


def _around(one: tuple[float, float], other: tuple[float, float]) -> PixelBox:
    (x, y), (u, v) = one, other
    return min(x, u) - RADIUS, min(y, v) - RADIUS, max(x, u) + RADIUS, max(y, v) + RADIUS


def _inside(box: PixelBox) -> bool:
    return MARGINS[0] <= box[0] and box[2] <= SIZE[0] and box[1] >= 0 and box[3] <= SIZE[1] - MARGINS[3]


def _overlap(one: PixelBox, other: PixelBox) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
