# SPDX-License-Identifier: MIT
"""The pictures of docs/blender, taken anew: an artist's hour in $BLENDER's window, painted by the model that ships.

make screenshots BLENDER=/path/to/blender
"""

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.addon.window.run_blender import ROOT, flat_colour_server, run_scenario, toybox_server

SCREENSHOTS = (
    "not-connected",
    "no-server",
    "error",
    "ready",
    "generating",
    "done",
    "overlay",
    "background",
    "projected",
    "history",
)


def take(blender: str, docs: Path) -> None:
    """Runs the scenarios and keeps their pictures."""
    keep(blender, "walkthrough", toybox_server(), SCREENSHOTS, docs)
    keep(blender, "contact_sheets", toybox_server(), ("sheet", "compare"), docs)
    keep(blender, "live", toybox_server(), ("live",), docs)
    keep(blender, "stacked_projections", flat_colour_server(), ("views",), docs)  # flat, to tell what each view covers


def keep(blender: str, scenario: str, command: str, names: Sequence[str], docs: Path) -> None:
    """Runs one scenario and keeps these of its pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report = run_scenario(blender, scenario, folder, command)
        if not report["ok"]:
            sys.exit(report["trace"])
        for name in names:
            Image.open(folder / f"{name}.png").convert("RGB").save(docs / f"{name}.png", optimize=True)


if __name__ == "__main__":
    take(os.environ["BLENDER"], ROOT / "docs" / "blender")
