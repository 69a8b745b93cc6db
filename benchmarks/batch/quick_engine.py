# SPDX-License-Identifier: MIT
"""An engine that paints the colour of the seed at once, so that all that is measured is the cost around it."""

import time
from collections.abc import Callable

from PIL import Image

from addon.protocol.answers import Achieved, ModelInfo
from addon.protocol.blockout import Blockout, Precision
from server.adapters import PLAIN, Setup
from server.worker.engine import Painting, Progress
from server.worker.png_files import crop, png, sketch

STEPS = 3
STEP_SECONDS = 0.02
WAIT_SECONDS = 0.25


class QuickEngine:
    """Three steps of 20 ms, whatever the request says; every region is where it was to be."""

    device = "none"

    def precision(self, model: ModelInfo) -> Precision:
        """As if it computed in it."""
        return "float32"

    def load(self, model: ModelInfo, setup: Setup = PLAIN) -> None:
        """Nothing to load."""

    def unload(self) -> None:
        """There is nothing to give back."""

    def paint(self, blockout: Blockout, report: Callable[[Progress], None], reference: bytes | None = None) -> Painting:
        """One colour."""
        colour = (blockout.seed % 256, blockout.seed // 256 % 256, len(blockout.regions))
        full = Image.new("RGB", (blockout.width, blockout.height), colour)
        for step in range(1, STEPS + 1):
            time.sleep(STEP_SECONDS)
            report(Progress(step, (), lambda: sketch(full, blockout.frame)))
        achieved = tuple(
            Achieved(name=region.name, by="judge", mask=region.mask, centroid=region.centroid, size=region.size)
            for region in blockout.regions
        )
        return Painting(picture=png(crop(full, blockout.frame), blockout), full=png(full, blockout), achieved=achieved)


class WaitingEngine(QuickEngine):
    """A picture takes a quarter of a second of nobody's processor."""

    def paint(self, blockout: Blockout, report: Callable[[Progress], None], reference: bytes | None = None) -> Painting:
        """One colour, later."""
        time.sleep(WAIT_SECONDS)
        full = Image.new("RGB", (blockout.width, blockout.height))
        return Painting(picture=png(crop(full, blockout.frame), blockout), full=b"")
