# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures as pixels and as icons, without a trace in the file that is open."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeAlias

import bpy
import gpu
import numpy as np
from bpy.utils import previews
from numpy.typing import NDArray

from ..compat import draws_linear
from ..protocol.png import plain
from .png_pixels import unfiltered

ONE_PIXEL = bytes.fromhex(  # a PNG file of one pixel
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de00"
    "00000c4944415478da63f8ffff3f0005fe02fe331295140000000049454e44ae426082"
)
_SCREEN = np.linspace(0.0, 1.0, 256, dtype=np.float32)
LIGHT = np.where(_SCREEN <= 0.04045, _SCREEN / 12.92, ((_SCREEN + 0.055) / 1.055) ** 2.4).astype(np.float32)  # of sRGB
LINEAR_FILES = (b"\x76\x2f\x31\x01", b"#?RADIANCE", b"#?RGBE")  # OpenEXR, Radiance HDR
LINEAR_TOE = 0.0031308  # of sRGB, in linear light
# (height, width, 4), rows from the bottom as Blender has them, 0..1, as shown on screen
ImagePixels: TypeAlias = NDArray[np.float32]


def shrunk(picture: Path, side: int) -> ImagePixels:
    """The pixels of an image file with its longer side at most ``side``; (0, 0, 4) of one that cannot be read.

    Blender reads and shrinks it, in a blend file of its own that is thrown away at once.
    """
    with _temporary_file() as data:
        image = data.images.load(str(picture))
        width, height = image.size
        scale = side / max(width, height, 1)
        if width and scale < 1.0:
            image.scale(max(1, round(width * scale)), max(1, round(height * scale)))
        return of_image(image)


def decoded(picture: bytes) -> ImagePixels:
    """The pixels of a file's content: without a file, which Blender would map into memory, and which might change.

    A PNG file as our server writes previews is read here. Of every other Blender makes an image first, if only for this
    moment, and has every 3D View drawn again for it.
    """
    if (rows := unfiltered(picture)) is not None:
        opaque = np.ones((*rows.shape[:2], 4), np.float32)
        opaque[..., :3] = rows[::-1] / np.float32(255)
        return opaque
    return _decoded_by_blender(picture)


def _decoded_by_blender(picture: bytes) -> ImagePixels:
    with _temporary_file() as data:
        image = data.images.new("Maquette", 1, 1)
        image.source = "FILE"
        if picture.startswith(LINEAR_FILES):  # which Blender tells by the name of a file, and this has none
            image.colorspace_settings.is_data = True
        image.pack(data=picture, data_len=len(picture))
        return of_image(image)


def encoded(picture: ImagePixels) -> bytes:
    """A PNG file of the pixels, without their alpha, in eight bits."""
    height, width = picture.shape[:2]
    rows = np.rint(picture[::-1, :, :3].clip(0.0, 1.0) * 255.0).astype(np.uint8)
    return plain(width, height, rows.tobytes())


def warm_up() -> None:
    """Have Blender get its readers of image files ready, once: the first picture takes it 50 ms longer than others.

    Where its splash screen was shown they are ready.
    """
    _decoded_by_blender(ONE_PIXEL)


def of_image(image: bpy.types.Image) -> ImagePixels:
    """The pixels of an image; (0, 0, 4) for one that cannot be read.

    Blender has those of a file of more than eight bits as linear light.
    """
    width, height = image.size
    pixels = np.empty((height, width, 4), np.float32)
    if pixels.size:
        buffer: Any = image.pixels  # one number, says its stub
        buffer.foreach_get(pixels.ravel())
    return _on_screen(pixels) if image.is_float else pixels


def _on_screen(light: ImagePixels) -> ImagePixels:
    """Linear light as the screen has it; alpha stays."""
    rgb = light[..., :3].clip(0.0, 1.0)
    light[..., :3] = np.where(rgb <= LINEAR_TOE, rgb * 12.92, 1.055 * rgb ** (1 / 2.4) - 0.055)
    return light


