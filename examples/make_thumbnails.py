# SPDX-License-Identifier: MIT
"""The thumbnails of the styles that ship for Toybox, painted by it: one prompt, one seed, each style's words.

python examples/make_thumbnails.py

Writes ``addon/request/thumbnails/NAME.png``, of SIDE pixels and COLOURS colours, so that the add-on's zip stays small.
Styles for other models have none until the artist gives them one: Toybox does not know their words.
"""

import re
from pathlib import Path

from PIL import Image

from addon.protocol.default_model import TOYBOX
from addon.request.styles import Style, read, styled
from sg_core import centroid, generate, load, presence, size

PROMPT, SEED, STEPS = "a castle", 5, 30
SIDE, COLOURS = 64, 48
FOLDER = Path(__file__).parents[1] / "addon" / "request" / "thumbnails"


def thumbnail(style: Style) -> Image.Image:
    """What Toybox makes of the prompt with a style's words."""
    layout = centroid("castle", 0.5, 0.6) + size("castle", 0.3) + presence("castle")  # in the same place in all
    prompt = styled(PROMPT, style)
    picture = generate(load("toybox"), prompt, layout, seeds=[SEED], width=128, height=128, steps=STEPS, strength=1.0)
    pixels = (picture[0].permute(1, 2, 0).clamp(0.0, 1.0) * 255).round().byte().numpy()
    small = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return small.quantize(COLOURS, dither=Image.Dither.NONE)


def main() -> None:
    """Paint them all."""
    FOLDER.mkdir(exist_ok=True)
    for style in read(Path("none")).fitting(TOYBOX):
        file = FOLDER / f"{re.sub(r'[^a-z0-9]+', '-', style.name.lower())}.png"
        thumbnail(style).save(file, optimize=True)
        print(file.name, file.stat().st_size)


if __name__ == "__main__":
    main()
