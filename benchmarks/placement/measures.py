# SPDX-License-Identifier: MIT
"""What is measured of one picture, on the picture alone: nothing here knows an attention."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.placement.cases import Case, CaseTarget
from benchmarks.placement.ceiling import extent
from benchmarks.sheet import Coverage
from sg_core.judge import Detection, against, detect
from sg_core.toybox.segmenter import Segmenter


@dataclass(frozen=True)
class PlacementScore:
    """One target in one picture, as one Judge sees it.

    ``iou`` of masks, ``box`` of their tight boxes, ``offset`` between middles as a fraction of the diagonal (1 where
    the noun is not there), ``present`` 0 or 1.
    """

    iou: float
    box: float
    offset: float
    present: float


def look(picture: Tensor, case: Case, judges: Mapping[str, Segmenter]) -> dict[str, Any]:
    """A picture (3, SIDE, SIDE) in 0..1: what each Judge says of each target, and what no target asked for."""
    views = {name: detect(judge, picture[None], [judge.nouns])[0] for name, judge in judges.items()}
    nouns = {target.noun for target in case.targets}
    return {
        "scores": {
            name: [asdict(score(view[target.noun], target)) for target in case.targets] for name, view in views.items()
        },
        "strays": {name: strays(view, nouns) for name, view in views.items()},
        "saturation": saturation(picture),
        "clipped": clipped(picture),
        "features": features(picture[None], next(iter(judges.values())))[0].tolist(),
    }


def score(detection: Detection, target: CaseTarget) -> PlacementScore:
    """One detection against one target."""
    figures = against(detection, torch.from_numpy(target.mask))
    box = box_iou(detection.mask.numpy(), target.mask)
    return PlacementScore(figures["iou"], box, figures["offset"], figures["present"])


def box_iou(one: Coverage, other: Coverage) -> float:
    """IoU of the tight boxes of two masks; 0 where one is empty."""
    if not one.any() or not other.any():
        return 0.0
    boxes = [extent(mask) for mask in (one, other)]
    left, top = (max(box[k] for box in boxes) for k in (0, 1))
    right, bottom = (min(box[k] for box in boxes) for k in (2, 3))
    both = max(right - left, 0) * max(bottom - top, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in boxes]
    return both / (sum(areas) - both)


def strays(view: Mapping[str, Detection], nouns: set[str]) -> int:
    """How many nouns a Judge finds present that nobody asked for."""
    return sum(detection.present for noun, detection in view.items() if noun not in nouns)


def area_under(overlaps: Sequence[float]) -> float:
    """Area under accuracy over threshold (7Bench, Izzo et al. 2025): the share of overlaps above 0, 0.1, ... 1."""
    accuracy = [float(np.mean(np.array(overlaps) > threshold)) for threshold in np.linspace(0, 1, 11)]
    return sum(a + b for a, b in pairwise(accuracy)) / 20


def saturation(picture: Tensor) -> float:
    """Mean of (largest - smallest) / largest channel: 0 is grey, 1 pure colour."""
    high, low = picture.amax(0), picture.amin(0)
    return ((high - low) / high.clamp_min(1e-3)).mean().item()


def clipped(picture: Tensor) -> float:
    """The share of values that an 8-bit file would hold as 0 or 255."""
    return ((picture < 0.5 / 255) | (picture > 254.5 / 255)).float().mean().item()


def features(pictures: Tensor, judge: Segmenter) -> Tensor:
    """What the Judge's last layer reads, mean over the picture: (batch, channel)."""
    tensors: list[Tensor] = []
    hook = judge.network.get_submodule("read").register_forward_pre_hook(lambda _, inputs: tensors.append(inputs[0]))
    try:
        judge.probabilities(pictures)
    finally:
        hook.remove()
    return tensors[0].float().mean((2, 3))


def frechet(one: Coverage, other: Coverage) -> float:
    """Fréchet distance (Dowson and Landau 1982; Heusel et al. 2017) of two sets of features, each (picture, channel).

    |m - n|² + tr(S + T - 2 (S T)^(1/2)) with means m, n and covariances S, T.
    """
    gap = one.mean(0) - other.mean(0)
    spread, spread_ = (np.cov(rows, rowvar=False).astype(np.float64) for rows in (one, other))
    values, vectors = np.linalg.eigh(spread)
    root = vectors * np.sqrt(np.clip(values, 0, None)) @ vectors.T
    common = np.sqrt(np.clip(np.linalg.eigvalsh(root @ spread_ @ root), 0, None)).sum()
    return float(gap @ gap + np.trace(spread) + np.trace(spread_) - 2 * common)
