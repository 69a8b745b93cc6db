# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot of the scene, and how it becomes a blockout. No bpy: the scene may change, or close, meanwhile."""

from dataclasses import dataclass, replace

import numpy as np

from ..camera.view import View
from ..cooperative import Slices
from ..protocol.answers import ModelInfo
from ..protocol.blockout import Blockout, Mask, pack_mask
from ..raster.frustum import Frustum
from ..raster.instances import MeshInstances, camera_triangles
from ..raster.lens import Lens
from ..raster.rasterise import rasterising
from ..raster.triangles import Triangles
from ..request.phrases import Mark
from ..request.settings import Settings, sent
from .canvas import Canvas, mask_size, overscan
from .regions import Covers, outlining


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """Everything that a blockout is made of, as it was when Generate was pressed.

    ``settings`` are sent as they are, to ``model``; the ``canvas`` alone has the size that they say, so that whoever
    captures again for that model does not apply it twice. ``marks`` have their phrases as the prompt spells them; the
    owners of ``parts`` index them, NOTHING for what only hides. ``exact`` is what a render shows of each mark, where
    that is known.
    """

    settings: Settings
    model: ModelInfo
    marks: tuple[Mark, ...]
    parts: tuple[MeshInstances, ...]
    view: View
    canvas: Canvas
    exact: Covers | None = None


def develop(snapshot: Snapshot) -> Slices[Blockout]:
    """The request for the picture, in slices of a few milliseconds. Raises RegionHidden and RegionTooSmall."""
    canvas, view = snapshot.canvas, snapshot.view
    frustum = Frustum(overscan(view.lens, canvas), *mask_size(canvas), len(snapshot.marks))
    triangles = yield from camera_triangles(snapshot.parts, view.pose, frustum)
    regions = yield from outlining(snapshot.marks, triangles, view, canvas, snapshot.exact)
    fields = sent(snapshot.settings, snapshot.model)
    if snapshot.settings.control is not None:
        depth = yield from depth_mask(triangles, frustum.lens, *mask_size(canvas))
        fields["control"] = replace(snapshot.settings.control, depth=depth)
    return Blockout(regions=regions, width=canvas.width, height=canvas.height, frame=canvas.frame, **fields)


def depth_mask(triangles: Triangles, lens: Lens, width: int, height: int) -> Slices[Mask]:
    """How near everything is, as a ControlNet's depth: regions and what is none, on the grid of their masks."""
    raster = yield from rasterising(triangles, lens, width, height)
    near = raster.nearness
    something = near > 0.0
    low, high = float(near[something].min(initial=np.inf)), float(near.max())
    yield
    shades = np.rint(1.0 + 254.0 * (near - low) / (high - low)) if high > low else np.full(near.shape, 255.0)
    return pack_mask(width, height, np.where(something, shades, 0.0).astype(np.uint8).tobytes())
