# SPDX-License-Identifier: GPL-3.0-or-later
"""The blocking as Blender sees it: a quick render of the scene as it stands."""

from pathlib import Path

import bpy


def blocking_picture(scene: bpy.types.Scene, picture: Path, width: int, samples: int = 16) -> None:
    """Render the scene's camera to ``picture`` (PNG, ``width`` pixels wide) with Cycles on the CPU.

    Renders a copy of the scene, so that its settings stay; the Render Result is overwritten, so keep this away from an
    artist's session.
    """
    copy = scene.copy()
    render = copy.render
    render.engine = "CYCLES"
    copy.cycles.device, copy.cycles.samples, copy.cycles.use_denoising = "CPU", samples, False
    render.use_compositing = render.use_sequencer = render.use_border = False
    height = round(width * render.resolution_y / render.resolution_x)
    render.resolution_x, render.resolution_y = width, height
    render.resolution_percentage = 100
    render.image_settings.file_format, render.filepath = "PNG", str(picture)
    bpy.ops.render.render(write_still=True, scene=copy.name)
    bpy.data.scenes.remove(copy)
