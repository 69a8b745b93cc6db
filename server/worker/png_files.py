# SPDX-License-Identifier: MIT
"""Pictures as PNG files, which carry what they were asked for; and the small ones that are sent meanwhile."""

import io
import json
from collections.abc import Mapping
from typing import Any

from PIL import Image, PngImagePlugin

from addon.protocol.blockout import Blockout, Frame
from addon.protocol.png import BLOCKOUT_KEY, LATENT_KEY, plain
from addon.protocol.strict_json import dump

from ..problems import UnknownReference

PREVIEW_SIDE = 384  # pixels; a panel shows less


def sketch(full: Image.Image, frame: Frame, size: tuple[int, int] | None = None) -> bytes:
    """The artist's part of a picture in the making as a PNG file, small because it is sent so often; and so plain that
    Blender's Python reads it without making an image of it, for which Blender would have every view drawn again.

    ``size`` is what the whole picture comes to have, where it is not there yet: in a first pass it is smaller.
    """
    if size is not None and full.size != size:
        full = full.resize(size)
    small = crop(full, frame)
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    return plain(*small.size, small.convert("RGB").tobytes())


def crop(full: Image.Image, frame: Frame) -> Image.Image:
    """The artist's part of the picture."""
    return full.crop((frame.left, frame.top, frame.left + frame.width, frame.top + frame.height))


def png(image: Image.Image, blockout: Blockout | None = None, latent: str = "") -> bytes:
    """An image as a PNG file; it carries a blockout under BLOCKOUT_KEY, and a latent as text under LATENT_KEY."""
    text, file = PngImagePlugin.PngInfo(), io.BytesIO()
    if blockout is not None:
        text.add_text(BLOCKOUT_KEY, json.dumps(dump(blockout)))
    if latent:
        text.add_text(LATENT_KEY, latent)
    image.save(file, "PNG", pnginfo=text)
    return file.getvalue()


def handed_over(blockout: Blockout, files: Mapping[str, bytes]) -> list[Any]:
    """The PNG files that a request refers to, as the last arguments of an engine's ``paint``; ``files`` are by sha256.

    Raises UnknownReference for one that is not among them.
    """
    if absent := [digest for digest in blockout.pictures if digest not in files]:
        raise UnknownReference(f"The picture {absent[0]} was not handed over", path=blockout.field_of(absent[0]))
    arguments: list[Any] = [] if blockout.reference is None else [files[blockout.reference.picture]]
    if blockout.parts:  # engines of before there were any take none
        arguments = [*(arguments or [None]), [files[part.picture] for part in blockout.parts]]
    return arguments
