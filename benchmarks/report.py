# SPDX-License-Identifier: MIT
"""A finished job against its blockout: the Judge's figures and a sheet to look at."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from addon.protocol.blockout import Blockout, Region, mask_rows
from benchmarks.sheet import Coverage, grid, outlined, targets
from sg_core.judge import Judge, noun_of, placement
from sg_core.toybox.segmenter import load_judge

__all__ = ["Pair", "figures", "load_judge", "sheet"]

HEADS = ("blocking", "targets", "unguided, same seed", "guided")


@dataclass(frozen=True)
class Pair:
    """One blockout painted twice from one seed, as PNG files of the frame; `blocking` is Blender's own render."""

    name: str
    blockout: Blockout
    blocking: bytes
    unguided: bytes
    guided: bytes


def figures(pairs: Sequence[Pair], judge: Judge) -> dict[str, dict[str, object]]:
    """`{"guided": {"iou": mean, "regions": {"name: phrase": {...}}}, "unguided": ...}`, as the Judge sees it."""
    return {
        "guided": mean_of({k: v for pair in pairs for k, v in judged(pair, pair.guided, judge).items()}),
        "unguided": mean_of({k: v for pair in pairs for k, v in judged(pair, pair.unguided, judge).items()}),
    }


def judged(pair: Pair, picture: bytes, judge: Judge) -> dict[str, dict[str, float]]:
    """Each region whose noun the Judge knows: iou, present, offset."""
    regions = {noun_of(region.phrase, judge.nouns): region for region in pair.blockout.regions}
    blocks = {noun: torch.from_numpy(framed(region, pair.blockout)) for noun, region in regions.items() if noun}
    return {
        f"{pair.name}: {regions[noun].phrase}": {figure: round(value, 4) for figure, value in scores.items()}
        for noun, scores in placement(judge, tensor(picture)[None], blocks)[0].items()
    }


def mean_of(regions: Mapping[str, Mapping[str, float]]) -> dict[str, object]:
    """The regions and their mean IoU."""
    overlaps = [scores["iou"] for scores in regions.values()]
    return {"iou": round(float(np.mean(overlaps)), 4), "regions": dict(regions)}


def framed(region: Region, blockout: Blockout) -> Coverage:
    """A region's coverage of the artist's frame, (height, width) in 0..1, at the cropped picture's resolution."""
    mask = Image.fromarray(np.asarray(mask_rows(region.mask)))
    enlarged = mask.resize((blockout.width, blockout.height), Image.Resampling.BILINEAR)
    frame = blockout.frame
    cropped = enlarged.crop((frame.left, frame.top, frame.left + frame.width, frame.top + frame.height))
    return np.asarray(cropped, dtype=np.float32) / 255


def tensor(png: bytes) -> Tensor:
    """A PNG as (3, height, width) in 0..1."""
    pixels = np.asarray(image(png), dtype=np.float32) / 255
    return torch.from_numpy(pixels).permute(2, 0, 1)


def image(png: bytes) -> Image.Image:
    """A PNG as a picture."""
    with Image.open(io.BytesIO(png), formats=("PNG",)) as opened:
        return opened.convert("RGB")


def sheet(pairs: Sequence[Pair], height: int = 256) -> Image.Image:
    """A row an example: blocking, targets, unguided, guided with the targets' outlines."""
    return grid([row(pair, height) for pair in pairs], HEADS)


def row(pair: Pair, height: int) -> list[Image.Image]:
    """One example's four pictures, all of one size."""
    frame = pair.blockout.frame
    size = (round(height * frame.width / frame.height), height)
    masks = {region.phrase: framed(region, pair.blockout) for region in pair.blockout.regions}
    blocking, unguided, guided = (
        image(png).resize(size, Image.Resampling.BICUBIC) for png in (pair.blocking, pair.unguided, pair.guided)
    )
    return [blocking, targets(masks, size), unguided, outlined(guided, masks)]
