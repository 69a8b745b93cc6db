# SPDX-License-Identifier: MIT
"""An engine without a network, for tests of everything around it. The words of the prompt tell it how to behave."""

import ctypes
import os
import re
import time
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from addon.protocol.answers import Achieved, ModelInfo
from addon.protocol.blockout import Blockout, Precision, Region
from addon.protocol.step_counts import all_steps
from server.adapters import PLAIN, Setup
from server.problems import NoModel, OutOfMemory
from server.worker.engine import Painting, Progress
from server.worker.png_files import crop, png, sketch


class FakeEngine:
    """Paints the colour of the seed. ``slow`` steps take 30 ms, those of ``ms=N`` N; ``die`` ends the process at step
    2, ``die once`` only when it never did before; ``raise`` and ``huge`` fail; ``hang`` never ends a step, nor does
    ``seize``, which keeps Python's lock meanwhile; a model called ``absent`` has no weights. It claims to have put each
    region a tenth of the frame too far to the right; with ``lose``, none.
    """

    device = "imagination"

    def precision(self, model: ModelInfo) -> Precision:
        return "float32"

    def load(self, model: ModelInfo, setup: Setup = PLAIN) -> None:
        if os.environ.get("FAKE_ENGINE_ABSENT") or model.name == "absent":
            raise NoModel(f"{model.name} is not here")

    def unload(self) -> None:
        """There is nothing to give back."""

    def paint(
        self,
        blockout: Blockout,
        report: Callable[[Progress], None],
        reference: bytes | None = None,
        collage: Sequence[bytes] = (),
    ) -> Painting:
        colour = (blockout.seed % 256, blockout.seed // 256 % 256, len(blockout.regions))
        pixels = np.full((blockout.height, blockout.width, 3), colour, np.uint8)
        full = Image.fromarray(pixels)
        for step in range(1, all_steps(blockout) + 1):
            _behave(blockout.prompt, step)
            report(Progress(step, (("shape of it", 1 / step),), lambda: sketch(full, blockout.frame)))
        achieved = tuple(_claim(region, "lose" in blockout.prompt) for region in blockout.regions)
        return Painting(picture=png(crop(full, blockout.frame), blockout), full=png(full, blockout), achieved=achieved)


def _claim(region: Region, lost: bool) -> Achieved:
    if lost:
        return Achieved(name=region.name, by="judge", mask=None, centroid=None, size=0.0)
    x, y = region.centroid
    place = (min(1.0, x + 0.1), y)
    return Achieved(name=region.name, by="judge", mask=region.mask, centroid=place, size=region.size)


def _behave(prompt: str, step: int) -> None:
    if "slow" in prompt:
        time.sleep(0.03)
    if wanted := re.search(r"ms=(\d+)", prompt):
        time.sleep(int(wanted[1]) / 1000)
    if step < 2:
        return
    if "die" in prompt and _first_time("once" in prompt):
        os._exit(9)
    if "raise" in prompt:
        raise ZeroDivisionError("as asked")
    if "huge" in prompt:
        raise OutOfMemory("as asked")
    if "hang" in prompt:
        time.sleep(3600)
    if "seize" in prompt:
        ctypes.PyDLL(None).sleep(3600)


def _first_time(once: bool) -> bool:
    """Whether to die now: always, or only when no earlier process left its mark."""
    if not once:
        return True
    mark = os.path.join(os.environ["MAQUETTE_HOME"], "died")
    if os.path.exists(mark):
        return False
    with open(mark, "w"):
        return True
