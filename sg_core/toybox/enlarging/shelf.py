# SPDX-License-Identifier: MIT
"""Scenes in memory with three kinds of latents: true, cleaned by the denoiser, sampled by it from noise."""

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sg_core.toybox.enlarging.settled_model import SettledModel, sampler_times
from sg_core.toybox.recipe import Recipe
from sg_core.toybox.scenes.atlas import Atlas
from sg_core.toybox.scenes.compose import compose
from sg_core.toybox.scenes.scene import draw_scene

CELL = 16
SCALES = (1.0, 3.0, 5.0)
LATEST = 700  # the noisiest time from where the denoiser cleans true latents
CHUNK = 8
TRUE, CLEANED, SAMPLED = KINDS = range(3)


@dataclass
class Shelf:
    """Scenes of one size in memory, the oldest replaced.

    `pictures` (n, 3, height, width) uint8, and for each kind of latents `latents[kind]` (n, channel, y, x). `rough` are
    today's pictures of the samples, at an eighth of the sides.
    """

    recipe: Recipe
    atlas: Atlas
    model: SettledModel
    sides: tuple[int, int]
    size: int
    first_seed: int
    drawn: int = 0
    pictures: Tensor = field(init=False)
    latents: list[Tensor] = field(init=False)
    rough: Tensor = field(init=False)

    def __post_init__(self) -> None:
        width, height = self.sides
        cells = (self.model.channels, height // CELL, width // CELL)
        self.pictures = torch.zeros(self.size, 3, height, width, dtype=torch.uint8)
        self.latents = [torch.zeros(self.size, *cells) for _ in KINDS]
        self.rough = torch.zeros(self.size, 3, height // 8, width // 8)

    @property
    def filled(self) -> int:
        """How many scenes are there."""
        return min(self.drawn, self.size)

    def renew(self) -> None:
        """CHUNK scenes more, with all kinds of latents, in place of the oldest."""
        width, height = self.sides
        seeds = range(self.first_seed + self.drawn, self.first_seed + self.drawn + CHUNK)
        scenes = [draw_scene(seed, self.atlas, self.recipe.vocabulary, width / height) for seed in seeds]
        rgb = compose(scenes, self.atlas, width, height).rgb
        true, captions = self.model.latents(rgb), [scene.caption for scene in scenes]
        scale = SCALES[np.random.randint(len(SCALES))]
        times = sampler_times(np.random.randint(6, 13))
        late = [time for time in times if time <= LATEST]
        late = late[np.random.randint(len(late) - 1) :]
        cleaned = self.model.walk(torch.randn_like(true), true, captions, late, scale)
        sampled = self.model.walk(torch.randn_like(true), torch.zeros_like(true), captions, times, SCALES[-1])
        rows = [number % self.size for number in range(self.drawn, self.drawn + CHUNK)]
        self.pictures[rows] = (rgb * 255).round().byte()
        for kind, latents in ((TRUE, true), (CLEANED, cleaned), (SAMPLED, sampled)):
            self.latents[kind][rows] = latents
        self.rough[rows] = F.avg_pool2d(self.model.picture(sampled), 8)
        self.drawn += CHUNK
