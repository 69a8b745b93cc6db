# SPDX-License-Identifier: MIT
"""Train the denoiser with its text encoder: velocity prediction on the latents of composed scenes."""

from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor

from sg_core.toybox.components import Parts, build_parts, load_parts
from sg_core.toybox.recipe import Recipe
from sg_core.toybox.scenes.atlas import Atlas
from sg_core.toybox.scenes.correspondence import Reader, overheard
from sg_core.toybox.training.optimise import Learner, fit
from sg_core.toybox.training.samples import sample_sheet
from sg_core.toybox.training.stream import Bucket, encode_scenes, patches_basis

EMPTY_CAPTIONS = 0.1
LESSON = 0.15  # weight of the correspondence beside the velocity


def train_denoiser(recipe: Recipe, atlas: Atlas, folder: Path, planned: float, chunk: float) -> float:
    """Velocity prediction (Salimans and Ho, 2022), correspondence in passing; a tenth of the captions empty.

    Half of the times are drawn logit-normally (Esser et al., 2024), for outlines are decided between much noise and
    little; half evenly, for where a thing goes is decided in most noise.
    """
    parts = begin(recipe, atlas, folder)
    device = atlas.pixels.device
    buckets = encode_scenes(recipe, atlas, parts)
    unet, text = parts.unet.to(device).train(), parts.text_encoder.to(device).train()
    reader = Reader(recipe.denoiser_channels[1], len(recipe.nouns)).to(device)
    if device.type == "cpu":  # SDPA's backward is slow on the CPU for heads this small
        unet.set_attn_processor(AttnProcessor())
    learner = Learner({"unet": unet, "text": text, "reader": reader}, recipe.learning_rate)
    learner.resume(folder / "denoiser")
    empty = parts.tokens([""]).to(device)
    alphas = parts.scheduler.alphas_cumprod.to(device)
    rows = minibatches(buckets, recipe.batch)

    def loss() -> Tensor:
        batch = next(rows)
        tokens = torch.where(torch.rand(len(batch.tokens), 1, device=device) < EMPTY_CAPTIONS, empty, batch.tokens)
        time = (draw_times(len(tokens), device) * len(alphas)).long()
        alpha, sigma = alphas[time].sqrt().view(-1, 1, 1, 1), (1 - alphas[time]).sqrt().view(-1, 1, 1, 1)
        latents = batch.latents.float()
        noise = torch.randn_like(latents)
        noisy = (alpha * latents + sigma * noise).to(learner.precision)
        with overheard(unet) as heard:
            predicted = unet(noisy, time, text(tokens).last_hidden_state).sample
        missed = F.mse_loss(predicted.float(), alpha * noise - sigma * latents)
        return missed + LESSON * reader.loss(heard[0], batch.truth)

    before = learner.spent
    fit(learner, loss, planned, chunk, folder / "denoiser", "denoiser")
    learner.settle()
    unet.set_default_attn_processor()
    parts.save(folder / "model")
    sample_sheet(recipe, atlas, parts, folder / f"samples-{learner.steps}.png")
    return learner.spent - before


def draw_times(count: int, device: torch.device) -> Tensor:
    """Times (count,) in 0..1, one half of a batch logit-normal, the other even."""
    even = torch.rand(count, device=device)
    even[: count // 2] = torch.randn(count // 2, device=device).sigmoid()
    return even.clamp(max=1 - 1e-6)


def begin(recipe: Recipe, atlas: Atlas, folder: Path) -> Parts:
    """The parts as an earlier phase or chunk left them, or new ones."""
    if not (folder / "model" / "model_index.json").exists():
        build_parts(recipe, patches_basis(recipe, atlas), folder / "model").save(folder / "model")
    return load_parts(folder / "model")


def minibatches(buckets: list[Bucket], batch: int) -> Iterator[Bucket]:
    """Random rows for ever: buckets by their number of rows, rows uniformly."""
    shares = torch.tensor([float(len(bucket.tokens)) for bucket in buckets])
    while True:
        bucket = buckets[int(torch.multinomial(shares, 1))]
        yield bucket.rows(torch.randint(len(bucket.tokens), (batch,), device=bucket.tokens.device))
