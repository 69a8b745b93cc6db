# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot of the scene, and how it becomes a blockout. No bpy: the scene may change, or close, meanwhile."""

from dataclasses import dataclass

from ..camera.view import View
from ..cooperative import Slices
from ..protocol.records import Blockout, ModelInfo
from ..raster.instances import MeshInstance, camera_triangles
from ..request.phrases import Mark
from .canvas import Canvas
from .regions import Covers, outlining

MASKS_UNTIL = 0.7  # fraction of the steps; with Toybox 0.67 IoU at 8 steps instead of 0.45 without masks


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """Everything that a blockout is made of, as it was when Generate was pressed.

    ``marks`` have their phrases as the prompt spells them; the owners of ``parts`` index them, NOTHING for what only
    hides. ``exact`` is what a render shows of each mark, where that is known.
    """

    prompt: str
    marks: tuple[Mark, ...]
    parts: tuple[MeshInstance, ...]
    view: View
    canvas: Canvas
    model: ModelInfo
    seed: int
    steps: int
    strength: float
    scale: float
    negative: str = ""
    masks_until: float = MASKS_UNTIL
    exact: Covers | None = None


def develop(shot: Snapshot) -> Slices[Blockout]:
    """The request for the picture, in slices of a few milliseconds. Raises RegionHidden and RegionTooSmall."""
    triangles = yield from camera_triangles(shot.parts, shot.view.pose)
    regions = yield from outlining(shot.marks, triangles, shot.view, shot.canvas, shot.exact)
    return Blockout(
        prompt=shot.prompt,
        regions=regions,
        width=shot.canvas.width,
        height=shot.canvas.height,
        frame=shot.canvas.frame,
        seed=shot.seed,
        model=shot.model.name,
        steps=shot.steps,
        strength=shot.strength,
        scale=shot.scale,
        negative=shot.negative,
        masks_until=shot.masks_until,
    )
