# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of the history on the graphics card, by name: read one at a time, and nothing of them in the open file."""

from collections.abc import Sequence
from pathlib import Path

import gpu

from . import history
from .pixels import ImagePixels, shrunk, upload


class Textures:
    """The pictures that are looked at now, none with a side longer than ``side`` pixels."""

    def __init__(self, folder: Path, side: int) -> None:
        self.folder = folder
        self._side = side
        self._pixels: dict[str, ImagePixels] = {}  # until they are drawn: only then is there a graphics context
        self._textures: dict[str, gpu.types.GPUTexture] = {}
        self._aspects: dict[str, float] = {}

    def tick(self, names: Sequence[str]) -> bool:
        """Read one of the pictures that are wanted, and let go of those that are not; whether one was read."""
        for name in self._aspects.keys() - set(names):
            del self._aspects[name]
            self._pixels.pop(name, None)
            self._textures.pop(name, None)
        missing = next((name for name in names if name not in self._aspects), None)
        if missing is None:
            return False
        picture = history.picture(self.folder, missing)
        pixels = shrunk(picture, self._side) if picture is not None else None
        self._aspects[missing] = 0.0
        if pixels is not None and pixels.size:
            self._aspects[missing] = pixels.shape[1] / pixels.shape[0]
            self._pixels[missing] = pixels
        return True

    def aspect(self, name: str) -> float | None:
        """Width over height; 0 of a picture that cannot be read, None of one that is still to be."""
        return self._aspects.get(name)

    def find(self, name: str) -> gpu.types.GPUTexture | None:
        """The picture, to be drawn now; None where there is nothing to draw."""
        if name in self._pixels:
            self._textures[name] = upload(self._pixels.pop(name))
        return self._textures.get(name)
