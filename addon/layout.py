# SPDX-License-Identifier: GPL-3.0-or-later
"""From a camera's view and marked triangles to the regions of a blockout. numpy, no bpy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, gcd, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .contract import MASK_SIDE, SIDES, Frame, ModelInfo, Region, pack_mask
from .faults import (
    FrameTooLong,
    RegionBare,
    RegionBehind,
    RegionHidden,
    RegionOutside,
    RegionTooSmall,
)
from .phrases import Mark
from .raster import Floats, Lens, Raster, coverage, rasterising
from .slices import Slices, finish
from .triangles import Triangles

Covers = NDArray[np.float32]

SUPERSAMPLING = 2
STAGGER = 0.25  # of a sample: a cell's four samples then lie in four columns
SMALLEST = 0.01  # of the frame; under it a region is smaller than the attention cells that should draw it


@dataclass(frozen=True)
class Canvas:
    """The picture to generate, in pixels, and the artist's frame inside it."""

    width: int
    height: int
    frame: Frame


@dataclass(frozen=True, eq=False)
class View:
    """What a camera sees: ``pose`` (4, 4) takes the world to camera space, ``lens`` that to the artist's frame."""

    pose: Floats
    lens: Lens
    aspect: float  # width over height of the rendered picture, pixel aspect included


