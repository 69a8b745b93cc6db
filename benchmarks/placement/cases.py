# SPDX-License-Identifier: MIT
"""Layouts drawn by a fixed seed, as cases to measure: how many things there are comes first, then where they are.

Each case has random numbers of its own (split, kind, number of things, index), so that asking for more of them
changes none of those that were there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from benchmarks.placement.outlines import OUTLINES, SIDE, Extent, OutlineSubject, sides
from benchmarks.sheet import Coverage
from sg_core.toybox.scenes.atlas import Atlas
from sg_core.toybox.scenes.places import PLACES
from sg_core.toybox.scenes.scene import with_article

DRAW = 20230600986
SPLITS = ("development", "test")
FOUR = ("blocks", "silhouettes", "blobs", "hidden")  # the kinds that count for the main figures
KINDS = (*FOUR, "small")
COUNTS = (1, 2, 3)
BACKDROPS = tuple(PLACES)[:6]  # those that the fallback recipe knows
AREAS: Mapping[int, tuple[float, float]] = MappingProxyType({1: (0.08, 0.30), 2: (0.07, 0.22), 3: (0.06, 0.16)})
SMALL_AREAS = (0.018, 0.045)
SMALL = 0.05  # of the frame: what is called small
HIDDEN = (0.15, 0.55)  # the share that is hidden of whatever has something before it


@dataclass(frozen=True)
class CaseTarget:
    """Where one noun should be: coverages (SIDE, SIDE) of 0 and 1.

    ``mask`` is what can be seen of ``whole``; ``front`` is all that stands before it.
    """

    noun: str
    mask: Coverage
    whole: Coverage
    front: Coverage

    @property
    def area(self) -> float:
        """Visible fraction of the frame."""
        return float(self.mask.mean())


@dataclass(frozen=True)
class Case:
    """A prompt and its targets, far to near; ``name`` is split/kind/count/index."""

    name: str
    prompt: str
    targets: tuple[CaseTarget, ...]

    @property
    def masks(self) -> dict[str, Coverage]:
        """Noun to visible mask, far to near."""
        return {target.noun: target.mask for target in self.targets}

    @property
    def count(self) -> int:
        """How many things are asked for."""
        return len(self.targets)

    @property
    def kind(self) -> str:
        """One of KINDS."""
        return self.name.split("/")[1]


def draw_cases(split: str, each: int, atlas: Atlas, kinds: Sequence[str] = KINDS) -> Iterator[Case]:
    """``each`` cases of every kind with every number of things."""
    for kind in kinds:
        for count in COUNTS:
            for index in range(each):
                yield draw_case(split, kind, count, index, atlas)


def draw_case(split: str, kind: str, count: int, index: int, atlas: Atlas) -> Case:
    """The case of that name."""
    rng = np.random.default_rng([DRAW, SPLITS.index(split), KINDS.index(kind), count, index])
    nouns = [str(noun) for noun in rng.choice(list(atlas.by_noun), count, replace=False)]
    subjects = [OutlineSubject(noun, int(rng.choice(atlas.of(noun))), atlas) for noun in nouns]
    targets = draw_targets(rng, kind, subjects)
    phrase = str(rng.choice(PLACES[str(rng.choice(BACKDROPS))].phrases))
    *rest, last = [with_article(noun) for noun in rng.permutation(nouns)]
    objects = f"{', '.join(rest)} and {last}" if rest else last
    return Case(f"{split}/{kind}/{count}/{index}", f"{objects} {phrase}", targets)


def draw_targets(rng: np.random.Generator, kind: str, subjects: Sequence[OutlineSubject]) -> tuple[CaseTarget, ...]:
    """Outlines until they fit: apart from each other, or, for ``hidden``, each but the nearest behind another."""
    while True:
        wholes = draw_hidden(rng, subjects) if kind == "hidden" else draw_apart(rng, kind, subjects)
        targets = tuple(stacked([subject.noun for subject in subjects], wholes))
        if fits(kind, targets):
            return targets


def draw_apart(rng: np.random.Generator, kind: str, subjects: Sequence[OutlineSubject]) -> list[Coverage]:
    """One outline a subject, anywhere in the frame."""
    areas = SMALL_AREAS if kind == "small" else AREAS[len(subjects)]
    return [draw_silhouette(rng, kind, subject, areas) for subject in subjects]


def draw_hidden(rng: np.random.Generator, subjects: Sequence[OutlineSubject]) -> list[Coverage]:
    """Far to near, each starting where the one before it lies. One thing alone has a block before it that nobody
    names, as unmarked objects of a scene hide marked ones."""
    low, high = AREAS[len(subjects)]
    alone = len(subjects) == 1
    wholes: list[Coverage] = []
    for index, subject in enumerate([*subjects, *subjects[:alone]]):
        kind = "blocks" if index == len(subjects) else str(rng.choice(["blocks", "silhouettes"]))
        near = middle(wholes[-1]) + rng.normal(0, 0.16, 2) if wholes else None
        wholes.append(draw_silhouette(rng, kind, subject, (low, high), near))
    return wholes


def draw_silhouette(
    rng: np.random.Generator,
    kind: str,
    subject: OutlineSubject,
    areas: tuple[float, float],
    near: Coverage | None = None,
) -> Coverage:
    """One outline, whole inside the frame: (SIDE, SIDE) of 0 and 1. ``near`` is the middle (x, y) it should have."""
    outline = OUTLINES[kind if kind in OUTLINES else str(rng.choice(list(OUTLINES)))]
    fill = {"blocks": 0.9, "silhouettes": 0.65, "blobs": 0.6}.get(kind, 0.7)  # of its box, roughly
    width, height = sides(rng, rng.uniform(*areas) / fill, subject.atlas.tiles[subject.tile].aspect)
    anywhere = rng.uniform(width / 2, 1 - width / 2), rng.uniform(height / 2, 1 - height / 2)
    x, y = anywhere if near is None else np.clip(near, (width / 2, height / 2), (1 - width / 2, 1 - height / 2))
    return outline(rng, subject, Extent(float(x), float(y), width, height))


def stacked(nouns: Sequence[str], wholes: Sequence[Coverage]) -> Iterator[CaseTarget]:
    """Targets of outlines far to near; outlines beyond the last noun belong to nobody, and hide."""
    for index, noun in enumerate(nouns):
        front = np.max([np.zeros_like(wholes[0]), *wholes[index + 1 :]], axis=0)
        yield CaseTarget(noun, wholes[index] * (1 - front), wholes[index], front)


def fits(kind: str, targets: Sequence[CaseTarget]) -> bool:
    """Whether the targets are as their kind asks."""
    hidden = [1 - float(target.mask.sum() / max(target.whole.sum(), 1)) for target in targets]
    areas = SMALL_AREAS if kind == "small" else (0.03, 0.35)
    if any(not areas[0] <= target.area <= areas[1] for target in targets):
        return False
    if kind != "hidden":
        return not any(hidden)
    behind = hidden[: max(1, len(hidden) - 1)]
    return all(HIDDEN[0] <= share <= HIDDEN[1] for share in behind)


def middle(coverage: Coverage) -> Coverage:
    """The centroid (x right, y down) in fractions of the frame."""
    rows, columns = (np.mgrid[0:SIDE, 0:SIDE] + 0.5) / SIDE
    total = max(float(coverage.sum()), 1e-6)
    return np.array([(columns * coverage).sum() / total, (rows * coverage).sum() / total], dtype=np.float32)
