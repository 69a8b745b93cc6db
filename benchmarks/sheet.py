# SPDX-License-Identifier: MIT
"""Contact sheets: pictures in rows, with captions, and the targets' outlines and centroids drawn over."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont
from torch import Tensor

PALETTE = ((255, 214, 10), (10, 230, 255), (255, 90, 205), (120, 255, 120), (255, 140, 60))
Coverage = NDArray[np.float32]
PAPER = (250, 249, 246)
INK = (40, 40, 46)


def to_image(picture: Tensor) -> Image.Image:
    """(3, height, width) in 0..1 to a Pillow picture."""
    return Image.fromarray((picture.permute(1, 2, 0).clamp(0, 1) * 255).round().byte().numpy())


def mask_image(mask: Coverage, size: tuple[int, int]) -> Image.Image:
    """A coverage array (height, width) in 0..1 as a greyscale picture of a size."""
    return Image.fromarray((np.clip(mask, 0, 1) * 255).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)


def outlined(picture: Image.Image, masks: Mapping[str, Coverage], scale: int = 1) -> Image.Image:
    """The picture enlarged, each mask's outline drawn over it in a colour of its own with a dark seam."""
    size = (picture.width * scale, picture.height * scale)
    drawn = picture.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    for (_, mask), colour in zip(masks.items(), PALETTE, strict=False):
        solid = mask_image(mask, size).point(lambda value: 255 * (value >= 128))
        for width, paint in ((5, (20, 20, 24)), (3, colour)):
            ring = ImageChops.difference(solid.filter(ImageFilter.MaxFilter(width)), solid)
            drawn.paste(paint, mask=ring)
    return drawn


def targets(masks: Mapping[str, Coverage], size: tuple[int, int]) -> Image.Image:
    """The masks in their colours on dark paper, each centroid a cross with its name."""
    drawn = Image.new("RGB", size, (34, 34, 40))
    pen = ImageDraw.Draw(drawn)
    spots = []
    for (name, mask), colour in zip(masks.items(), PALETTE, strict=False):
        drawn.paste(colour, mask=mask_image(mask, size).point(lambda value: int(value * 0.75)))
        rows, columns = np.mgrid[0 : mask.shape[0], 0 : mask.shape[1]] + 0.5
        total = max(float(mask.sum()), 1e-6)
        x, y = float((columns * mask).sum()) / total / mask.shape[1], float((rows * mask).sum()) / total / mask.shape[0]
        spots.append((name, x * size[0], y * size[1]))
    for name, x, y in spots:
        pen.line((x - 7, y, x + 7, y), fill="white", width=2)
        pen.line((x, y - 7, x, y + 7), fill="white", width=2)
        pen.text((x, y + 10), name, fill="white", font=font(14), anchor="ma", stroke_width=2, stroke_fill=(20, 20, 24))
    return drawn


def grid(rows: Sequence[Sequence[Image.Image]], heads: Sequence[str] = (), gap: int = 8) -> Image.Image:
    """Pictures in rows on paper; `heads` stand over the columns. Columns are as wide as their widest picture."""
    columns = max(map(len, rows))
    widths = [max(row[k].width for row in rows if k < len(row)) for k in range(columns)]
    heights = [max(picture.height for picture in row) for row in rows]
    top = 30 if heads else 0
    sheet = Image.new("RGB", (sum(widths) + gap * (columns + 1), sum(heights) + gap * (len(rows) + 1) + top), PAPER)
    pen = ImageDraw.Draw(sheet)
    for k, head in enumerate(heads):
        pen.text((gap + sum(widths[:k]) + gap * k, gap + 2), head, fill=INK, font=font(16))
    y = gap + top
    for row, height in zip(rows, heights, strict=True):
        x = gap
        for picture, width in zip(row, widths, strict=False):
            sheet.paste(picture, (x, y))
            x += width + gap
        y += height + gap
    return sheet


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own typeface."""
    return ImageFont.load_default(size)