def linear(pixels: ImagePixels) -> ImagePixels:
    """The same in linear light, to eight bits of what the screen has; what is opaque stays so."""
    light: ImagePixels = LIGHT[(pixels.clip(0.0, 1.0) * 255 + 0.5).astype(np.uint8)]
    return light


def upload(pixels: ImagePixels) -> gpu.types.GPUTexture:
    """The pixels on the graphics card; to be called while something is drawn."""
    height, width = pixels.shape[:2]
    if draws_linear():
        pixels = linear(pixels)
    buffer: Callable[..., Any] = gpu.types.Buffer  # their stubs know no arguments
    create: Callable[..., gpu.types.GPUTexture] = gpu.types.GPUTexture
    return create((width, height), format="RGBA16F", data=buffer("FLOAT", pixels.size, pixels.ravel()))


def shortened(pixels: ImagePixels, side: int) -> ImagePixels:
    """Each square of pixels as its mean, so that the longer side has at most ``side``; the last may be left out."""
    step = -(-max(pixels.shape[:2]) // side) or 1
    height, width = (length // step for length in pixels.shape[:2])
    squares = pixels[: height * step, : width * step].reshape(height, step, width, step, 4)
    return pixels if step == 1 else squares.mean(axis=1).mean(axis=2)


def fitted(pixels: ImagePixels, width: int, height: int) -> ImagePixels:
    """The middle of a picture, as large as it fits, at this size: each pixel the mean of what it covers."""
    high, wide = pixels.shape[:2]
    scale = min(wide / width, high / height)
    rows, columns = _shares(high, height, height * scale), _shares(wide, width, width * scale)
    resized: ImagePixels = np.einsum("yh,hwc,xw->yxc", rows, pixels, columns, optimize=True).astype(np.float32)
    return resized


def _shares(number: int, wanted: int, covered: float) -> NDArray[np.float32]:
    """Of ``number`` pixels along a side: the share of each in each of those ``wanted`` over the middle ``covered``."""
    edges = (number - covered) / 2 + np.arange(wanted + 1) * (covered / wanted)
    pixel = np.arange(number)
    shares = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    shares = shares.clip(0.0)
    normalised: NDArray[np.float32] = (shares / shares.sum(1, keepdims=True)).astype(np.float32)
    return normalised


def _temporary_file() -> AbstractContextManager[bpy.types.BlendData]:
    """A blend file in memory, which is thrown away at the end."""
    data: Any = bpy.data.temp_data()  # a context manager too, which its stub does not say
    context: AbstractContextManager[bpy.types.BlendData] = data
    return context


class Icons:
    """Pictures that panels draw, by name. They live beside the file and die with the add-on."""

    def __init__(self) -> None:
        self._icons = previews.new()

    def __contains__(self, name: str) -> bool:
        return name in self._icons

    def put(self, name: str, pixels: ImagePixels) -> None:
        """Draw ``pixels`` under a name that is not in use."""
        icon = self._icons.new(name)
        icon.image_size = pixels.shape[1], pixels.shape[0]
        buffer: Any = icon.image_pixels_float  # one number, says its stub
        buffer.foreach_set(pixels.ravel())

    def put_small(self, name: str, pixels: ImagePixels) -> None:
        """The same for an icon of a button, which Blender before 5.0 keeps beside the large one."""
        self.put(name, pixels)
        icon = self._icons[name]
        icon.icon_size = pixels.shape[1], pixels.shape[0]
        buffer: Any = icon.icon_pixels_float  # one number, says its stub
        buffer.foreach_set(pixels.ravel())

    def load(self, name: str, file: Path) -> None:
        """Draw an image file under a name that is not in use; Blender reads it when it is first drawn."""
        self._icons.load(name, str(file), "IMAGE")

    def find(self, name: str) -> int:
        """Blender's number of an icon; 0, which draws nothing, where there is none."""
        return self._icons[name].icon_id if name in self._icons else 0

    def drop(self, name: str) -> None:
        """Forget an icon, if there is one."""
        if name in self._icons:
            del self._icons[name]

    def names(self) -> Iterator[str]:
        """Every name there is."""
        yield from list(self._icons)

    def close(self) -> None:
        """Forget them all, and the collection they are in."""
        previews.remove(self._icons)
