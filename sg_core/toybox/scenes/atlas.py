# SPDX-License-Identifier: MIT
"""The atlas: every picture of every noun in one WebP, unpacked to tensors the compositor samples from.

Pictures: 3D Fluent Emoji (Microsoft, MIT), from the npm package `@lobehub/fluent-emoji-3d`; see NOTICE.md.
The packed atlas is committed; after a change to nouns.json, build it again from the unpacked package:

    npm pack @lobehub/fluent-emoji-3d@1.1.0
    tar -xf lobehub-fluent-emoji-3d-1.1.0.tgz
    python -m sg_core.toybox.atlas package/assets

nouns.json names each noun's pictures by their code points. Recipes slice its order: new nouns go at the end.
"""

import argparse
import json
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

FOLDER = Path(__file__).parents[1]
SIDE = 256
LUMA = (0.299, 0.587, 0.114)
# Pictures that show their noun aslant, and the degrees, clockwise, to where it stands or flies as artists block it out.
ASLANT = {"rocket": -45.0, "airplane": 45.0, "guitar": -45.0}
SHRUNK = 0.7  # what lies across a picture's corners is longer than its sides
SEEN = 0.03  # the least coverage of a pixel inside a picture's box


@dataclass(frozen=True)
class Tile:
    """One picture in the atlas: its noun, and the box (left, top, right, bottom) of its visible pixels, 0..1.

    `turned` says that it is another one, turned upright.
    """

    noun: str
    box: tuple[float, float, float, float]
    turned: bool = False

    @property
    def aspect(self) -> float:
        """Width over height of the visible box."""
        left, top, right, bottom = self.box
        return (right - left) / (bottom - top)


@dataclass(frozen=True)
class Atlas:
    """Tiles and their pixels: `pixels` is (tile, 4, 256, 256), premultiplied RGBA in 0..1."""

    tiles: tuple[Tile, ...]
    pixels: Tensor

    @cached_property
    def levels(self) -> tuple[Tensor, ...]:
        """Mip levels from 256 down to 16 pixels, so that a small thing is not sampled into sparkle."""
        levels = [self.pixels]
        while levels[-1].shape[-1] > 16:
            levels.append(F.avg_pool2d(levels[-1], 2))
        return tuple(levels)

    @cached_property
    def hues(self) -> Tensor:
        """Dominant hue (radians in the I-Q plane) and mean chroma of each tile: (tile, 2)."""
        rgb, alpha = self.pixels[:, :3], self.pixels[:, 3]
        i, q = chroma(rgb)
        weight = torch.hypot(i, q)
        mass = alpha.sum((1, 2))
        hue = torch.atan2((q * weight).sum((1, 2)), (i * weight).sum((1, 2)))
        return torch.stack([hue, weight.sum((1, 2)) / mass], 1)

    @cached_property
    def by_noun(self) -> dict[str, tuple[int, ...]]:
        """Each noun's tiles as they were drawn; kept, because every thing of a million scenes asks."""
        return self._by_noun(turned=False)

    @cached_property
    def upright_by_noun(self) -> dict[str, tuple[int, ...]]:
        """The tiles turned upright, of each noun that is drawn ASLANT."""
        return self._by_noun(turned=True)

    def of(self, noun: str) -> tuple[int, ...]:
        """Indices of the tiles that show a noun, as they were drawn."""
        return self.by_noun[noun]

    def upright(self, noun: str) -> tuple[int, ...]:
        """Indices of those tiles turned upright, in the same order; none of a noun that is not drawn ASLANT."""
        return self.upright_by_noun.get(noun, ())

    def _by_noun(self, turned: bool) -> dict[str, tuple[int, ...]]:
        by_noun: dict[str, list[int]] = {}
        for index, tile in enumerate(self.tiles):
            if tile.turned == turned:
                by_noun.setdefault(tile.noun, []).append(index)
        return {noun: tuple(indices) for noun, indices in by_noun.items()}

    def to(self, device: torch.device | str) -> "Atlas":
        """The same atlas with its pixels on another device."""
        return Atlas(self.tiles, self.pixels.to(device))


