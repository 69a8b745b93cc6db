# SPDX-License-Identifier: MIT
"""What is measured of an edit, on pictures alone. Changes are given beside the change between two seeds."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.edits.drawing import EditBlock, EditCase
from benchmarks.placement.outlines import SIDE
from sg_core.judge import Detection, detect, iou
from sg_core.toybox.segmenter import Segmenter

CELL = 8  # pixels of a cell of the latent
FAR = 2  # cells: beyond them nothing has to change
PATCH = 32
GHOST = 0.05  # of the old block: less of it is no ghost

EditNumbers = dict[str, float]
EditRow = dict[str, Any]  # what is kept of one case
Judges = Mapping[str, Segmenter]  # by their names


def detected(judge: Segmenter, picture: Tensor, *nouns: str) -> Mapping[str, Detection]:
    """What a Judge detects of these nouns in a picture (3, SIDE, SIDE)."""
    return detect(judge, picture[None], [nouns])[0]


def placement(judge: Segmenter, case: EditCase, before: Tensor, after: Tensor) -> EditNumbers:
    """Where a Judge sees the subject and the other one: ``iou``, ``ghost`` (0 or 1), ``drift`` in diagonals."""
    then, now = (detected(judge, picture, case.subject, case.other) for picture in (before, after))
    new = case.new.mask()
    was, is_now = then[case.other].centroid, now[case.other].centroid
    mask = now[case.subject].mask
    numbers = {"iou": iou(mask, new > 0.5), "ghost": ghost(mask, case.old.mask(), new)}
    if was is not None and is_now is not None:
        numbers["drift"] = math.dist(was, is_now) / 2**0.5
    return numbers


def ghost(mask: Tensor, old: Tensor, new: Tensor) -> float:
    """1 where something is left at the old mask (y, x), further than a cell from the new one; else 0."""
    around = F.max_pool2d(new[None, None], 2 * CELL + 1, 1, CELL)[0, 0] > 0.5
    left = (old > 0.5) & ~around
    return float(float((mask & left).sum()) > GHOST * max(1.0, float(left.sum())))


def differences(judge: Segmenter, case: EditCase, before: Tensor, after: Tensor, block: EditBlock) -> EditNumbers:
    """How far pictures differ: ``outside`` both blocks, the ``other`` one's pixels, the subject's ``colour`` and
    ``patches``; of the floor, ``block`` is the old one."""
    both = torch.maximum(case.old.mask(), case.new.mask())
    reach = 2 * FAR * CELL + 1
    outside = F.max_pool2d(both[None, None], reach, 1, FAR * CELL)[0, 0] == 0
    return {
        "outside": mean_change(before, after, outside),
        "other": mean_change(before, after, case.beside.mask() > 0.5),
        "colour": math.dist(*(colour(judge, case.subject, *pair) for pair in ((before, case.old), (after, block)))),
        "patches": patches(judge, case, before, after, block),
    }


def mean_change(before: Tensor, after: Tensor, inside: Tensor) -> float:
    """Mean absolute difference inside a mask."""
    return float((before - after).abs()[:, inside].mean()) if inside.any() else 0.0


def colour(judge: Segmenter, noun: str, picture: Tensor, block: EditBlock) -> list[float]:
    """Mean red, green and blue of a noun, of its block where the Judge sees none."""
    mask = detected(judge, picture, noun)[noun].mask
    inside = mask if mask.any() else block.mask() > 0.5
    mean: list[float] = picture[:, inside].mean(1).tolist()
    return mean


def patches(judge: Segmenter, case: EditCase, before: Tensor, after: Tensor, block: EditBlock) -> float:
    """RMS difference of the subject's box, resampled, where the picture before shows the subject."""
    mask = detected(judge, before, case.subject)[case.subject].mask
    weight = patch((mask if mask.any() else case.old.mask() > 0.5).float()[None], case.old)
    apart = (patch(before, case.old) - patch(after, block)).square().mean(0, keepdim=True)
    return math.sqrt(float((apart * weight).sum() / weight.sum().clamp_min(1e-6)))


def patch(picture: Tensor, block: EditBlock) -> Tensor:
    """A block's box of a picture (channel, SIDE, SIDE), (channel, PATCH, PATCH)."""
    left, top = (max(0, round((m - s / 2) * SIDE)) for m, s in ((block.x, block.width), (block.y, block.height)))
    right, bottom = (min(SIDE, round((m + s / 2) * SIDE)) for m, s in ((block.x, block.width), (block.y, block.height)))
    return F.interpolate(picture[None, :, top:bottom, left:right], (PATCH, PATCH), mode="area")[0]


def log_size(judge: Segmenter, noun: str, before: Tensor, after: Tensor) -> float | None:
    """log2 of how many times as large the noun became; None where it is not to be seen."""
    sizes = [detected(judge, picture, noun)[noun] for picture in (before, after)]
    return math.log2(sizes[1].area / sizes[0].area) if all(one.present for one in sizes) else None


def inside_features(judge: Segmenter, picture: Tensor, noun: str) -> Tensor:
    """What a Judge's last layer reads inside the noun: (channel,); of the whole picture where there is none."""
    tensors: list[Tensor] = []
    hook = judge.network.get_submodule("read").register_forward_pre_hook(lambda _, inputs: tensors.append(inputs[0]))
    try:
        mask = detected(judge, picture, noun)[noun].mask
    finally:
        hook.remove()
    values = tensors[0][0].float()
    weight = F.interpolate(mask.float()[None, None], values.shape[1:], mode="area")[0, 0]
    weight = weight if float(weight.sum()) > 0 else torch.ones_like(weight)
    return (values * weight).sum((1, 2)) / weight.sum()


def overlap(judge: Segmenter, before: Tensor, noun: str, after: Tensor, other: str) -> float:
    """IoU of what a Judge sees of one noun in one picture and of another in another."""
    masks = (detected(judge, picture, name)[name].mask for picture, name in ((before, noun), (after, other)))
    return iou(*masks)


def decibels(one: Tensor, other: Tensor) -> float:
    """Peak signal to noise of two pictures in 0..1."""
    return -10 * math.log10(max(1e-10, float((one - other).square().mean())))


def line(asked: list[float], achieved: list[float]) -> tuple[float, float]:
    """Slope and r² of achieved over asked."""
    slope = float(np.polyfit(asked, achieved, 1)[0])
    return slope, float(np.corrcoef(asked, achieved)[0, 1] ** 2)
