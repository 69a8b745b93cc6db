# SPDX-License-Identifier: MIT
"""Endless training pictures by seed, and the latents of a fixed set of them kept in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from sg_core.toybox.autoencoder import PATCH, Basis, principal_components, read_basis
from sg_core.toybox.components import Parts
from sg_core.toybox.recipe import Recipe
from sg_core.toybox.scenes.atlas import Atlas
from sg_core.toybox.scenes.compose import Pictures, compose
from sg_core.toybox.scenes.correspondence import Correspondence, correspondence
from sg_core.toybox.scenes.scene import Scene, draw_scene

# Seeds are cut into ranges, so that no phase or measurement ever sees another's scenes.
DENOISER_SEEDS, DECODER_SEEDS, JUDGE_SEEDS, SECOND_JUDGE_SEEDS, TEST_SEEDS, BASIS_SEEDS = (
    k * 100_000_000 for k in range(6)
)


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
    """Latents (n, channels, rows, columns) in float16, token ids (n, length) and truth of one picture size."""

    latents: Tensor
    tokens: Tensor
    truth: Correspondence

    def rows(self, index: Tensor) -> "Bucket":
        """Some of the scenes."""
        return Bucket(self.latents[index], self.tokens[index], self.truth.rows(index))


@torch.no_grad()
def encode_scenes(recipe: Recipe, atlas: Atlas, parts: Parts) -> list[Bucket]:
    """The recipe's scenes as latents, by bucket."""
    basis = read_basis(parts.vae)
    basis = Basis(basis.kernels.to(atlas.pixels.device), basis.offsets.to(atlas.pixels.device))
    kept: dict[tuple[int, int], list[Bucket]] = {}
    with tqdm(total=recipe.scenes, desc="composing scenes", unit="scene", mininterval=2) as bar:
        for batch in stream(recipe, atlas, DENOISER_SEEDS, 64, recipe.scenes):
            latents = basis.encode(batch.pictures.rgb)
            tokens = parts.tokens([scene.caption for scene in batch.scenes]).to(latents.device)
            truth = correspondence(batch.scenes, batch.pictures, atlas, recipe.nouns, PATCH)
            kept.setdefault((latents.shape[-2], latents.shape[-1]), []).append(Bucket(latents.half(), tokens, truth))
            bar.update(len(batch.scenes))
    return [joined(buckets) for buckets in kept.values()]


def joined(buckets: Sequence[Bucket]) -> Bucket:
    """One bucket of several."""
    latents, tokens = torch.cat([b.latents for b in buckets]), torch.cat([b.tokens for b in buckets])
    classes, spots = torch.cat([b.truth.classes for b in buckets]), torch.cat([b.truth.spots for b in buckets])
    return Bucket(latents, tokens, Correspondence(classes, spots))


def patches_basis(recipe: Recipe, atlas: Atlas) -> Basis:
    """Principal components of a thousand scenes' patches, all buckets together."""
    kept = [batch.pictures.rgb for batch in stream(recipe, atlas, BASIS_SEEDS, 64, 1024)]
    return principal_components([rgb.cpu() for rgb in kept], recipe.latent_channels)
