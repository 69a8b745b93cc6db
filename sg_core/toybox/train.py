# SPDX-License-Identifier: MIT
"""Train Toybox: denoiser with its text encoder, then decoder, then both Judges; stop and go on at any minute."""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch

from sg_core.toybox.recipe import RECIPES, Recipe
from sg_core.toybox.scenes.atlas import Atlas, load_atlas
from sg_core.toybox.training.decoder import train_decoder
from sg_core.toybox.training.denoiser import train_denoiser
from sg_core.toybox.training.judge import train_judge

PHASES = ("denoiser", "decoder", "judge", "second-judge")


def parser() -> argparse.ArgumentParser:
    """The flags of `maquette toybox train`."""
    recipe = "full" if torch.cuda.is_available() else "fallback"
    flags = argparse.ArgumentParser(prog="maquette toybox train", description=__doc__)
    flags.add_argument("--minutes", type=float, default=1e9, help="stop after this many minutes; run again to go on")
    flags.add_argument("--recipe", choices=sorted(RECIPES), default=recipe, help="what to train")
    flags.add_argument("--folder", type=Path, default=Path("out/toybox"), help="where weights and checkpoints go")
    flags.add_argument("--phases", nargs="+", choices=PHASES, default=list(PHASES), help="leave some out")
    flags.add_argument("--threads", type=int, default=0, help="CPU threads; 0 leaves torch's own choice")
    return flags


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


TRAINERS: dict[str, Callable[[Recipe, Atlas, Path, float, float], float]] = {
    "denoiser": train_denoiser,
    "decoder": train_decoder,
    "judge": train_judge,
    "second-judge": partial(train_judge, name="second-judge"),
}
