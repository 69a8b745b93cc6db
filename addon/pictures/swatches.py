# SPDX-License-Identifier: GPL-3.0-or-later
"""The regions' colours as icons, for the list."""

import numpy as np

from ..regions.palette import COLOURS, Rgb
from .pixels import Icons, ImagePixels

SIDE, CORNER = 32, 7.0  # pixels of an icon, and the radius of its corners


class Swatches:
    """An icon for each colour of the palette, by its index; drawn when it is first asked for."""

    def __init__(self) -> None:
        self._icons = Icons()

    def icon(self, colour: int) -> int:
        """Blender's number of it."""
        if str(colour) not in self._icons:
            self._icons.put_small(str(colour), swatch(COLOURS[colour]))
        return self._icons.find(str(colour))

    def close(self) -> None:
        """Forget them."""
        self._icons.close()


def swatch(colour: Rgb) -> ImagePixels:
    """A square with round corners, as Blender's own coloured icons are."""
    middle = (SIDE - 1) / 2
    away = np.maximum(np.abs(np.arange(SIDE) - middle) - (middle - CORNER - 2.0), 0.0)
    inside = np.clip(CORNER - np.hypot(away[:, None], away[None, :]) + 0.5, 0.0, 1.0)
    pixels = np.empty((SIDE, SIDE, 4), np.float32)
    pixels[..., :3], pixels[..., 3] = colour, inside
    return pixels
