# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture over what a camera sees, under the outlines: drawn, and nothing of it in the file that is open."""

import bpy
import gpu
import numpy as np

from ..pictures.pixels import ImagePixels, upload
from ..runtime.windows import window_manager
from .gpu_drawing import Rectangle
from .primitives import picture
from .sheet_layout import Bounds, Part

OPACITY = "maquette_live_opacity"  # of it, the artist's choice, on the window manager


class Backdrop:
    """A picture of a scene as a camera of it saw that, both by their session ids."""

    def __init__(self, scene: int, camera: int, pixels: ImagePixels) -> None:
        self.scene, self.camera = scene, camera
        self._pixels: ImagePixels | None = pixels
        self._texture: gpu.types.GPUTexture | None = None

    def draw(self, frame: Rectangle) -> None:
        """Over the frame of a view that looks through the camera."""
        if self._pixels is not None:  # only while something is drawn is there a graphics context
            self._texture, self._pixels = upload(self._pixels), None
        if self._texture is None:
            return
        left, top, right, bottom = frame
        gpu.state.blend_set("ALPHA")
        picture(self._texture, Part(Bounds(left, bottom, right, top), 0.0, 1.0), opacity(window_manager()))
        gpu.state.blend_set("NONE")


def prepare() -> None:
    """Draw one that nobody sees: what a graphics card first has to be told of such pictures, without one 40 ms, is done
    then. To be called while something is drawn."""
    blank = Backdrop(0, 0, np.zeros((1, 1, 4), np.float32))
    blank.draw((0.0, 0.0, 0.0, 0.0))


def opacity(manager: bpy.types.WindowManager) -> float:
    """How much of the scene the artist wants hidden, 0..1."""
    amount: float = getattr(manager, OPACITY)
    return amount
