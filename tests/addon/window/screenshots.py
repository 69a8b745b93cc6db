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
    keep_strip(blender, "orbit", toybox_server(), "orbit", docs)
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


def keep_strip(blender: str, scenario: str, command: str, name: str, docs: Path) -> None:
    """Runs one scenario and keeps its frames side by side."""
    with tempfile.TemporaryDirectory() as folder:
        report = run_scenario(blender, scenario, Path(folder), command)
        if not report["ok"]:
            sys.exit(report["trace"])
        strip(sorted(Path(folder).glob(f"{name}-*.png"))).save(docs / f"{name}.webp", quality=80)


def strip(frames: Sequence[Path]) -> Image.Image:
    """Pictures of one size in two rows."""
    images = [Image.open(frame).convert("RGB") for frame in frames]
    columns, (width, height) = -(-len(images) // 2), images[0].size
    sheet = Image.new("RGB", (columns * width, 2 * height))
    for index, image in enumerate(images):
        sheet.paste(image, (index % columns * width, index // columns * height))
    return sheet


if __name__ == "__main__":
    take(os.environ["BLENDER"], ROOT / "docs" / "blender")
