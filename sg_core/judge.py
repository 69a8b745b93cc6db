# SPDX-License-Identifier: MIT
"""What the Judge says of a picture: which things are there, where, and how well each fills its block."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from sg_core.toybox.judge import Judge

PRESENT_AREA = 0.01
PRESENT_PROBABILITY = 0.5


@dataclass(frozen=True)
class Sighting:
    """One noun in one picture: its mask (height, width), area (fraction), probability there, centroid or None."""

    mask: Tensor
    area: float
    probability: float
    centroid: tuple[float, float] | None

    @property
    def present(self) -> bool:
        """At least 1 % of the frame, with mean probability at least one half."""
        return self.area >= PRESENT_AREA and self.probability >= PRESENT_PROBABILITY


def look(judge: Judge, pictures: Tensor, nouns: Sequence[Sequence[str]]) -> list[dict[str, Sighting]]:
    """Look for each picture's nouns: pictures (batch, 3, height, width) in 0..1, one list of nouns a picture.

    Sides that are no multiples of 16 are enlarged to the next ones for the Judge, and its answer shrunk back.
    """
    height, width = pictures.shape[-2:]
    padded = [-(-side // 16) * 16 for side in (height, width)]
    if padded != [height, width]:
        pictures = F.interpolate(pictures, padded, mode="bilinear", align_corners=False)
    probabilities = judge.probabilities(pictures)
    if padded != [height, width]:
        probabilities = F.interpolate(probabilities, [height, width], mode="bilinear", align_corners=False)
    winners = probabilities.argmax(1)
    return [
        {noun: sighting(probabilities[row], winners[row], 1 + judge.nouns.index(noun)) for noun in wanted}
        for row, wanted in enumerate(nouns)
    ]


def sighting(probabilities: Tensor, winners: Tensor, index: int) -> Sighting:
    """One class in one picture: probabilities (class, height, width), winners (height, width)."""
    mask = winners == index
    count = int(mask.sum())
    if not count:
        return Sighting(mask, 0.0, 0.0, None)
    height, width = mask.shape
    rows, columns = mask.nonzero(as_tuple=True)
    centroid = ((columns.float().mean().item() + 0.5) / width, (rows.float().mean().item() + 0.5) / height)
    return Sighting(mask, count / mask.numel(), probabilities[index][mask].mean().item(), centroid)


def iou(one: Tensor, other: Tensor) -> float:
    """Intersection over union of two boolean masks; 0 where both are empty."""
    union = (one | other).sum().item()
    return (one & other).sum().item() / union if union else 0.0


def noun_of(phrase: str, nouns: Sequence[str]) -> str | None:
    """The noun the Judge knows a phrase by: its last word that is one; None if it has none."""
    known = [word for word in phrase.lower().split() if word in nouns]
    return known[-1] if known else None


def placement(judge: Judge, pictures: Tensor, targets: Mapping[str, Tensor]) -> list[dict[str, dict[str, float]]]:
    """How well each noun fills its target (height, width) in each picture: iou, present (0 or 1), offset.

    The offset, between centroids, is a fraction of the frame's diagonal, and 1 where the noun was not seen.
    """
    seen = look(judge, pictures, [list(targets)] * len(pictures))
    return [{noun: against(sights[noun], mask) for noun, mask in targets.items()} for sights in seen]


def against(sight: Sighting, target: Tensor) -> dict[str, float]:
    """One sighting compared with its block."""
    mask = target >= 0.5
    wanted = sighting(mask.float()[None], torch.where(mask, 0, 1), 0).centroid
    if sight.centroid is None or wanted is None:
        return {"iou": 0.0, "present": 0.0, "offset": 1.0}
    away = torch.dist(torch.tensor(sight.centroid), torch.tensor(wanted)).item() / 2**0.5
    return {"iou": iou(sight.mask, mask), "present": float(sight.present), "offset": away}
