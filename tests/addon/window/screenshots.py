# SPDX-License-Identifier: MIT
"""The pictures of docs/blender, taken anew: an artist's hours in $BLENDER's window, painted by the model that ships.

make screenshots BLENDER=/path/to/blender [SCENARIOS="walkthrough orbit"]
"""

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.addon.window.models.test_adapters import server as adapters_server
from tests.addon.window.run_blender import ROOT, flat_colour_server, run_scenario, toybox_server

VIEW = (0, 24, 1009, 878)  # pixels of the window: the 3D View and its sidebar, without an Image Editor that is empty

SIDEBAR = (784, 84, 1004, 878)  # and that alone


@dataclass(frozen=True)
class Screenshots:
    """Which of a scenario's pictures are kept, which part of them, and who paints."""

    names: Sequence[str]
    box: tuple[int, int, int, int] | None = None
    server: Callable[[Path], str] = lambda folder: toybox_server()


SCENARIOS = {
    "walkthrough": Screenshots(
        (
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
    ),
    "adapters": Screenshots(("control",), SIDEBAR, adapters_server),
    "contact_sheets": Screenshots(("sheet", "compare")),
    "live": Screenshots(("live",), VIEW),
    "sequences": Screenshots(("sequence",), VIEW),
    "stacked_projections": Screenshots(
        ("views",), server=lambda folder: flat_colour_server()
    ),  # to tell what each view covers
}
ORBIT = "orbit"  # a strip of frames, and no screenshots


def take(blender: str, docs: Path, scenarios: Sequence[str]) -> None:
    """Runs the scenarios and keeps their pictures."""
    for scenario in scenarios or (*SCENARIOS, ORBIT):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            wanted = SCENARIOS.get(scenario)
            report = run_scenario(blender, scenario, folder, (wanted or Screenshots(())).server(folder))
            if not report["ok"]:
                sys.exit(report["trace"])
            if wanted is None:
                strip(sorted(folder.glob(f"{scenario}-*.png"))).save(docs / f"{scenario}.webp", quality=80)
            else:
                keep(wanted, folder, docs)


def keep(wanted: Screenshots, folder: Path, docs: Path) -> None:
    """A scenario's pictures that are in the documentation."""
    for name in wanted.names:
        image = Image.open(folder / f"{name}.png").convert("RGB")
        image.crop(wanted.box).save(docs / f"{name}.png", optimize=True)


def strip(frames: Sequence[Path]) -> Image.Image:
    """Pictures of one size in two rows."""
    images = [Image.open(frame).convert("RGB") for frame in frames]
    columns, (width, height) = -(-len(images) // 2), images[0].size
    sheet = Image.new("RGB", (columns * width, 2 * height))
    for index, image in enumerate(images):
        sheet.paste(image, (index % columns * width, index // columns * height))
    return sheet


if __name__ == "__main__":
    take(os.environ["BLENDER"], ROOT / "docs" / "blender", sys.argv[1:])
