# SPDX-License-Identifier: MIT
"""An engine for tests of the add-on: paints every region's mask in a colour of its own, slowly enough to be watched.

$PAINTER_ASTRAY pixels to the right of where it belongs, and what is called a ghost not at all; it says so, too.
"""

import io
import os
import time
import zlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

from addon.protocol.answers import Achieved, ModelInfo
from addon.protocol.blockout import MASK_SIDE, Blockout, Precision, Region, pack_mask, unpack_mask
from server.adapters import PLAIN, Setup
from server.problems import OutOfMemory
from server.worker.engine import Painting, Progress
from server.worker.png_files import crop, sketch

MEMORY = 50_000  # pixels of an enormous picture
COLOURS = ((214, 74, 60), (58, 110, 190), (236, 190, 70), (90, 160, 90))
ASTRAY = int(os.environ.get("PAINTER_ASTRAY", "0"))
STEP_SECONDS = float(os.environ.get("PAINTER_STEP_SECONDS", "0.02"))


class Painter:
    """Flat colours on a pale sky; the seed tints it, and that of a variation, so that two seeds give two pictures."""

    device = "flat colours"

    def precision(self, model: ModelInfo) -> Precision:
        """Whole numbers, to be exact."""
        return "float32"

    def load(self, model: ModelInfo, setup: Setup = PLAIN) -> None:
        """Nothing to load."""

    def unload(self) -> None:
        """There is nothing to give back."""

    def paint(
        self, blockout: Blockout, report, reference: bytes | None = None, collage: Sequence[bytes] = ()
    ) -> Painting:
        """Regions from the farthest to the nearest, a step each report."""
        tint = zlib.crc32(str(blockout.seed).encode()) % 40
        varied = blockout.variation_seed % 50 if blockout.variation else 0
        picture = Image.new("RGB", (blockout.width, blockout.height), (180 + tint, 205 - varied, 225))
        shapes = {region.name: astray(region, blockout) for region in blockout.regions}
        for region in sorted(blockout.regions, key=lambda region: -region.depth):
            picture.paste(COLOURS[region.depth % len(COLOURS)], mask=shapes[region.name])
        achieved = tuple(measured(region.name, shapes[region.name], blockout) for region in blockout.regions)
        if "enormous" in blockout.prompt and blockout.width * blockout.height > MEMORY:
            raise OutOfMemory(f"A picture of {blockout.width} x {blockout.height} pixels does not fit")
        if "cursed" in blockout.prompt:
            raise ZeroDivisionError("as asked")
        noise = Image.effect_noise(picture.size, 90).convert("RGB")
        for step in range(1, blockout.steps + 1):
            time.sleep(STEP_SECONDS)
            so_far = Image.blend(noise, picture, step / blockout.steps)
            report(Progress(step, (), lambda so_far=so_far: sketch(so_far, blockout.frame)))
        return Painting(picture=_png(crop(picture, blockout.frame)), full=_png(picture), achieved=achieved)


def astray(region: Region, blockout: Blockout) -> Image.Image:
    """The region's mask at the picture's size, moved; nothing of a ghost."""
    mask = Image.frombytes("L", (region.mask.width, region.mask.height), unpack_mask(region.mask))
    moved = Image.new("L", (blockout.width, blockout.height))
    if "ghost" not in region.phrase:
        moved.paste(mask.resize(moved.size), (ASTRAY, 0))
    return moved


def measured(name: str, shape: Image.Image, blockout: Blockout) -> Achieved:
    """What a Judge without fault would say of it."""
    inside = np.asarray(crop(shape, blockout.frame)) > 127
    if not inside.any():
        return Achieved(name=name, by="judge", mask=None, centroid=None, size=0.0)
    rows, columns = inside.nonzero()
    centroid = ((columns.mean() + 0.5) / inside.shape[1], (rows.mean() + 0.5) / inside.shape[0])
    small = shape.copy()
    small.thumbnail((MASK_SIDE, MASK_SIDE))  # no mask is larger
    mask = pack_mask(*small.size, small.tobytes())
    return Achieved(name=name, by="judge", mask=mask, centroid=centroid, size=float(inside.mean()))


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
