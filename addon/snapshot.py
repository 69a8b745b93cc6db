# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot of the scene, and how it becomes a blockout. No bpy: the scene may change, or close, meanwhile."""

from dataclasses import dataclass

from .contract import Blockout, ModelInfo
from .layout import Canvas, Mark, View, outlining
from .raster import Floats, Ints
from .slices import Slices


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """Everything that a blockout is made of, as it was when Generate was pressed.

    ``marks`` have their phrases as the prompt spells them; ``triangles`` (n, 3, 3) are in camera space, ``owners`` (n,)
    index the marks, NOTHING for what only hides.
    """

    prompt: str
    marks: tuple[Mark, ...]
    triangles: Floats
    owners: Ints
    view: View
    canvas: Canvas
    model: ModelInfo
    seed: int
    steps: int
    strength: float
    scale: float
    negative: str = ""


def develop(shot: Snapshot) -> Slices[Blockout]:
    """The request for the picture, in slices of a few milliseconds. Raises RegionHidden and RegionTooSmall."""
    regions = yield from outlining(shot.marks, shot.triangles, shot.owners, shot.view, shot.canvas)
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
    )
