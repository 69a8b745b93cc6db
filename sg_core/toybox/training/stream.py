# SPDX-License-Identifier: MIT
"""Endless training pictures by seed."""

from collections.abc import Iterator
from dataclasses import dataclass

from sg_core.toybox.recipe import Recipe
from sg_core.toybox.scenes.atlas import Atlas
from sg_core.toybox.scenes.compose import Pictures, compose
from sg_core.toybox.scenes.scene import Scene, draw_scene

# Seeds are cut into ranges, so that no phase or measurement ever sees another's scenes. The first is the pools'.
POOL_SEEDS, SHARED_SEEDS, JUDGE_SEEDS, SECOND_JUDGE_SEEDS, TEST_SEEDS, SAMPLE_SEEDS = (
    k * 100_000_000 for k in range(6)
)


@dataclass(frozen=True)
class Batch:
    """Scenes of one size and their pictures."""

    scenes: tuple[Scene, ...]
    pictures: Pictures


def stream(recipe: Recipe, atlas: Atlas, start: int, batch: int, limit: int | None = None) -> Iterator[Batch]:
    """Batches from seed `start` on; the buckets take turns in proportion to their shares."""
    finished, shares = 0, [0.0] * len(recipe.buckets)
    while limit is None or finished < limit:
        due = max(range(len(shares)), key=lambda k: recipe.buckets[k][2] * (finished + batch) - shares[k])
        width, height, _ = recipe.buckets[due]
        seeds, small = range(start + finished, start + finished + batch), recipe.smallest(width, height)
        scenes = tuple(draw_scene(s, atlas, recipe.vocabulary, width / height, smallest=small) for s in seeds)
        yield Batch(scenes, compose(scenes, atlas, width, height))
        shares[due] += batch
        finished += batch
