# SPDX-License-Identifier: MIT
"""Endless training pictures by seed, and the latents of a fixed set of them kept in memory."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from sg_core.toybox.atlas import Atlas
from sg_core.toybox.compose import Pictures, compose
from sg_core.toybox.parts import Parts
from sg_core.toybox.recipe import Recipe
from sg_core.toybox.scenes import Scene, draw_scene

# Seeds are cut into ranges, so that no phase or measurement ever sees another's scenes.
DENOISER_SEEDS, AUTOENCODER_SEEDS, JUDGE_SEEDS, SECOND_JUDGE_SEEDS, TEST_SEEDS = (k * 100_000_000 for k in range(5))


@dataclass(frozen=True)
class Batch:
    """Scenes of one size and their pictures."""

    scenes: tuple[Scene, ...]
    pictures: Pictures


def stream(recipe: Recipe, atlas: Atlas, start: int, batch: int, limit: int | None = None) -> Iterator[Batch]:
    """Batches from seed `start` on; the buckets take turns in proportion to their shares."""
    done, taken = 0, [0.0] * len(recipe.buckets)
    while limit is None or done < limit:
        due = max(range(len(taken)), key=lambda k: recipe.buckets[k][2] * (done + batch) - taken[k])
        width, height, _ = recipe.buckets[due]
        seeds = range(start + done, start + done + batch)
        scenes = tuple(draw_scene(seed, atlas, recipe.vocabulary, width / height) for seed in seeds)
        yield Batch(scenes, compose(scenes, atlas, width, height))
        taken[due] += batch
        done += batch


@dataclass(frozen=True)
class Bucket:
    """Latents (n, channels, rows, columns) in float16 and token ids (n, length) of one picture size."""

    latents: Tensor
    tokens: Tensor


@torch.no_grad()
def encode_scenes(recipe: Recipe, atlas: Atlas, parts: Parts) -> tuple[list[Bucket], float]:
    """The recipe's scenes as scaled latents, by bucket, and the scaling factor (1 over their standard deviation)."""
    vae = parts.vae.to(atlas.pixels.device, torch.bfloat16)
    kept: dict[tuple[int, int], list[tuple[Tensor, Tensor]]] = {}
    with tqdm(total=recipe.scenes, desc="encoding scenes", unit="scene", mininterval=2) as bar:
        for batch in stream(recipe, atlas, DENOISER_SEEDS, 64, recipe.scenes):
            mean = vae.encode(batch.pictures.rgb.to(torch.bfloat16) * 2 - 1).latent_dist.mode()
            tokens = parts.tokens([scene.caption for scene in batch.scenes])
            kept.setdefault((mean.shape[-2], mean.shape[-1]), []).append((mean.half(), tokens.to(mean.device)))
            bar.update(len(batch.scenes))
    parts.vae.float()
    buckets = [Bucket(torch.cat([m for m, _ in rows]), torch.cat([t for _, t in rows])) for rows in kept.values()]
    scaling = 1 / buckets[0].latents[:4096].float().std().item()
    return [Bucket((b.latents.float() * scaling).half(), b.tokens) for b in buckets], scaling
