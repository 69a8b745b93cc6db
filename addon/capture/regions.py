# SPDX-License-Identifier: GPL-3.0-or-later
"""From a camera's view and marked triangles to the regions of a blockout. numpy, no bpy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..camera.view import View
from ..cooperative import Slices, finish
from ..messages.errors import RegionBare, RegionBehind, RegionClipped, RegionHidden, RegionOutside, RegionTooSmall
from ..messages.region_sentences import bare_words
from ..protocol.blockout import Region, pack_mask
from ..raster.frustum import FARTHEST
from ..raster.lens import Lens
from ..raster.rasterise import Raster, coverage, depths, rasterising
from ..raster.triangles import PIECE, Floats, Triangles, some_of
from ..request.phrases import Mark
from .canvas import Canvas, mask_size, overscan

Covers = NDArray[np.float32]

SUPERSAMPLING = 2
STAGGER = 0.25  # of a sample: a cell's four samples then lie in four columns
NEAREST = 1e-3  # of Clip Start, where what is nearer is looked for
SMALLEST = 0.01  # of the frame; under it a region is smaller than the attention cells that should draw it


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
    rendered = yield from _rendered(triangles, len(marks))
    order = yield from _nearest_first(raster, len(marks))
    visible = []
    for index, mark in enumerate(marks):
        yield
        if not rendered[index] and (exact is None or not exact[index].any()):
            raise _unseen(mark, exact is not None)
        if not raster.footprint[index].any() and (exact is None or not exact[index].any()):
            yield from _check_depths(mark, triangles, index, lens, mask_size(canvas))
        hits = raster.owners == index if exact is None else exact[index]
        cover = coverage(hits, SUPERSAMPLING) if exact is None else np.rint(hits * 255.0).astype(np.uint8)
        visible.append(_region(mark, order[index], raster.footprint[index], hits, cover, canvas))
    return tuple(visible)


def _unseen(mark: Mark, exact: bool) -> RegionHidden:
    if not mark.hidden:
        message, fix = bare_words(mark.name, mark.kind, exact)
        return RegionBare(message, fix, mark.phrase)
    fix = "Show it, or leave it out of the picture."
    return RegionHidden(f"{mark.name} is hidden {mark.hidden}.", fix, mark.phrase)


def _check_depths(mark: Mark, triangles: Triangles, index: int, lens: Lens, size: tuple[int, int]) -> Slices[None]:
    """Raise RegionClipped for what would be in a picture of that ``size``, were it not for its distance."""
    own = yield from some_of(triangles, np.flatnonzero(triangles.owners == index))
    for where, plane, near, far in (
        ("farther", f"Clip End, {lens.far:g}", lens.far, FARTHEST),
        ("nearer", f"Clip Start, {lens.near:g}", lens.near * NEAREST, lens.near),
    ):
        band = Lens(lens.projection, near, far)
        raster = yield from rasterising(own, band, *size)
        if raster.nearness.any() or _has_points(own, band):
            fix = "Extend Clip, or leave it out of the picture."
            raise RegionClipped(f"{mark.name} is {where} than the camera sees: its {plane}.", fix, mark.phrase)


def _has_points(triangles: Triangles, lens: Lens) -> bool:
    """Whether the lens sees a corner, of triangles that may be too small to cover a pixel."""
    points = triangles.points[np.unique(triangles.corners)]
    clip = np.c_[points, np.ones(len(points))] @ lens.projection.T
    inside = (clip[:, 3] > 0.0) & (np.abs(clip[:, :2]) <= clip[:, 3:]).all(axis=1)
    return bool((inside & (-points[:, 2] > lens.near) & (-points[:, 2] < lens.far)).any())


def _region(
    mark: Mark,
    depth: int,
    footprint: NDArray[np.bool_],
    hits: NDArray[Any],
    cover: NDArray[np.uint8],
    canvas: Canvas,
) -> Region:
    size, centroid = _measure(hits, canvas)
    unoccluded = max(_measure(footprint, canvas)[0], size)  # hair reaches farther than the mesh it grows on
    _check(mark, unoccluded, size)
    height, width = cover.shape
    return Region(
        name=mark.name,
        phrase=mark.phrase,
        mask=pack_mask(width, height, cover.tobytes()),
        centroid=centroid,
        size=size,
        visible=size / unoccluded,
        depth=depth,
        enforce=mark.enforce,
        strength=mark.strength,
        start=mark.start,
        until=mark.until,
        description=mark.description,
        colour=mark.colour,
        unnamed=mark.unnamed,
        look="keep" if mark.keep else "free",
    )


def _check(mark: Mark, unoccluded: float, visible: float) -> None:
    if unoccluded == 0.0:
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


def _rendered(triangles: Triangles, count: int) -> Slices[NDArray[np.bool_]]:
    """Which of the owners 0 .. ``count`` - 1 have a triangle."""
    rendered = np.zeros(count + 1, dtype=bool)  # the last one is that of NOTHING
    for begin in range(0, len(triangles), PIECE):
        rendered[triangles.owners[begin : begin + PIECE]] = True
        yield
    return rendered[:count]


def _nearest_first(raster: Raster, count: int) -> Slices[list[int]]:
    """Each owner's rank in depth order, by the median depth of what is visible."""
    medians = []
    for index in range(count):
        nearness = raster.nearness[raster.owners == index]
        medians.append(_median(depths(nearness)) if len(nearness) else np.inf)
        yield
    ranks = np.empty(count, dtype=np.int64)
    ranks[np.argsort(medians, kind="stable")] = np.arange(count)
    return [int(rank) for rank in ranks]


def _median(values: NDArray[np.float32]) -> float:
    """The middle value, or the mean of the middle two; numpy's own loads a room of numpy's when it is first called."""
    low, high = (len(values) - 1) // 2, len(values) // 2
    return float(np.mean(np.partition(values, (low, high))[low : high + 1]))
