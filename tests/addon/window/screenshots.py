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

from tests.addon.window.run_blender import ROOT, flat_colours, tell, toybox

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
    "history",
)


def take(blender: str, docs: Path) -> None:
    """Tells the stories and keeps their pictures."""
    keep(blender, "tour", toybox(), SHOTS, docs)
    keep(blender, "stacking", flat_colours(), ("views",), docs)  # flat, to tell what each view covers


def keep(blender: str, story: str, command: str, shots: Sequence[str], docs: Path) -> None:
    """Tells one story and keeps these of its pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report = tell(blender, story, folder, command)
        if not report["ok"]:
            sys.exit(report["trace"])
        for shot in shots:
            Image.open(folder / f"{shot}.png").convert("RGB").save(docs / f"{shot}.png", optimize=True)


if __name__ == "__main__":
    take(os.environ["BLENDER"], ROOT / "docs" / "blender")
