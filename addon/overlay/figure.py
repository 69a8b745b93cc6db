# SPDX-License-Identifier: GPL-3.0-or-later
"""What an overlay draws, as lines and labels in fractions of the artist's frame (x right, y down). numpy, no bpy.

A region has one colour. Its target is a solid outline with a cross at its middle; what the picture shows of it is a
dashed outline with a ring, a line leads from one middle to the other, and the label says how far that is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..capture.masks import framed
from ..cooperative import Slices
from ..protocol.answers import Achieved
from ..protocol.blockout import Blockout, mask_rows
from ..protocol.frame import offset
from ..raster.contours import HARD, SOFT, dashed, outlines, solid
from ..raster.triangles import Floats
from .targets import Target

LEVEL = 127.5
DASH, GAP = 0.016, 0.010  # heights of the frame
ARM, RING = 0.016, 0.011  # of the cross and the ring at a middle
SPECK = 0.03  # of the frame's side; what a network sees in spots that small is no outline
CLOSE = 0.02  # of the frame's diagonal; under it no line is drawn between two middles


@dataclass(frozen=True, eq=False)
class Stroke:
    """Segments (n, 2, 2) of one region, ``width`` in pixels."""

    segments: Floats
    region: int
    width: float


@dataclass(frozen=True)
class Label:
    """The words about a region, their middle at ``position``."""

    text: str
    position: tuple[float, float]
    region: int


@dataclass(frozen=True, eq=False)
class Figure:
    """Everything an overlay draws over one frame. ``colours`` are indices of the palette."""

    colours: tuple[int, ...] = ()
    targets: tuple[Stroke, ...] = ()
    achieved: tuple[Stroke, ...] = ()
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True, eq=False)
class Finding:
    """What the picture shows of a region: its outlines and middle; neither where it shows nothing of it.

    ``target`` is what was asked for; ``offset`` how far off the middle is, as a fraction of the frame's diagonal, and
    ``overlap`` how much the masks have in common; None where it shows nothing. ``size`` is how many times as large as
    asked for it is, of a region whose outline nobody asks for, and None of the others.
    """

    by: str
    lines: tuple[Floats, ...]
    centroid: tuple[float, float] | None
    target: Target
    offset: float | None = None
    overlap: float | None = None
    size: float | None = None


def finding(target: Target, item: Achieved, blockout: Blockout) -> Finding:
    """What the finished picture of a request shows of a region."""
    if item.mask is None or item.centroid is None or target.mask is None or target.centroid is None:
        return Finding(item.by, (), item.centroid, target)
    mask = framed(np.asarray(mask_rows(item.mask)), blockout)
    lines = tuple(line for line in outlines(mask, LEVEL, HARD) if np.ptp(line, axis=0).max() > SPECK)
    away = offset(target.centroid, item.centroid, blockout.frame.width / blockout.frame.height)
    size = None if target.outlined else float((mask > LEVEL).sum() / max(1, (target.mask > LEVEL).sum()))
    return Finding(item.by, lines, item.centroid, target, away, overlap(target.mask, mask), size)


def overlap(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Intersection over union of two masks of 0..255, each cell in or out; 0 where both are empty."""
    first, second = one > LEVEL, other > LEVEL
    return float((first & second).sum() / max(1, (first | second).sum()))


def figure(
    targets: Sequence[Target], by_phrase: Mapping[str, Finding], aspect: float, palette: Mapping[str, int]
) -> Slices[Figure]:
    """Targets, and where a picture has them; a slice a region. ``aspect`` is the frame's width over its height."""
    strokes: list[Stroke] = []
    for index, target in enumerate(targets):
        strokes.extend(_target_strokes(target, index, aspect))
        yield
    pairs = [(target, by_phrase.get(target.phrase.casefold())) for target in targets]
    achieved: list[Stroke] = []
    for index, (target, finding) in enumerate(pairs):
        if finding is not None:
            achieved.extend(_finding_strokes(index, target, finding, aspect))
            yield
    return Figure(
        colours=tuple(palette[target.phrase.casefold()] for target in targets),
        targets=tuple(strokes),
        achieved=tuple(achieved),
        labels=tuple(
            Label(_text(target, finding, aspect), _beneath(target.centroid), index)
            for index, (target, finding) in enumerate(pairs)
            if target.centroid is not None
        ),
    )


def _target_strokes(target: Target, index: int, aspect: float) -> Iterable[Stroke]:
    if target.mask is None or target.centroid is None:
        return
    lines = [solid(line) for line in outlines(target.mask, LEVEL, SOFT)]
    yield Stroke(np.concatenate([*lines, _cross(target.centroid, aspect)]), index, 2.0)


def _finding_strokes(index: int, target: Target, finding: Finding, aspect: float) -> Iterable[Stroke]:
    if finding.centroid is None:
        return
    dashes = [dashed(line, DASH, GAP, aspect) for line in finding.lines]
    yield Stroke(np.concatenate([*dashes, _ring(finding.centroid, aspect)]), index, 1.5)
    if target.centroid is not None and offset(target.centroid, finding.centroid, aspect) > CLOSE:
        yield Stroke(_arrow(finding.centroid, target.centroid, aspect), index, 1.5)


def _beneath(middle: tuple[float, float]) -> tuple[float, float]:
    """Under a middle, and still inside the frame."""
    return middle[0], min(middle[1] + 0.045, 0.97)


def _text(target: Target, finding: Finding | None, aspect: float) -> str:
    if finding is None or target.centroid is None or finding.target.phrase.casefold() != target.phrase.casefold():
        return target.phrase  # a picture of other words says nothing of these
    if finding.centroid is None:
        return f"{target.phrase}: not found in the picture"
    roughly = "about " if finding.by == "attention" else ""
    words = f"{target.phrase}: {roughly}{offset(target.centroid, finding.centroid, aspect):.1%} off"
    return words if finding.size is None else f"{words}, {finding.size:.2g} × its size"


def _cross(middle: tuple[float, float], aspect: float) -> Floats:
    x, y = middle
    across = ARM / aspect
    return np.array([[[x - across, y], [x + across, y]], [[x, y - ARM], [x, y + ARM]]])


def _ring(middle: tuple[float, float], aspect: float) -> Floats:
    turns = np.linspace(0.0, 2.0 * np.pi, 17)
    return solid(np.stack([middle[0] + RING / aspect * np.cos(turns), middle[1] + RING * np.sin(turns)], axis=1))


def _arrow(start: tuple[float, float], end: tuple[float, float], aspect: float) -> Floats:
    """A line with a head at ``end``, from the edge of the ring at ``start``."""
    stretch = np.array([aspect, 1.0])
    tail, tip = np.array(start) * stretch, np.array(end) * stretch
    along = (tip - tail) / np.hypot(*(tip - tail))
    side = np.array([-along[1], along[0]])
    tail = tail + along * RING
    wings = [tip - along * ARM + side * ARM * sign / 2 for sign in (1.0, -1.0)]
    lines: Floats = np.array([[tail, tip], [tip, wings[0]], [tip, wings[1]]]) / stretch
    return lines
