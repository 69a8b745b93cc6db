# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a picture develops: the newest preview as an icon for panels and as a texture for Image Editors.

Nothing of it is a data-block or a file: the scene stays as it is until the finished picture is received.
"""

import gpu

from ..session.state import Preview
from .pixels import Icons, Pixels, decoded


class PreviewImage:
    """The one preview that is shown now, if any."""

    def __init__(self) -> None:
        self._icons = Icons()
        self._shown: Preview | None = None
        self._pixels: Pixels | None = None
        self._texture: gpu.types.GPUTexture | None = None

    @property
    def icon(self) -> int:
        """Its number for ``template_icon``; 0 while there is none."""
        return self._icons.find(self._shown.sha256) if self._shown else 0

    @property
    def texture(self) -> gpu.types.GPUTexture | None:
        """It as a texture, made when it is first drawn: only then is there a graphics context."""
        if self._texture is None and self._pixels is not None:
            height, width = self._pixels.shape[:2]
            data = gpu.types.Buffer("FLOAT", self._pixels.size, self._pixels.ravel())
            self._texture = gpu.types.GPUTexture((width, height), format="RGBA16F", data=data)
        return self._texture

    def develop(self, preview: Preview | None) -> None:
        """Show this preview, or none."""
        if preview == self._shown or (preview is not None and not preview.png):
            return
        if self._shown is not None:
            self._icons.drop(self._shown.sha256)
        self._shown, self._pixels, self._texture = preview, None, None
        if preview is not None:
            pixels = decoded(preview.png)
            if pixels.size:
                self._pixels = pixels
                self._icons.put(preview.sha256, pixels)

    def close(self) -> None:
        """Show nothing any more."""
        self._shown = self._pixels = self._texture = None
        self._icons.close()
