# SPDX-License-Identifier: MIT
"""An engine that costs nothing, so that what is measured is everything else."""

import re
import time
from collections.abc import Callable

from addon.protocol.answers import ModelInfo
from addon.protocol.blockout import Blockout, Precision
from addon.protocol.png import plain
from server.adapters import PLAIN, Setup
from server.worker.engine import Painting, Progress


class FreeEngine:
    """Paints one pixel in the colour of the seed. A step takes as many milliseconds as the prompt says after "ms="."""

    device = "nothing"

    def precision(self, model: ModelInfo) -> Precision:
        """Any will do."""
        return "float32"

    def load(self, model: ModelInfo, setup: Setup = PLAIN) -> None:
        """There is nothing to load."""

    def unload(self) -> None:
        """There is nothing to give back."""

    def paint(self, blockout: Blockout, report: Callable[[Progress], None], reference: bytes | None = None) -> Painting:
        """Reports each step."""
        named = re.search(r"ms=(\d+)", blockout.prompt)
        for step in range(1, blockout.steps + 1):
            time.sleep(int(named[1]) / 1000 if named else 0)
            report(Progress(step))
        pixel = plain(1, 1, blockout.seed.to_bytes(4, "big")[1:])
        return Painting(picture=pixel, full=pixel)
