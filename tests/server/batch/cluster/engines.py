# SPDX-License-Identifier: MIT
"""Engines for the actors of a cluster: one that waits, and says who painted; its prompts tell it how to behave."""

import os
import re
import time
from pathlib import Path

from tests.server.fake_engine import FakeEngine

LOG = "MAQUETTE_TEST_LOG"  # a file that gets a line for each row that is begun, with the process and the prompt


class WaitingEngine(FakeEngine):
    """``ms=N`` in the prompt is how long a picture takes; ``poison`` ends the process; ``raise`` fails."""

    def paint(self, blockout, report, reference=None):
        if LOG in os.environ:
            with Path(os.environ[LOG]).open("a") as file:
                file.write(f"{os.getpid()} {blockout.seed}\n")
        if match := re.search(r"wait=(\d+)", blockout.prompt):
            time.sleep(int(match[1]) / 1000)
        if "poison" in blockout.prompt:
            os._exit(9)
        return super().paint(blockout, report, reference)