def chroma(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """The I and Q axes (NTSC) of (batch, 3, ...) colours."""
    r, g, b = rgb.unbind(1)
    return 0.596 * r - 0.274 * g - 0.322 * b, 0.211 * r - 0.523 * g + 0.312 * b


def load_atlas(nouns: Collection[str] | None = None, folder: Path = FOLDER) -> Atlas:
    """Read atlas.webp and atlas.json; given nouns, keep only their tiles, in the same order (all of them: 460 MB)."""
    tiles = [Tile(t["noun"], tuple(t["box"])) for t in json.loads((folder / "atlas.json").read_text())]
    with Image.open(folder / "atlas.webp", formats=("WEBP",)) as sheet:
        sheet_pixels = torch.from_numpy(np.array(sheet.convert("RGBA")))
    columns = sheet_pixels.shape[1] // SIDE
    chosen = [index for index, tile in enumerate(tiles) if nouns is None or tile.noun in nouns]
    cells = [divmod(index, columns) for index in chosen]
    stack = torch.stack([sheet_pixels[y * SIDE : (y + 1) * SIDE, x * SIDE : (x + 1) * SIDE] for y, x in cells])
    pixels = stack.permute(0, 3, 1, 2).contiguous().float().div_(255)
    pixels[:, :3] *= pixels[:, 3:]
    return with_upright(Atlas(tuple(tiles[index] for index in chosen), pixels))


def with_upright(atlas: Atlas) -> Atlas:
    """The same atlas and, behind its tiles, those drawn ASLANT once more, turned upright."""
    aslant = [(index, ASLANT[tile.noun]) for index, tile in enumerate(atlas.tiles) if tile.noun in ASLANT]
    if not aslant:
        return atlas
    turned = torch.cat([turn(atlas.pixels[index], degrees) for index, degrees in aslant])
    boxes = [visible_box(pixels[3]) for pixels in turned]
    tiles = [Tile(atlas.tiles[index].noun, box, True) for (index, _), box in zip(aslant, boxes, strict=True)]
    return Atlas((*atlas.tiles, *tiles), torch.cat([atlas.pixels, turned]))


def turn(picture: Tensor, degrees: float) -> Tensor:
    """A picture (4, side, side) turned clockwise about its middle, and shrunk: (1, 4, side, side)."""
    cos, sin = math.cos(math.radians(degrees)) / SHRUNK, math.sin(math.radians(degrees)) / SHRUNK
    grid = F.affine_grid(torch.tensor([[[cos, sin, 0.0], [-sin, cos, 0.0]]]), [1, *picture.shape], align_corners=False)
    return F.grid_sample(picture[None], grid, align_corners=False)


def visible_box(alpha: Tensor) -> tuple[float, float, float, float]:
    """The box (left, top, right, bottom) of what is seen in a picture's coverage (side, side), 0..1."""
    rows, columns = ((alpha > SEEN).any(axis).nonzero()[:, 0] / len(alpha) for axis in (1, 0))
    pixel = 1 / len(alpha)
    return float(columns[0]), float(rows[0]), float(columns[-1]) + pixel, float(rows[-1]) + pixel


def build_atlas(assets: Path, folder: Path = FOLDER, quality: int = 82) -> int:
    """Pack the pictures that nouns.json names, from an unpacked npm package, into atlas.webp; returns its bytes."""
    nouns: dict[str, list[str]] = json.loads((folder / "nouns.json").read_text())
    pictures = [
        (noun, Image.open(assets / f"{code}.webp").convert("RGBA")) for noun, codes in nouns.items() for code in codes
    ]
    columns = min(32, math.ceil(math.sqrt(len(pictures))))
    sheet = Image.new("RGBA", (columns * SIDE, math.ceil(len(pictures) / columns) * SIDE))
    tiles = []
    for index, (noun, picture) in enumerate(pictures):
        row, column = divmod(index, columns)
        sheet.paste(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (column * SIDE, row * SIDE))
        box = picture.getchannel("A").point(lambda a: 255 * (a > 24)).getbbox()
        if box is None:
            raise ValueError(f"{noun}: one of its pictures is empty")
        tiles.append({"noun": noun, "box": [round(edge / picture.width, 4) for edge in box]})
    sheet.save(folder / "atlas.webp", quality=quality, alpha_quality=90, method=6)
    (folder / "atlas.json").write_text("[\n" + ",\n".join(json.dumps(tile) for tile in tiles) + "\n]\n")
    return (folder / "atlas.webp").stat().st_size


def main(words: Sequence[str] | None = None) -> int:
    """Build the atlas beside this file."""
    parser = argparse.ArgumentParser(prog="python -m sg_core.toybox.atlas", description="Pack the atlas.")
    parser.add_argument("assets", type=Path, help="the unpacked npm package's folder of .webp pictures")
    build_atlas(parser.parse_args(words).assets)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
