# SPDX-License-Identifier: MIT
"""One seed painted three times: without guidance, with the shapes as they are, with them mirrored.

    python examples/guided_picture.py [PICTURE]

Writes the three side by side, left to right (guided_picture.png unless named).
"""

import sys

import torch
from PIL import Image

from sg_core import Energy, generate, load, presence, shape

SIDE = 256  # pixels; Toybox was trained on as many


def disc(x: float, y: float, radius: float) -> torch.Tensor:
    """A mask (SIDE, SIDE), rows from the top; middle and radius in fractions of the side."""
    along = (torch.arange(SIDE) + 0.5) / SIDE
    return ((along[None, :] - x) ** 2 + (along[:, None] - y) ** 2 < radius**2).float()


def blocking(x: float) -> Energy:
    """A castle whose middle is ``x`` from the left, 0..1, a rocket on the other side. Energies add, numbers scale."""
    return shape("castle", disc(x, 0.6, 0.25)) + shape("rocket", disc(1.0 - x, 0.5, 0.2)) + 0.5 * presence("rocket")


def main(file: str = "guided_picture.png") -> None:
    """Paint, and write the sheet."""
    model = load("toybox")
    layouts = (None, blocking(0.3), blocking(0.7))
    prompt = "a castle and a rocket on a meadow"
    pictures = [generate(model, prompt, layout, seeds=[1], width=SIDE, height=SIDE, steps=20)[0] for layout in layouts]
    sheet = torch.cat(pictures, dim=2)  # (3, height, 3 * width) in 0..1
    Image.fromarray((sheet * 255).round().byte().permute(1, 2, 0).numpy()).save(file)
    print(f"without guidance, as blocked, mirrored: {file}")


if __name__ == "__main__":
    main(*sys.argv[1:])