def canvas(aspect: float, model: ModelInfo) -> Canvas:
    """The model's native area at ``aspect``, sides rounded up to its multiple; the frame lies in the middle.

    The frame's own sides are the nearest whole pixels. The frustum maps exactly onto it, x and y each by its own scale,
    so that rounding bends the aspect by under half a pixel and misplaces nothing. Raises FrameTooLong.
    """
    width = max(1, round(sqrt(model.area * aspect)))
    height = max(1, round(sqrt(model.area / aspect)))
    full_width, full_height = (ceil(side / model.multiple) * model.multiple for side in (width, height))
    if max(full_width, full_height) > SIDES[1]:
        raise _too_long(full_width, full_height)
    frame = Frame(left=(full_width - width) // 2, top=(full_height - height) // 2, width=width, height=height)
    return Canvas(full_width, full_height, frame)


def overscan(lens: Lens, canvas: Canvas) -> Lens:
    """The lens of the whole picture, whose part inside ``canvas.frame`` is what ``lens`` sees."""
    frame = canvas.frame
    widen = np.eye(4)
    widen[0, 0], widen[1, 1] = frame.width / canvas.width, frame.height / canvas.height
    widen[0, 3] = (2 * frame.left + frame.width) / canvas.width - 1.0
    widen[1, 3] = 1.0 - (2 * frame.top + frame.height) / canvas.height
    return Lens(widen @ lens.projection, lens.near, lens.far)


def mask_size(canvas: Canvas) -> tuple[int, int]:
    """The largest grid of the picture's very aspect that a mask may have. Raises FrameTooLong where none is."""
    shared = gcd(canvas.width, canvas.height)
    width, height = canvas.width // shared, canvas.height // shared
    times = MASK_SIDE // max(width, height)
    if times == 0:
        raise _too_long(canvas.width, canvas.height)
    return width * times, height * times


def _too_long(width: int, height: int) -> FrameTooLong:
    return FrameTooLong(
        f"The camera's frame asks for a picture of {width} x {height} pixels, which is too long for a blockout.",
        "Choose a squarer resolution in the Output properties.",
    )


def scaled(model: ModelInfo, percent: int) -> ModelInfo:
    """The model, asked for pictures whose sides are ``percent`` of its own."""
    return replace(model, area=max(1, round(model.area * (percent / 100) ** 2)))


def regions(
    marks: Sequence[Mark],
    triangles: Triangles,
    view: View,
    canvas: Canvas,
    exact: Covers | None = None,
) -> tuple[Region, ...]:
    """The visible part of each mark's triangles, as regions of ``canvas``, in the order of ``marks``.

    The owners of ``triangles`` index ``marks``, NOTHING for what only hides.
    ``exact``, (marks, height, width) in 0..1 on the mask's grid, is what a render shows of each, where that is known.
    Raises RegionHidden and RegionTooSmall.
    """
    return finish(outlining(marks, triangles, view, canvas, exact))


def outlining(
    marks: Sequence[Mark],
    triangles: Triangles,
    view: View,
    canvas: Canvas,
    exact: Covers | None = None,
) -> Slices[tuple[Region, ...]]:
    """``regions`` in slices of a few milliseconds; the arrays must stay as they are until its end."""
    width, height = (side * SUPERSAMPLING for side in mask_size(canvas))
    lens = overscan(view.lens, canvas)
    raster = yield from rasterising(triangles, lens, width, height, len(marks), STAGGER)
    yield
    rendered = set(np.unique(triangles.owners).tolist())
    order = _nearest_first(raster, len(marks))
    found = []
    for index, mark in enumerate(marks):
        yield
        if index not in rendered and (exact is None or not exact[index].any()):
            raise _unseen(mark)
        shown = raster.owners == index if exact is None else exact[index]
        cover = coverage(shown, SUPERSAMPLING) if exact is None else np.rint(shown * 255.0).astype(np.uint8)
        found.append(_region(mark, order[index], raster.footprint[index], shown, cover, canvas))
    return tuple(found)


def _unseen(mark: Mark) -> RegionHidden:
    if not mark.hidden:
        fix = "Give it faces, turn Exact on if it is hair or a volume, or leave it out of the picture."
        return RegionBare(f"The view has no surface of {mark.name}.", fix, mark.phrase)
    fix = "Show it, or leave it out of the picture."
    return RegionHidden(f"{mark.name} is hidden {mark.hidden}.", fix, mark.phrase)


def _region(
    mark: Mark,
    depth: int,
    footprint: NDArray[np.bool_],
    shown: NDArray[Any],
    cover: NDArray[np.uint8],
    canvas: Canvas,
) -> Region:
    size, centroid = _measure(shown, canvas)
    whole = max(_measure(footprint, canvas)[0], size)  # hair reaches farther than the mesh it grows on
    _check(mark, whole, size)
    height, width = cover.shape
    return Region(
        name=mark.name,
        phrase=mark.phrase,
        mask=pack_mask(width, height, cover.tobytes()),
        centroid=centroid,
        size=size,
        visible=size / whole,
        depth=depth,
        enforce=mark.enforce,
    )


def _check(mark: Mark, whole: float, visible: float) -> None:
    if whole == 0.0:
        raise RegionOutside(
            f"{mark.name} is outside the camera's frame.", "Bring it in, or leave it out of the picture.", mark.phrase
        )
    if visible == 0.0:
        raise RegionBehind(
            f"{mark.name} is hidden behind other things.",
            "Move it or what hides it, or leave it out of the picture.",
            mark.phrase,
        )
    if visible < SMALLEST:
        raise RegionTooSmall(
            f"Only {visible:.1%} of the frame shows {mark.name}; a region needs {SMALLEST:.0%}.",
            "Move it closer, make it larger, or leave it out of the picture.",
            mark.phrase,
        )


def _measure(hits: NDArray[Any], canvas: Canvas) -> tuple[float, tuple[float, float]]:
    """Area, as a fraction of the artist's frame, and centroid in it, of the part of ``hits`` inside the frame.

    ``hits`` (height, width) are samples, or coverage 0..1.
    """
    height, width = hits.shape
    frame = canvas.frame
    across, x = _share(width, frame.left / canvas.width, frame.width / canvas.width)
    down, y = _share(height, frame.top / canvas.height, frame.height / canvas.height)
    columns, rows = (down @ hits) * across, (hits @ across) * down
    area = float(columns.sum())
    if area == 0.0:
        return 0.0, (0.0, 0.0)
    return min(area, 1.0), (float(columns @ x) / area, float(rows @ y) / area)


def _share(number: int, start: float, length: float) -> tuple[Floats, Floats]:
    """Of ``number`` cells along a side: the share of the frame each covers, and the middle of that share in the frame.

    The frame's edges may cut through cells.
    """
    edges = np.clip((np.arange(number + 1) / number - start) / length, 0.0, 1.0)
    return np.diff(edges), (edges[1:] + edges[:-1]) / 2


def _nearest_first(raster: Raster, count: int) -> list[int]:
    """Each owner's place in depth order, by the median depth of what is visible."""
    seen = [raster.depth[raster.owners == index] for index in range(count)]
    medians = [float(np.median(depths)) if len(depths) else np.inf for depths in seen]
    places = np.empty(count, dtype=np.int64)
    places[np.argsort(medians, kind="stable")] = np.arange(count)
    return [int(place) for place in places]
