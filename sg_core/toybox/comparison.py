# SPDX-License-Identifier: MIT
"""Painted pictures beside true scenes of the same captions, all held out, by the measures of `quality.py`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from tqdm import tqdm

from sg_core.toybox.quality import (
    best_outline,
    colour_references,
    features,
    frechet,
    gradient_energy,
    inside_masks,
    obeys_size,
    outlines,
    visible_colour,
)
from sg_core.toybox.scenes.atlas import Atlas
from sg_core.toybox.scenes.compose import compose
from sg_core.toybox.scenes.scene import SIZES, Scene, Vocabulary, draw_scene
from sg_core.toybox.segmenter import Segmenter
from sg_core.toybox.training.stream import TEST_SEEDS

BATCH = 16
SCENE_SEEDS, COLOUR_SEEDS = TEST_SEEDS + 20_000_000, TEST_SEEDS + 30_000_000
KINDS = {word: kind for kind, words in SIZES.items() for word in words}

Painter = Callable[[list[str], Sequence[int]], Tensor]
"""Captions and seeds -> pictures (n, 3, side, side) in 0..1."""


@dataclass(frozen=True)
class Laboratory:
    """What pictures are compared by."""

    paint: Painter
    atlas: Atlas
    vocabulary: Vocabulary
    judge: Segmenter
    second: Segmenter
    side: int

    def batches(self, scenes: Sequence[Scene], title: str) -> Iterator[tuple[Sequence[Scene], Tensor, Tensor]]:
        """Each batch of scenes with its painted pictures and its true ones."""
        for start in tqdm(range(0, len(scenes), BATCH), desc=title, leave=False):
            some = scenes[start : start + BATCH]
            painted = self.paint([scene.caption for scene in some], range(start, start + len(some)))
            yield some, painted, compose(some, self.atlas, self.side, self.side).rgb

    def masks(self, pictures: Tensor, scenes: Sequence[Scene]) -> list[dict[str, Tensor]]:
        """Where the Judge sees each caption's nouns."""
        return inside_masks(self.judge.probabilities(pictures), scenes, self.judge.nouns)


@dataclass
class Tally:
    """What is gathered of one kind of pictures: gradients inside things, features, outlines."""

    energies: list[float] = field(default_factory=list)
    features: list[Tensor] = field(default_factory=list)
    outlines: list[float] = field(default_factory=list)


def compare(laboratory: Laboratory, count: int) -> dict[str, list[float] | float]:
    """Sharpness and the Frechet distance as they are; outline, colour and size as values to average."""
    scenes = [
        draw_scene(SCENE_SEEDS + k, laboratory.atlas, laboratory.vocabulary, count=1 + k % 3, test=True)
        for k in range(count)
    ]
    references = {noun: outlines(noun, laboratory.atlas) for noun in laboratory.vocabulary.nouns}
    painted, true = Tally(), Tally()
    for some, pictures, visible in laboratory.batches(scenes, "comparison"):
        gather(laboratory, painted, some, pictures, references)
        gather(laboratory, true, some, visible, references)
    return {
        "sharpness": sum(painted.energies) / sum(true.energies),
        "frechet": frechet(torch.cat(painted.features), torch.cat(true.features)),
        "outline": painted.outlines,
        "outline_true": true.outlines,
        **obeyed(laboratory, min(count, 128)),
    }


def gather(
    laboratory: Laboratory, tally: Tally, scenes: Sequence[Scene], pictures: Tensor, references: dict[str, Tensor]
) -> None:
    """Add a batch."""
    masks = laboratory.masks(pictures, scenes)
    inside = torch.stack([torch.stack(list(masks_by_noun.values())).any(0) for masks_by_noun in masks])
    if inside.any():
        tally.energies.append(gradient_energy(pictures, inside))
    tally.features.append(features(laboratory.second, pictures))
    tally.outlines += [
        best_outline(mask, references[noun]) for masks_by_noun in masks for noun, mask in masks_by_noun.items()
    ]


def obeyed(laboratory: Laboratory, count: int) -> dict[str, list[float] | float]:
    """Of things alone whose colour, whose size was said: 1 where it was obeyed, and the same of true scenes."""
    coloured = matching_scenes(laboratory, count, lambda scene: scene.objects[0].said)
    sized = matching_scenes(laboratory, count, lambda scene: scene.objects[0].sized != "")
    values: dict[str, list[float] | float] = {}
    for name, scenes, judge in (("colour", coloured, obeys_colour), ("size", sized, obeys)):
        painted: list[float] = []
        true: list[float] = []
        for some, pictures, visible in laboratory.batches(scenes, name):
            painted += judge(laboratory, some, pictures)
            true += judge(laboratory, some, visible)
        values |= {name: painted, f"{name}_true": true}
    return values


def matching_scenes(laboratory: Laboratory, count: int, condition: Callable[[Scene], bool]) -> list[Scene]:
    """The first so many scenes of one thing that are wanted."""
    scenes: list[Scene] = []
    seed = COLOUR_SEEDS
    while len(scenes) < count:
        scene = draw_scene(seed, laboratory.atlas, laboratory.vocabulary, count=1, test=True)
        seed += 1
        if scene.objects and condition(scene):
            scenes.append(scene)
    return scenes


def obeys_colour(laboratory: Laboratory, scenes: Sequence[Scene], pictures: Tensor) -> list[float]:
    """1 where a picture's only thing has the colour its caption says."""
    values = []
    for scene, rgb, masks_by_noun in zip(scenes, pictures, laboratory.masks(pictures, scenes), strict=True):
        (item,) = scene.objects
        references = colour_references(item.noun, scene.place, laboratory.atlas)
        values.append(float(visible_colour(rgb, masks_by_noun[item.noun], references) == item.colour))
    return values


def obeys(laboratory: Laboratory, scenes: Sequence[Scene], pictures: Tensor) -> list[float]:
    """1 where a picture's only thing is as small or as big as its caption says."""
    masks = laboratory.masks(pictures, scenes)
    objects = [scene.objects[0] for scene in scenes]
    return [
        float(obeys_size(KINDS[item.sized], masks_by_noun[item.noun]))
        for item, masks_by_noun in zip(objects, masks, strict=True)
    ]
