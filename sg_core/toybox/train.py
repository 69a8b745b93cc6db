# SPDX-License-Identifier: MIT
"""Train Toybox: denoiser with its text encoder, then decoder, then Judge; stop and go on at any minute."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor

from sg_core.toybox.atlas import Atlas, load_atlas
from sg_core.toybox.autoencoder import read_basis
from sg_core.toybox.judge import new_judge, save_judge, segmentation_loss
from sg_core.toybox.optimise import Learner, fit
from sg_core.toybox.parts import Parts, build_parts, load_parts
from sg_core.toybox.recipe import RECIPES, Recipe
from sg_core.toybox.stream import DECODER_SEEDS, JUDGE_SEEDS, Bucket, encode_scenes, patches_basis, stream

PHASES = ("denoiser", "decoder", "judge")


def parser() -> argparse.ArgumentParser:
    """The flags of `maquette toybox train`."""
    recipe = "full" if torch.cuda.is_available() else "fallback"
    made = argparse.ArgumentParser(prog="maquette toybox train", description=__doc__)
    made.add_argument("--minutes", type=float, default=1e9, help="stop after this many minutes; run again to go on")
    made.add_argument("--recipe", choices=sorted(RECIPES), default=recipe, help="what to train")
    made.add_argument("--folder", type=Path, default=Path("out/toybox"), help="where weights and checkpoints go")
    made.add_argument("--phases", nargs="+", choices=PHASES, default=list(PHASES), help="leave some out")
    made.add_argument("--threads", type=int, default=0, help="CPU threads; 0 leaves torch's own choice")
    return made


def main(words: Sequence[str] | None = None) -> int:
    """Train the phases asked for, each for its share of the recipe, until `--minutes` are spent."""
    args = parser().parse_args(words)
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    recipe = RECIPES[args.recipe]
    atlas = load_atlas(recipe.nouns).to("cuda" if torch.cuda.is_available() else "cpu")
    left = args.minutes
    for phase, planned in zip(PHASES, recipe.minutes, strict=True):
        if phase in args.phases and left > 0:
            left -= TRAINERS[phase](recipe, atlas, args.folder, planned, left)
    return 0


def train_denoiser(recipe: Recipe, atlas: Atlas, folder: Path, planned: float, chunk: float) -> float:
    """Velocity prediction (Salimans and Ho, 2022) on the scenes' latents; a tenth of the captions empty."""
    parts = begin(recipe, atlas, folder)
    device = atlas.pixels.device
    buckets = encode_scenes(recipe, atlas, parts)
    unet, text = parts.unet.to(device), parts.text_encoder.to(device)
    unet.train()
    text.train()
    if device.type == "cpu":  # SDPA's backward is slow on the CPU for heads this small
        unet.set_attn_processor(AttnProcessor())
    learner = Learner({"unet": unet, "text": text}, recipe.learning_rate)
    learner.resume(folder / "denoiser")
    empty = parts.tokens([""]).to(device)
    alphas = parts.scheduler.alphas_cumprod.to(device)
    rows = minibatches(buckets, recipe.batch)

    def loss() -> Tensor:
        latents, tokens = next(rows)
        tokens = torch.where(torch.rand(len(tokens), 1, device=device) < 0.1, empty, tokens)
        time = torch.randint(len(alphas), (len(latents),), device=device)
        alpha, sigma = alphas[time].sqrt().view(-1, 1, 1, 1), (1 - alphas[time]).sqrt().view(-1, 1, 1, 1)
        noise = torch.randn_like(latents)
        noisy = (alpha * latents + sigma * noise).to(torch.bfloat16)
        predicted = unet(noisy, time, text(tokens).last_hidden_state).sample
        return F.mse_loss(predicted.float(), alpha * noise - sigma * latents)

    before = learner.spent
    fit(learner, loss, planned, chunk, folder / "denoiser", "denoiser")
    learner.settle()
    unet.set_default_attn_processor()
    parts.save(folder / "model")
    return learner.spent - before


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
        error = vae.decode(latent.to(torch.bfloat16)).sample.float() - (picture * 2 - 1)
        edges = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
        total: Tensor = 10 * error.square().mean() + 0.2 * error.abs().mean() + 0.3 * edges
        return total

    before = learner.spent
    fit(learner, loss, planned, chunk, folder / "decoder", "decoder")
    learner.settle()
    parts.save(folder / "model")
    return learner.spent - before


def train_judge(recipe: Recipe, atlas: Atlas, folder: Path, planned: float, chunk: float) -> float:
    """The segmenter, on other seeds; half its pictures go through the autoencoder first, as generated ones did."""
    vae = load_parts(folder / "model").vae
    basis = read_basis(vae)
    vae.to(atlas.pixels.device, torch.bfloat16)
    judge = new_judge(recipe).to(atlas.pixels.device).train()
    learner = Learner({"judge": judge}, 4e-3, decay=0.998)
    learner.resume(folder / "judge-state")
    batches = stream(recipe, atlas, JUDGE_SEEDS + 16 * learner.steps, 16)

    def loss() -> Tensor:
        batch = next(batches)
        picture = batch.pictures.rgb
        with torch.no_grad():
            half = len(picture) // 2
            latent = basis.encode(picture[:half])
            seen = vae.decode((latent + 0.1 * torch.randn_like(latent)).to(torch.bfloat16)).sample / 2 + 0.5
            picture = torch.cat([seen.clamp(0, 1), picture[half:].to(seen.dtype)])
        return segmentation_loss(judge, picture, batch)

    before = learner.spent
    fit(learner, loss, planned, chunk, folder / "judge-state", "judge")
    learner.settle()
    save_judge(judge, recipe, folder / "model" / "judge")
    return learner.spent - before


TRAINERS: dict[str, Callable[[Recipe, Atlas, Path, float, float], float]] = {
    "denoiser": train_denoiser,
    "decoder": train_decoder,
    "judge": train_judge,
}


def begin(recipe: Recipe, atlas: Atlas, folder: Path) -> Parts:
    """The parts as an earlier phase or chunk left them, or new ones."""
    if not (folder / "model" / "model_index.json").exists():
        build_parts(recipe, patches_basis(recipe, atlas), folder / "model").save(folder / "model")
    return load_parts(folder / "model")


def crops(picture: Tensor, times: int) -> Tensor:
    """Random windows of half the side, `times` from each picture."""
    height, width = picture.shape[-2] // 2, picture.shape[-1] // 2
    corners = torch.rand(times, 2).tolist()
    spots = [(round(y * height), round(x * width)) for y, x in corners]
    return torch.cat([picture[..., y : y + height, x : x + width] for y, x in spots])


def minibatches(buckets: list[Bucket], batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Random rows for ever: buckets by their number of rows, rows uniformly."""
    shares = torch.tensor([float(len(bucket.tokens)) for bucket in buckets])
    while True:
        bucket = buckets[int(torch.multinomial(shares, 1))]
        rows = torch.randint(len(bucket.tokens), (batch,), device=bucket.tokens.device)
        yield bucket.latents[rows].float(), bucket.tokens[rows]
