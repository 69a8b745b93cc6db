# SPDX-License-Identifier: MIT
"""Sheets for people who see nothing else: what is it, which would you show, which look alike; and what they said."""

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw
from torch import Tensor
from tqdm import tqdm

from sg_core.toybox.bench import Subject, paint, subject_of
from sg_core.toybox.recipe import RECIPES
from sg_core.toybox.scenes.places import PLACES
from sg_core.toybox.scenes.scene import draw_scene, with_article
from sg_core.toybox.training.stream import TEST_SEEDS

NAMED, PAIRS, LOOKS = 64, 60, 48
PAIR_SEEDS = TEST_SEEDS + 40_000_000
SIDE, LABEL = 192, 16


def parser() -> argparse.ArgumentParser:
    """The flags of `maquette toybox sheets`."""
    flags = argparse.ArgumentParser(prog="maquette toybox sheets", description=__doc__)
    flags.add_argument("--folder", type=Path, required=True, help="the model's folder")
    flags.add_argument("--recipe", choices=sorted(RECIPES), default="crisp", help="the recipe it was trained by")
    flags.add_argument("--against", type=Path, help="another model of this recipe, for the pairs")
    flags.add_argument("--out", type=Path, required=True, help="where the sheets and the key go")
    return flags


def main(words: Sequence[str] | None = None) -> int:
    """Write the sheets, and a key that readers must not see."""
    args = parser().parse_args(words)
    args.out.mkdir(parents=True, exist_ok=True)
    recipe = RECIPES[args.recipe]
    subject = subject_of(args.folder, recipe)
    key: dict[str, Any] = {"named": named(subject, args.out)}
    if recipe.style.looks:
        key["looks"] = looks(subject, args.out)
    if args.against:
        key["pairs"] = pairs(subject, subject_of(args.against, recipe), args.out)
    (args.out / "key.json").write_text(json.dumps(key, indent=1) + "\n")
    return 0


def named(subject: Subject, out: Path) -> list[str]:
    """Every noun in turn, at every place in turn, in shuffled order: `named.png`; returns the nouns as they stand."""
    nouns, places = subject.judge.nouns, [PLACES[name].phrases[0] for name in subject.recipe.places]
    turns = [(nouns[k % len(nouns)], places[(k + k // len(nouns)) % len(places)]) for k in range(NAMED)]
    random.Random(0).shuffle(turns)
    captions = [f"{with_article(noun)} {place}" for noun, place in turns]
    numbered(painted(subject, captions), 8).save(out / "named.png")
    return [noun for noun, _ in turns]


def pairs(new: Subject, old: Subject, out: Path) -> list[str]:
    """Two pictures a caption, ten captions a sheet, in random order: `pairs-N.png`; says where the new one stands."""
    seeds, words = range(PAIR_SEEDS, PAIR_SEEDS + PAIRS), new.recipe.vocabulary
    captions = [draw_scene(seed, new.atlas, words, count=1 + seed % 3, test=True).caption for seed in seeds]
    ours, theirs, order = painted(new, captions), painted(old, captions), random.Random(1)
    sides = [order.choice(("left", "right")) for _ in captions]
    both = [(a, b) if side == "left" else (b, a) for a, b, side in zip(ours, theirs, sides, strict=True)]
    for start in range(0, PAIRS, 10):
        some = [picture for pair in both[start : start + 10] for picture in pair]
        labels = [text for k in range(start, min(start + 10, PAIRS)) for text in (f"{k + 1}: {captions[k]}", "")]
        numbered(some, 4, labels).save(out / f"pairs-{start // 10 + 1}.png")
    return sides


def looks(subject: Subject, out: Path) -> list[str]:
    """Twelve pictures each of four nouns whose captions say no colour, to be sorted: `looks-NOUN.png`."""
    nouns = list(subject.judge.nouns)[:: max(1, len(subject.judge.nouns) // 4)][:4]
    for noun in nouns:
        captions = [f"{with_article(f'big {noun}')} in the snow"] * (LOOKS // 4)
        numbered(painted(subject, captions), 4).save(out / f"looks-{noun}.png")
    return nouns


def painted(subject: Subject, captions: list[str]) -> list[Tensor]:
    """One picture a caption, (3, height, width) in 0..1, seeds in turn."""
    pictures: list[Tensor] = []
    for start in tqdm(range(0, len(captions), 16), desc="painting", leave=False):
        some = captions[start : start + 16]
        pictures += paint(subject, some, range(start, start + len(some)))
    return pictures


def numbered(pictures: Sequence[Tensor], columns: int, labels: Sequence[str] = ()) -> Image.Image:
    """A sheet of pictures enlarged or reduced to one side, each under its label or number."""
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * SIDE, rows * (SIDE + LABEL)), "white")
    pen = ImageDraw.Draw(sheet)
    for index, picture in enumerate(pictures):
        y, x = divmod(index, columns)
        pixels = (picture.clamp(0, 1) * 255).round().to(torch.uint8).movedim(0, -1).numpy()
        sheet.paste(Image.fromarray(pixels).resize((SIDE, SIDE)), (x * SIDE, y * (SIDE + LABEL) + LABEL))
        pen.text((x * SIDE + 3, y * (SIDE + LABEL) + 2), labels[index] if labels else str(index + 1), fill="black")
    return sheet
