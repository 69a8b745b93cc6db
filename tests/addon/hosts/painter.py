# SPDX-License-Identifier: MIT
"""An engine for tests of the add-on: paints every region's mask in a colour of its own, slowly enough to be watched."""

import io
import os
import time
import zlib

from PIL import Image

from addon.contract import Blockout, ModelInfo, unpack_mask
from server.engine import Painting, Progress, crop, sketch

COLOURS = ((214, 74, 60), (58, 110, 190), (236, 190, 70), (90, 160, 90))
STEP_SECONDS = float(os.environ.get("PAINTER_STEP_SECONDS", "0.02"))


class Painter:
    """Flat colours on a pale sky; the seed tints it, so that two seeds give two pictures."""

    device = "flat colours"

    def load(self, model: ModelInfo) -> None:
        """Nothing to load."""

    def paint(self, blockout: Blockout, report) -> Painting:
        """Regions from the farthest to the nearest, a step each report."""
        tint = zlib.crc32(str(blockout.seed).encode()) % 40
        picture = Image.new("RGB", (blockout.width, blockout.height), (180 + tint, 205, 225))
        for region in sorted(blockout.regions, key=lambda region: -region.depth):
            mask = Image.frombytes("L", (region.mask.width, region.mask.height), unpack_mask(region.mask))
            picture.paste(COLOURS[region.depth % len(COLOURS)], mask=mask.resize(picture.size))
        noise = Image.effect_noise(picture.size, 90).convert("RGB")
        for step in range(1, blockout.steps + 1):
            time.sleep(STEP_SECONDS)
            so_far = Image.blend(noise, picture, step / blockout.steps)
            report(Progress(step, (), lambda so_far=so_far: sketch(so_far, blockout.frame)))
        return Painting(picture=_png(crop(picture, blockout.frame)), full=_png(picture))


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
