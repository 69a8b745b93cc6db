# SPDX-License-Identifier: MIT
"""The pictures of docs/blender, taken anew: an artist's hour in $BLENDER's window, painted by the model that ships.

make screenshots BLENDER=/path/to/blender
"""

import os
import sys
import tempfile
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.addon.window.telling import ROOT, tell, toybox

SHOTS = (
    "not-connected",
    "no-server",
    "error",
    "ready",
    "generating",
    "done",
    "overlay",
    "background",
    "projected",
)


def take(blender: str, docs: Path) -> None:
    """Tells the tour and keeps its pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report = tell(blender, "tour", folder, toybox())
        if not report["ok"]:
            sys.exit(report["trace"])
        for shot in SHOTS:
            Image.open(folder / f"{shot}.png").convert("RGB").save(docs / f"{shot}.png", optimize=True)


if __name__ == "__main__":
    take(os.environ["BLENDER"], ROOT / "docs" / "blender")
