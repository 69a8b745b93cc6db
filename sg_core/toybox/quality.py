# SPDX-License-Identifier: MIT
"""How good pictures are beside true scenes of the same captions: sharp, alike, whole, of the colour and size said."""

import math
from collections.abc import Sequence
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

from sg_core.toybox.scenes.atlas import Atlas, chroma
from sg_core.toybox.scenes.compose import compose
from sg_core.toybox.scenes.looks import COLOURS
from sg_core.toybox.scenes.scene import BIG, SMALL, Scene, SceneObject
from sg_core.toybox.segmenter import Dilated, Segmenter, of_area

FEATURES_SIDE, OUTLINE_SIDE = 128, 48
TILTS, GROWTHS = (-0.25, -0.12, 0.0, 0.12, 0.25), (0.9, 1.0, 1.1)
TOLERANCE = 1.15


def gradient_energy(pictures: Tensor, inside: Tensor) -> float:
    """Mean squared difference of neighbouring pixels, of pictures (n, 3, h, w), where `inside` (n, h, w) holds."""
    across = F.pad(pictures.diff(dim=-1), (0, 1)).square()
    down = F.pad(pictures.diff(dim=-2), (0, 0, 0, 1)).square()
    return float((across + down).mean(1)[inside].mean())


def features(judge: Segmenter, pictures: Tensor) -> Tensor:
    """What a dilated Judge sees of each picture, at 128 pixels, averaged over the picture: (n, feature)."""
    if not isinstance(judge.network, Dilated):
        raise TypeError("the Frechet distance is of a dilated Judge's features")
    sides = of_area((pictures.shape[-2], pictures.shape[-1]), FEATURES_SIDE)
    with torch.no_grad():
        features: Tensor = judge.network.features(F.interpolate(pictures, sides, mode="area") * 2 - 1)
    return features.mean((2, 3))


def frechet(one: Tensor, other: Tensor) -> float:
    """Frechet distance of two Gaussians (Heusel et al., 2017), fitted to features (n, feature) and (m, feature)."""
    one, other = one.double(), other.double()
    between = (one.mean(0) - other.mean(0)).square().sum()
    first, second = one.T.cov(), other.T.cov()
    values, vectors = torch.linalg.eigh(first)
    root = vectors * values.clamp_min(0).sqrt() @ vectors.T
    mixed = torch.linalg.eigvalsh(root @ second @ root).clamp_min(0).sqrt().sum()
    return float(between + first.trace() + second.trace() - 2 * mixed)


def outlines(noun: str, atlas: Atlas) -> Tensor:
    """The noun's true outlines, in boxes of their own, (outline, side, side): upright, both ways, tilted, grown."""
    boxes = []
    for tile, flip, tilt in product((*atlas.of(noun), *atlas.upright(noun)), (False, True), TILTS):
        shape = math.sqrt(atlas.tiles[tile].aspect)
        item = SceneObject(noun, tile, None, False, 0.5, 0.5, 0.6 * shape, 0.6 / shape, angle=tilt, flip=flip)
        full = compose([Scene("snow", 0.6, (0.5,) * 8, (item,), "")], atlas, 128, 128).full[0, 0] > 0.5
        boxes += [boxed(full, across, down) for across, down in product(GROWTHS, GROWTHS)]
    return torch.stack(boxes)


def boxed(mask: Tensor, across: float = 1.0, down: float = 1.0) -> Tensor:
    """A mask (h, w) as it fills its own box, enlarged about its middle: (side, side) of booleans."""
    rows, columns = mask.nonzero(as_tuple=True)
    top, left = int(rows.min()), int(columns.min())
    cut = mask[top : int(rows.max()) + 1, left : int(columns.max()) + 1].float()
    line = (torch.arange(OUTLINE_SIDE) + 0.5) / OUTLINE_SIDE * 2 - 1
    grid = torch.stack(torch.meshgrid(line / across, line / down, indexing="xy"), -1)
    return F.grid_sample(cut[None, None], grid[None], mode="nearest", align_corners=False)[0, 0] > 0.5


def best_outline(mask: Tensor, outlines: Tensor) -> float:
    """Best IoU of a mask (h, w) with any of the known outlines (outline, side, side); 0 for an empty mask."""
    if not mask.any():
        return 0.0
    own = boxed(mask)
    return float(((outlines & own).sum((1, 2)) / (outlines | own).sum((1, 2))).max())


def colour_references(noun: str, backdrop: str, atlas: Atlas) -> dict[str, Tensor]:
    """Mean chroma of each of the noun's pictures turned to each colour, in the light of a place: (picture, 2)."""
    references = {}
    for colour in COLOURS:
        scenes = [
            Scene(backdrop, 0.6, (0.5,) * 8, (SceneObject(noun, tile, colour, True, 0.5, 0.5, 0.6, 0.6),), "")
            for tile in atlas.of(noun)
        ]
        pictures = compose(scenes, atlas, 64, 64)
        references[colour] = torch.stack(
            [mean_chroma(rgb, full[0] > 0.9) for rgb, full in zip(pictures.rgb, pictures.full, strict=True)]
        )
    return references


def mean_chroma(rgb: Tensor, inside: Tensor) -> Tensor:
    """Mean I and Q of a picture (3, h, w) where `inside` holds: (2,)."""
    i, q = chroma(rgb[None])
    return torch.stack([i[0][inside].mean(), q[0][inside].mean()])


def visible_colour(rgb: Tensor, inside: Tensor, references: dict[str, Tensor]) -> str | None:
    """The colour whose reference is nearest in hue to a thing's; None for an empty mask."""
    if not inside.any():
        return None
    own = F.normalize(mean_chroma(rgb, inside), dim=0)
    likeness = {colour: float((F.normalize(colours, dim=1) @ own).max()) for colour, colours in references.items()}
    return max(likeness, key=likeness.__getitem__)


def obeys_size(word_kind: str, mask: Tensor) -> bool:
    """Whether a thing called "small" or "big" is: the root of its box's share of the frame, with some tolerance."""
    if not mask.any():
        return False
    rows, columns = mask.nonzero(as_tuple=True)
    box = (rows.max() - rows.min() + 1) * (columns.max() - columns.min() + 1)
    side = math.sqrt(float(box) / mask.numel())
    return side <= SMALL * TOLERANCE if word_kind == "small" else side >= BIG / TOLERANCE


def inside_masks(probabilities: Tensor, scenes: Sequence[Scene], nouns: Sequence[str]) -> list[dict[str, Tensor]]:
    """Where the Judge sees each of a caption's nouns, for every picture: probabilities (n, c, h, w)."""
    winners = probabilities.argmax(1)
    return [
        {item.noun: winners[row] == 1 + nouns.index(item.noun) for item in scene.objects}
        for row, scene in enumerate(scenes)
    ]
