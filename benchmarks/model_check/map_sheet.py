# SPDX-License-Identifier: MIT
"""A sheet for the eyes: the pictures, and over each what every layer takes for each phrase."""

from collections.abc import Sequence

import numpy as np
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import Tensor

from benchmarks.model_check.layer_maps import ProbePicture
from benchmarks.model_check.layer_ranking import LayerScore, silhouettes
from benchmarks.sheet import INK, PALETTE, PAPER, font, grid, outlined, to_image

SHOWN = 2  # pictures on a sheet
SIDE = 160  # pixels of a picture's longer side on it
LABEL = 420


def map_sheet(pictures: Sequence[ProbePicture], scores: Sequence[LayerScore]) -> Image.Image:
    """A row a layer, a column for each phrase of the first pictures; what the judge saw is outlined in the first row.

    ``scores`` may be empty: rows then only say the layers' names.
    """
    some = pictures[:SHOWN]
    size = _size(some[0].picture)
    heads = ["", *(words for picture in some for words in picture.phrases)]
    first = [
        label("the picture", size[1]),
        *(_judged(picture, words, size) for picture in some for words in picture.phrases),
    ]
    rows = [first]
    notes = {score.layer: f"overlap {score.overlap:.3f}, rank {score.rank}" for score in scores}
    for layer in some[0].tapes[0].attention:
        text = "\n".join(
            part
            for part in (layer.replace(".transformer_blocks", "\n.transformer_blocks"), notes.get(layer, ""))
            if part
        )
        rows.append([label(text, size[1]), *(tile for picture in some for tile in _tiles(picture, layer, size))])
    return grid(rows, heads, gap=4)


def _size(picture: Tensor) -> tuple[int, int]:
    height, width = picture.shape[-2:]
    scale = SIDE / max(height, width)
    return max(1, round(width * scale)), max(1, round(height * scale))


def label(text: str, height: int) -> Image.Image:
    """Words on paper, as high as the pictures beside them."""
    paper = Image.new("RGB", (LABEL, height), PAPER)
    ImageDraw.Draw(paper).multiline_text((4, height // 2), text, fill=INK, font=font(13), anchor="lm")
    return paper


def _judged(picture: ProbePicture, words: str, size: tuple[int, int]) -> Image.Image:
    """The picture, with the outline of what the judge took for the phrase."""
    image = to_image(picture.picture).resize(size, Image.Resampling.BICUBIC)
    area = picture.areas.get(words)
    return image if area is None else outlined(image, {words: area.numpy()})


def _tiles(picture: ProbePicture, layer: str, size: tuple[int, int]) -> list[Image.Image]:
    """For each phrase the picture, grey, and on it the layer's outline, mean over the moments."""
    outlines = list(silhouettes(picture, [layer]))
    means = [sum(outline for words, outline in outlines if words == name) for name in picture.phrases]
    return [_tile(picture.picture, mean, size) for mean in means if isinstance(mean, Tensor)]


def _tile(picture: Tensor, outline: Tensor, size: tuple[int, int]) -> Image.Image:
    grey = to_image(picture).convert("L").resize(size, Image.Resampling.BICUBIC).convert("RGB")
    strength = F.interpolate(outline[None, None], (size[1], size[0]), mode="nearest")[0, 0]
    cover = (strength / strength.max().clamp_min(1e-6)).numpy()[..., None]
    base, colour = np.asarray(grey, dtype=np.float32) * 0.6, np.asarray(PALETTE[0], dtype=np.float32)
    return Image.fromarray((base * (1 - 0.75 * cover) + colour * 0.75 * cover).astype(np.uint8))
