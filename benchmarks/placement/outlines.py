# SPDX-License-Identifier: MIT
"""The outlines that cases are made of, each (SIDE, SIDE) of 0 and 1: what an artist, a mesh or chance would draw."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from benchmarks.sheet import Coverage
from sg_core.toybox.scenes.atlas import Atlas
from sg_core.toybox.scenes.compose import sampling_grid, sprites
from sg_core.toybox.scenes.scene import SceneObject

SIDE = 128


@dataclass(frozen=True)
class Extent:
    """Where an outline lies: centre (x right, y down) and sides, all in fractions of the frame."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class OutlineSubject:
    """What an outline is drawn of: a noun, and one of its pictures in the atlas."""

    noun: str
    tile: int
    atlas: Atlas


Outline = Callable[[np.random.Generator, OutlineSubject, Extent], Coverage]


def block(rng: np.random.Generator, subject: OutlineSubject, box: Extent) -> Coverage:
    """A box, or, every other time, the ball (an ellipse) inside it."""
    u, v = positions(box)
    inside = u * u + v * v <= 1 if rng.random() < 0.5 else (abs(u) <= 1) & (abs(v) <= 1)
    return np.asarray(inside, dtype=np.float32)


def blob(rng: np.random.Generator, subject: OutlineSubject, box: Extent) -> Coverage:
    """Round about, with three to five random waves along its edge: an outline that no noun has."""
    u, v = positions(box)
    angle = np.arctan2(v, u)
    waves = range(2, int(rng.integers(5, 8)))
    edge = sum(0.22 / wave**0.5 * rng.normal() * np.cos(wave * angle + rng.uniform(0, 2 * math.pi)) for wave in waves)
    return np.asarray(np.hypot(u, v) <= np.clip(0.85 * (1 + edge), 0.3, 1.2), dtype=np.float32)


def silhouette(rng: np.random.Generator, subject: OutlineSubject, box: Extent) -> Coverage:
    """Another instance of the noun itself: turned, bent and either way round, as the model's training drew them."""
    item = SceneObject(
        noun=subject.noun,
        tile=subject.tile,
        colour=None,
        said=False,
        x=box.x,
        y=box.y,
        width=box.width,
        height=box.height,
        angle=float(rng.normal(0, 0.12)),
        flip=bool(rng.random() < 0.5),
        warp=(*rng.uniform(0, 0.06, 2).tolist(), *rng.random(2).tolist()),
    )
    grid = sampling_grid([item], subject.atlas, SIDE, SIDE)
    alpha = sprites([item], subject.atlas, grid)[0, 3].numpy()
    return np.asarray(alpha >= 0.5, dtype=np.float32)


OUTLINES: Mapping[str, Outline] = MappingProxyType({"blocks": block, "silhouettes": silhouette, "blobs": blob})


def positions(box: Extent) -> tuple[Coverage, Coverage]:
    """Each pixel's place (u right, v down), -1 to 1 inside the box: both (SIDE, SIDE)."""
    rows, columns = (np.mgrid[0:SIDE, 0:SIDE] + 0.5) / SIDE
    return (columns - box.x) / (box.width / 2), (rows - box.y) / (box.height / 2)


def sides(rng: np.random.Generator, area: float, aspect: float) -> tuple[float, float]:
    """Width and height of a box of about this area and its noun's proportions; none longer than the frame."""
    aspect *= math.exp(rng.normal(0, 0.15))
    width, height = math.sqrt(area * aspect), math.sqrt(area / aspect)
    shrink = 0.96 / max(width, height, 0.96)
    return width * shrink, height * shrink
