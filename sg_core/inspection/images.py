# SPDX-License-Identifier: MIT
"""Pictures, maps and outlines as they stand in a page: inside it, as PNG and SVG, so that it needs no other file."""

import base64
import io
from collections.abc import Iterator
from typing import Any

import torch
from PIL import Image
from torch import Tensor

SCALE = ((0, 0, 8), (52, 16, 92), (132, 30, 100), (208, 68, 66), (247, 150, 40), (252, 250, 190))  # dark to bright
OUTLINE_SIDE = 128  # of a mask, in cells of its outline
PICTURE_SIDE = 512  # pixels of the longer side of a picture in a page


def picture_address(picture: Tensor, side: int = PICTURE_SIDE) -> str:
    """A picture (3, y, x) in 0..1, its longer side at most so many pixels, as a ``data:`` address."""
    pixels = (picture.detach().float().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    image = Image.fromarray(pixels)
    if max(image.size) > side:
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return _address(image)


def map_address(values: Tensor) -> str:
    """A map (y, x), dark where it is 0 and bright where it is largest, a pixel a cell, as a ``data:`` address."""
    best = float(values.max())
    part = (values / best if best > 0 else torch.zeros_like(values)).clamp(0, 1) * (len(SCALE) - 1)
    colours = torch.tensor(SCALE, dtype=torch.float32)
    below = part.floor().long().clamp(max=len(SCALE) - 2)
    rest = (part - below)[..., None]
    mixed = colours[below] * (1 - rest) + colours[below + 1] * rest
    return _address(Image.fromarray(mixed.round().byte().numpy()))


def outline_path(mask: Any) -> str:
    """The outline of a mask (y, x), or of the first of several, as data of an SVG path in a box of 1000 x 1000."""
    coverage = torch.as_tensor(mask, dtype=torch.float32)
    coverage = coverage if coverage.ndim == 2 else coverage[0]
    step = max(1, max(coverage.shape) // OUTLINE_SIDE)
    inside = torch.nn.functional.pad((coverage[::step, ::step] >= 0.5).to(torch.uint8), (1, 1, 1, 1))
    height, width = inside.shape[0] - 2, inside.shape[1] - 2
    across, down = 1000 / width, 1000 / height
    parts = []
    for y, start, end in _edges(inside[1:] != inside[:-1]):
        parts.append(f"M{(start - 1) * across:.0f} {y * down:.0f}H{(end - 1) * across:.0f}")
    for x, start, end in _edges((inside[:, 1:] != inside[:, :-1]).T):
        parts.append(f"M{x * across:.0f} {(start - 1) * down:.0f}V{(end - 1) * down:.0f}")
    return "".join(parts)


def _edges(lines: Tensor) -> Iterator[tuple[int, int, int]]:
    """Of each line the runs of true cells, as (line, start, end)."""
    for number, line in enumerate(lines.tolist()):
        start = None
        for index, changes in enumerate([*line, False]):
            if changes and start is None:
                start = index
            elif not changes and start is not None:
                yield number, start, index
                start = None


def _address(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
