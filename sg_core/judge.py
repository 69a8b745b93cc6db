# SPDX-License-Identifier: MIT
"""What a Judge says of a picture: which objects are there, where, and how well each fills its block.

A Judge is a segmenter that looks at *pictures*, never at the attention that was optimised. The one that ships belongs
to Toybox (``sg_core.toybox.segmenter``); whoever calls these functions hands one in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

PRESENT_AREA = 0.01
PRESENT_PROBABILITY = 0.5
MULTIPLE = 16  # pixels that the sides of a Judge's pictures are multiples of


class Judge(Protocol):
    """A segmenter of one class a noun; class 0 is background."""

    @property
    def nouns(self) -> Sequence[str]:
        """What it knows, in the order of its classes from 1 on."""

    def probabilities(self, rgb: Tensor) -> Tensor:
        """Class probabilities (batch, 1 + nouns, height, width) of pictures (batch, 3, height, width) in 0..1.

        Heights and widths are multiples of 16.
        """


@dataclass(frozen=True)
class Detection:
    """One noun in one picture.

    Attributes:
        mask: (height, width), true where the noun is the likeliest class.
        area: of the mask, as a fraction of the picture.
        probability: mean over the mask.
        centroid: of the mask, (x right, y down) in 0..1; None where the mask is empty.
    """

    mask: Tensor
    area: float
    probability: float
    centroid: tuple[float, float] | None

    @property
    def present(self) -> bool:
        """At least 1 % of the frame, with mean probability at least one half."""
        return self.area >= PRESENT_AREA and self.probability >= PRESENT_PROBABILITY


def detect(judge: Judge, pictures: Tensor, nouns: Sequence[Sequence[str]]) -> list[dict[str, Detection]]:
    """Each picture's nouns in it, by noun: pictures (batch, 3, height, width) in 0..1, one list of nouns a picture.

    Sides that are no multiples of 16 are enlarged to the next ones for the Judge, and its answer shrunk back.

    Raises ValueError for a noun that the Judge does not know.
    """
    height, width = pictures.shape[-2:]
    padded = [-(-side // MULTIPLE) * MULTIPLE for side in (height, width)]
    if padded != [height, width]:
        pictures = F.interpolate(pictures, padded, mode="bilinear", align_corners=False)
    probabilities = judge.probabilities(pictures)
    if padded != [height, width]:
        probabilities = F.interpolate(probabilities, [height, width], mode="bilinear", align_corners=False)
    winners = probabilities.argmax(1)
    return [
        {noun: detection(probabilities[row], winners[row], 1 + judge.nouns.index(noun)) for noun in names}
        for row, names in enumerate(nouns)
    ]


def detection(probabilities: Tensor, winners: Tensor, index: int) -> Detection:
    """One class in one picture: probabilities (class, height, width), winners (height, width)."""
    mask = winners == index
    count = int(mask.sum())
    if not count:
        return Detection(mask, 0.0, 0.0, None)
    height, width = mask.shape
    rows, columns = mask.nonzero(as_tuple=True)
    centroid = ((columns.float().mean().item() + 0.5) / width, (rows.float().mean().item() + 0.5) / height)
    return Detection(mask, count / mask.numel(), probabilities[index][mask].mean().item(), centroid)


def iou(one: Tensor, other: Tensor) -> float:
    """Intersection over union of two boolean masks; 0 where both are empty."""
    union = (one | other).sum().item()
    return (one & other).sum().item() / union if union else 0.0


def noun_of(phrase: str, nouns: Sequence[str]) -> str | None:
    """The noun the Judge knows a phrase by: its last word that is one; None if it has none."""
    words = [word for word in phrase.lower().split() if word in nouns]
    return words[-1] if words else None


def placement(judge: Judge, pictures: Tensor, targets: Mapping[str, Tensor]) -> list[dict[str, dict[str, float]]]:
    """How well each noun fills its target in each picture: ``iou``, ``present`` (0 or 1), ``offset``, by noun.

    The offset, between centroids, is a fraction of the frame's diagonal, and 1 where the noun was not seen.

    Args:
        pictures: (batch, 3, height, width) in 0..1.
        targets: noun to coverage (height, width) in 0..1.
    """
    detections = detect(judge, pictures, [list(targets)] * len(pictures))
    return [{noun: against(row[noun], target) for noun, target in targets.items()} for row in detections]


def against(detected: Detection, target: Tensor) -> dict[str, float]:
    """One detection compared with its block, coverage (height, width) in 0..1."""
    mask = target >= 0.5
    goal = detection(mask.float()[None], torch.where(mask, 0, 1), 0).centroid
    if detected.centroid is None or goal is None:
        return {"iou": 0.0, "present": 0.0, "offset": 1.0}
    distance = torch.dist(torch.tensor(detected.centroid), torch.tensor(goal)).item() / 2**0.5
    return {"iou": iou(detected.mask, mask), "present": float(detected.present), "offset": distance}
