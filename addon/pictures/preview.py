# SPDX-License-Identifier: GPL-3.0-or-later
"""The newest preview of the picture that is being painted: an icon for panels and a texture for Image Editors.

Nothing of it is a data-block or a file: the scene stays as it is until the finished picture is received.
"""

import gpu

from ..session.state import Preview
from .pixels import Icons, ImagePixels, decoded, upload


class PreviewImage:
    """The one preview that is shown now, if any."""

    def __init__(self) -> None:
        self._icons = Icons()
        self._preview: Preview | None = None
        self._pixels: ImagePixels | None = None
        self._texture: gpu.types.GPUTexture | None = None

    @property
    def icon(self) -> int:
        """Its number for ``template_icon``; 0 while there is none."""
        return self._icons.find(self._preview.sha256) if self._preview else 0

    @property
    def texture(self) -> gpu.types.GPUTexture | None:
        """It as a texture, made when it is first drawn: only then is there a graphics context."""
        if self._texture is None and self._pixels is not None:
            self._texture = upload(self._pixels)
        return self._texture

    def show(self, preview: Preview | None) -> None:
        """Show this preview, or none."""
        if preview == self._preview or (preview is not None and not preview.png):
            return
        if self._preview is not None:
            self._icons.drop(self._preview.sha256)
        self._preview, self._pixels, self._texture = preview, None, None
        if preview is not None:
            pixels = decoded(preview.png)
            if pixels.size:
                self._pixels = pixels
                self._icons.put(preview.sha256, pixels)

    def close(self) -> None:
        """Show nothing any more."""
        self._preview = self._pixels = self._texture = None
        self._icons.close()
