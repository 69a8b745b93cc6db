# SPDX-License-Identifier: MIT
"""A sheet of pictures while training goes on, to look at."""

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from sg_core.toybox.components import Parts
from sg_core.toybox.recipe import Recipe
from sg_core.toybox.scenes.atlas import Atlas
from sg_core.toybox.scenes.scene import draw_scene
from sg_core.toybox.training.stream import TEST_SEEDS

SIDE = 4
STEPS, SCALE = 20, 4.0


def sample_sheet(recipe: Recipe, atlas: Atlas, parts: Parts, file: Path) -> None:
    """Sixteen held-out captions, painted by the plain pipeline."""
    pipeline = parts.pipeline()
    pipeline.to(parts.unet.device)
    pipeline.set_progress_bar_config(disable=True)
    seeds = range(TEST_SEEDS, TEST_SEEDS + SIDE * SIDE)
    captions = [draw_scene(seed, atlas, recipe.vocabulary, test=True).caption for seed in seeds]
    width, height, _ = recipe.buckets[0]
    noise = torch.Generator("cpu").manual_seed(0)
    pictures = pipeline(
        captions,
        width=width,
        height=height,
        num_inference_steps=STEPS,
        guidance_scale=SCALE,
        generator=noise,
        output_type="pt",
    ).images
    tile(pictures.float().cpu()).save(file)


def tile(pictures: Tensor) -> Image.Image:
    """Square sheet of (count, 3, height, width) in 0..1."""
    side = round(len(pictures) ** 0.5)
    rows = pictures.clamp(0, 1).view(side, side, *pictures.shape[1:]).permute(0, 3, 1, 4, 2).flatten(0, 1).flatten(1, 2)
    return Image.fromarray((rows * 255).round().byte().numpy())
