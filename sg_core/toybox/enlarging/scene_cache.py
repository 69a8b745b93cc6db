# SPDX-License-Identifier: MIT
"""Scenes in memory, with true latents and with those that the denoiser cleaned of noise."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from sg_core.toybox.enlarging.frozen_model import FrozenModel, sampler_times
from sg_core.toybox.latents import CELL
from sg_core.toybox.recipe import Recipe
from sg_core.toybox.scenes.atlas import Atlas
from sg_core.toybox.scenes.compose import compose
from sg_core.toybox.scenes.scene import draw_scene

SCALES = (1.0, 3.0, 5.0)
LATEST = 700  # the noisiest time from where the denoiser cleans true latents
FEWEST, MOST = 6, 12  # steps of the walk whose end is taken
CHUNK = 8


@dataclass
class SceneCache:
    """Scenes of one size, the oldest replaced.

    `pictures` (n, 3, height, width) uint8; `true` and `cleaned` are latents (n, channel, y, x) of them.
    """

    recipe: Recipe
    atlas: Atlas
    model: FrozenModel
    sides: tuple[int, int]
    size: int
    first_seed: int
    drawn: int = 0
    pictures: Tensor = field(init=False)
    true: Tensor = field(init=False)
    cleaned: Tensor = field(init=False)

    def __post_init__(self) -> None:
        width, height = self.sides
        device, cells = self.model.device, (height // CELL, width // CELL)
        self.pictures = torch.zeros(self.size, 3, height, width, dtype=torch.uint8, device=device)
        self.true = torch.zeros(self.size, self.model.channels, *cells, device=device)
        self.cleaned = torch.zeros_like(self.true)

    @property
    def filled(self) -> int:
        """How many scenes are there."""
        return min(self.drawn, self.size)

    def renew(self) -> None:
        """CHUNK scenes more in place of the oldest; all are cleaned from the same time, at the same scale."""
        width, height = self.sides
        seeds = range(self.first_seed + self.drawn, self.first_seed + self.drawn + CHUNK)
        scenes = [draw_scene(seed, self.atlas, self.recipe.vocabulary, width / height) for seed in seeds]
        rgb = compose(scenes, self.atlas, width, height).rgb
        true, tokens = self.model.latents(rgb), self.model.parts.tokens([scene.caption for scene in scenes])
        times = [time for time in sampler_times(np.random.randint(FEWEST, MOST + 1)) if time <= LATEST]
        times = times[np.random.randint(len(times) - 1) :]
        scale = SCALES[np.random.randint(len(SCALES))]
        rows = [number % self.size for number in range(self.drawn, self.drawn + CHUNK)]
        self.pictures[rows] = (rgb * 255).round().byte()
        self.true[rows] = true
        self.cleaned[rows] = self.model.walk(torch.randn_like(true), true, tokens.to(true.device), times, scale)
        self.drawn += CHUNK
