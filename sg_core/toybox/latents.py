# SPDX-License-Identifier: MIT
"""Latents that are easy to paint in: what a cell of 16 pixels shows, in numbers that mean something.

Latents that know what they show are learned faster (VA-VAE, Yao et al., 2025, arXiv 2501.01423; REPA-E, Leng et al.,
2025, arXiv 2504.10483). Those borrow the meaning from a pretrained network; here the compositor knows it exactly, so it
is written down: which noun, which look, which place on the thing, how much of it, and the leading components of the
colours. All of it is linear in the picture's layers, so a cell across an edge holds a mixture. Nothing is learned, so
denoiser, decoder and encoder can begin together.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from sg_core.toybox.scenes.atlas import Atlas
from sg_core.toybox.scenes.compose import Pictures, sampling_grid
from sg_core.toybox.scenes.looks import COLOURS
from sg_core.toybox.scenes.patterns import box_coordinates
from sg_core.toybox.scenes.scene import Scene, SceneObject

CELL = 16
BLOCK = 4  # colours and places are averaged over so many pixels first
LOOKS = 5
LOUD, QUIET = 1.25, 0.75  # deviation of the meaning, to be decided early in the noise, and of the colours, late


@dataclass(frozen=True)
class LatentMap:
    """Linear from meaning and colours to latents, with deviations near one.

    `codes` (noun, c) are unit vectors; `mean` and `scale` (c + 8) normalise the meaning (code, look, place, coverage);
    `projection` (k, 48) and `offset` (k,) read colours from a cell's 4 x 4 blocks of 4 pixels.
    """

    codes: Tensor
    mean: Tensor
    scale: Tensor
    projection: Tensor
    offset: Tensor

    @property
    def channels(self) -> int:
        """How many numbers a cell has."""
        return len(self.mean) + len(self.offset)

    def encode(self, meaning: Tensor, rgb: Tensor) -> Tensor:
        """(batch, c + 8, rows, columns) and pictures (batch, 3, height, width) -> (batch, channel, rows, columns)."""
        meaning_part = (meaning - self.mean.view(1, -1, 1, 1)) * self.scale.view(1, -1, 1, 1)
        colour_part = torch.einsum("kc,bcyx->bkyx", self.projection, blocks(rgb)) + self.offset.view(1, -1, 1, 1)
        return torch.cat([meaning_part, colour_part], 1)

    def to(self, device: torch.device | str) -> "LatentMap":
        """The same map on another device."""
        return LatentMap(*(getattr(self, field.name).to(device) for field in fields(self)))

    def save(self, file: Path) -> None:
        """Write it as safetensors: whoever trains on must use the same."""
        save_file({field.name: getattr(self, field.name).contiguous() for field in fields(self)}, file)


def load_latent_map(file: Path) -> LatentMap:
    """The map that `LatentMap.save` wrote."""
    return LatentMap(**load_file(file))


def blocks(rgb: Tensor) -> Tensor:
    """Colours of the 4 x 4 blocks of each cell: (batch, 48, rows, columns)."""
    return F.pixel_unshuffle(F.avg_pool2d(rgb, BLOCK), CELL // BLOCK)


def noun_codes(count: int, width: int) -> Tensor:
    """`count` unit vectors of `width` numbers, pushed as far apart as they get: (count, width)."""
    generator = torch.Generator().manual_seed(1)
    free = F.normalize(torch.randn(count, width, generator=generator), dim=1).requires_grad_()
    optimiser = torch.optim.Adam([free], lr=0.02)
    for _ in range(400):
        codes = F.normalize(free, dim=1)
        crowding = torch.logsumexp((12 * (codes @ codes.T - 2 * torch.eye(count))).flatten(), 0)
        optimiser.zero_grad()
        torch.autograd.backward(crowding)
        optimiser.step()
    return F.normalize(free.detach(), dim=1)


def look_codes(objects: Sequence[SceneObject], atlas: Atlas) -> Tensor:
    """Which of the noun's pictures, stripes, dots, and how far the hue is turned, as cosine and sine: (thing, 5)."""
    rows = []
    for item in objects:
        tiles = atlas.upright(item.noun) if atlas.tiles[item.tile].turned else atlas.of(item.noun)
        picture = 0.0 if len(tiles) == 1 else 2 * tiles.index(item.tile) / (len(tiles) - 1) - 1
        turn = math.radians(COLOURS[item.colour]) - float(atlas.hues[item.tile, 0]) if item.colour else 0.0
        patterns = (1.5 * (item.pattern == "stripes"), 1.5 * (item.pattern == "dots"))
        rows.append((picture, *patterns, math.cos(turn), math.sin(turn)))
    return torch.tensor(rows)


@torch.no_grad()
def meaning(scenes: Sequence[Scene], pictures: Pictures, atlas: Atlas, nouns: Sequence[str], codes: Tensor) -> Tensor:
    """What each cell shows: (batch, c + 8, rows, columns), the noun's code, look, place on the thing, coverage.

    All but the coverage are multiplied by it, and things that share a cell are added.
    """
    owners = [(row, slot) for row, scene in enumerate(scenes) for slot in range(len(scene.objects))]
    objects = [scenes[row].objects[slot] for row, slot in owners]
    batch, _, height, width = pictures.visible.shape
    device = pictures.visible.device
    index = torch.tensor(owners, device=device).unbind(1)
    coverage = F.avg_pool2d(pictures.visible, BLOCK)[index].unsqueeze(1)
    grid = sampling_grid(objects, atlas, width // BLOCK, height // BLOCK)
    coordinates = box_coordinates(objects, atlas, grid).clamp(-1.3, 1.3)
    covered = F.avg_pool2d(coverage, CELL // BLOCK)
    spot = F.avg_pool2d(coordinates * coverage, CELL // BLOCK)
    numbers = [nouns.index(item.noun) for item in objects]
    code = torch.cat([codes[numbers], look_codes(objects, atlas).to(codes.device)], 1)[:, :, None, None]
    each = torch.cat([code * covered, spot, covered], 1)
    total = torch.zeros(batch, *each.shape[1:], device=device)
    return total.index_add_(0, index[0], each)


def fit_latent_map(codes: Tensor, means: Tensor, rgb: Tensor, colours: int) -> LatentMap:
    """The map that gives these sample scenes' latents even deviations; colours keep their leading components.

    Each component is divided by the root of its deviation: divided by all of it the faintest detail would be as loud as
    sky and ground, and undivided it would drown in the first noise.
    """
    mean, scale = torch.zeros(means.shape[1]), torch.zeros(means.shape[1])
    mean[-1] = means[:, -1].mean()
    start = 0
    for width, loud in ((codes.shape[1], LOUD), (LOOKS, 0.8 * LOUD), (2, LOUD), (1, LOUD)):
        part = slice(start, start + width)
        scale[part] = loud / (means[:, part] - mean[part].view(1, -1, 1, 1)).square().mean().sqrt()
        start += width
    patches = blocks(rgb).movedim(1, -1).reshape(-1, 3 * (CELL // BLOCK) ** 2).double()
    middle = patches.mean(0)
    values, vectors = torch.linalg.eigh((patches - middle).T @ (patches - middle) / len(patches))
    projection = vectors.flip(1)[:, :colours].T / values.flip(0)[:colours].sqrt().sqrt()[:, None]
    projection = projection * QUIET / ((patches - middle) @ projection.T).square().mean().sqrt()
    return LatentMap(codes, mean, scale, projection.float(), -(projection @ middle).float())
