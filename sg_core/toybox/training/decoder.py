# SPDX-License-Identifier: MIT
"""Train the decoder: paint what the principal components left out."""

from pathlib import Path

import torch
from torch import Tensor

from sg_core.toybox.autoencoder import read_basis
from sg_core.toybox.recipe import Recipe
from sg_core.toybox.scenes.atlas import Atlas
from sg_core.toybox.training.denoiser import begin
from sg_core.toybox.training.optimise import Learner, fit
from sg_core.toybox.training.stream import DECODER_SEEDS, stream


def train_decoder(recipe: Recipe, atlas: Atlas, folder: Path, planned: float, chunk: float) -> float:
    """Paint what the components left out, from latents with a little of a denoiser's error in them."""
    parts = begin(recipe, atlas, folder)
    vae = parts.vae.to(atlas.pixels.device)
    basis = read_basis(vae)
    vae.encoder.requires_grad_(False)
    learner = Learner({"decoder": vae.decoder}, 5e-3, decay=0.998)
    learner.resume(folder / "decoder")
    batches = stream(recipe, atlas, DECODER_SEEDS + 8 * learner.steps, 8)

    def loss() -> Tensor:
        picture = crops(next(batches).pictures.rgb, 2) if learner.spent < 0.8 * planned else next(batches).pictures.rgb
        latent = basis.encode(picture)
        latent = latent + 0.1 * torch.rand(len(latent), 1, 1, 1, device=latent.device) * torch.randn_like(latent)
        error = vae.decode(latent.to(learner.precision)).sample.float() - (picture * 2 - 1)
        edges = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
        total: Tensor = 10 * error.square().mean() + 0.2 * error.abs().mean() + 0.3 * edges
        return total

    before = learner.spent
    fit(learner, loss, planned, chunk, folder / "decoder", "decoder")
    learner.settle()
    parts.save(folder / "model")
    return learner.spent - before


def crops(picture: Tensor, times: int) -> Tensor:
    """Random windows of half the side, `times` from each picture."""
    height, width = picture.shape[-2] // 2, picture.shape[-1] // 2
    corners = torch.rand(times, 2).tolist()
    spots = [(round(y * height), round(x * width)) for y, x in corners]
    return torch.cat([picture[..., y : y + height, x : x + width] for y, x in spots])
