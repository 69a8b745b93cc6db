# SPDX-License-Identifier: MIT
"""Are objects where the blocks are? Blockouts drawn by a fixed seed, each with its mirror, measured by the Judge."""

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from benchmarks.sheet import Coverage, grid, outlined, to_image
from benchmarks.statistics import bootstrap
from sg_core import generate
from sg_core.edits import place
from sg_core.judge import Judge, placement
from sg_core.models.loading import load
from sg_core.models.model import Model
from sg_core.toybox.judge import load_judge
from sg_core.toybox.scenes.atlas import Atlas, load_atlas
from sg_core.toybox.scenes.places import PLACES
from sg_core.toybox.scenes.scene import with_article

DRAW = 20230600986
SIDE = 128
AREAS = (0.08, 0.30)


@dataclass(frozen=True)
class Layout:
    """A prompt and a mask (height, width) of coverage for each noun."""

    prompt: str
    masks: dict[str, Coverage]

    def mirrored(self) -> "Layout":
        """The same prompt, left and right exchanged."""
        return Layout(self.prompt, {noun: mask[:, ::-1].copy() for noun, mask in self.masks.items()})


def draw_layouts(count: int, nouns: Sequence[str], backdrops: Sequence[str], atlas: Atlas) -> list[Layout]:
    """`count` blockouts of one to three boxes and balls that do not overlap, from one fixed seed."""
    rng = np.random.default_rng(DRAW)
    return [draw_layout(rng, nouns, backdrops, atlas) for _ in range(count)]


def draw_layout(rng: np.random.Generator, nouns: Sequence[str], backdrops: Sequence[str], atlas: Atlas) -> Layout:
    """One blockout. A block has roughly its noun's proportions, as an artist would give it."""
    while True:
        chosen = [str(noun) for noun in rng.choice(nouns, rng.choice([1, 2, 2, 3]), replace=False)]
        masks = {noun: draw_block(rng, atlas.tiles[atlas.of(noun)[0]].aspect) for noun in chosen}
        if np.sum(list(masks.values()), axis=0).max() <= 1:
            break
    phrase = rng.choice(PLACES[str(rng.choice(backdrops))].phrases)
    *rest, last = [with_article(noun) for noun in chosen]
    objects = f"{', '.join(rest)} and {last}" if rest else last
    return Layout(f"{objects} {phrase}", masks)


def draw_block(rng: np.random.Generator, aspect: float) -> Coverage:
    """A box or a ball (an ellipse), whole inside the frame: coverage (SIDE, SIDE) of 0 and 1."""
    area = rng.uniform(*AREAS)
    ball = rng.random() < 0.5
    aspect *= math.exp(rng.normal(0, 0.15))
    width, height = math.sqrt(area * aspect), math.sqrt(area / aspect)
    if ball:
        width, height = width * 2 / math.sqrt(math.pi), height * 2 / math.sqrt(math.pi)
    longest = max(width, height)
    width, height = (0.98 * side / max(longest, 0.98) for side in (width, height))
    x, y = rng.uniform(width / 2, 1 - width / 2), rng.uniform(height / 2, 1 - height / 2)
    rows, columns = (np.mgrid[0:SIDE, 0:SIDE] + 0.5) / SIDE
    u, v = (columns - x) / (width / 2), (rows - y) / (height / 2)
    inside = u * u + v * v <= 1 if ball else (abs(u) <= 1) & (abs(v) <= 1)
    return np.asarray(inside, dtype=np.float32)


def measure(
    model: Model, judge: Judge, layout: Layout, seeds: Sequence[int], strength: float, steps: int
) -> tuple[torch.Tensor, list[dict[str, dict[str, float]]]]:
    """One blockout's pictures, (seed, 3, SIDE, SIDE) in 0..1, and the Judge's figures of each by noun.

    Strength 0 is the unguided picture of the same seed.
    """
    scale = model.card.scale
    masks = {noun: torch.from_numpy(mask) for noun, mask in layout.masks.items()}
    energy = place(layout.masks) if strength else None
    pictures = generate(
        model, layout.prompt, energy, seeds=seeds, width=SIDE, height=SIDE, steps=steps, scale=scale, strength=strength
    )
    return pictures, placement(judge, pictures, masks)


def main(words: Sequence[str] | None = None) -> int:
    """`maquette bench placement`."""
    args = parser().parse_args(words)
    torch.set_num_threads(args.threads or torch.get_num_threads())
    model, judge = load(args.model), load_judge(args.judge) if args.judge else load_judge()
    atlas = load_atlas(judge.nouns)
    layouts = draw_layouts(args.blockouts, judge.nouns, tuple(PLACES)[: args.places], atlas)
    layouts = [each for layout in layouts for each in (layout, layout.mirrored())]
    full = model.card.strength if args.strength is None else args.strength
    scores: dict[str, list[list[dict[str, dict[str, float]]]]] = {"unguided": [], "guided": []}
    rows = []
    for layout in tqdm(layouts, desc="placement", unit="blockout"):
        row = []
        for kind, strength in (("unguided", 0.0), ("guided", full)):
            pictures, figures = measure(model, judge, layout, range(args.seeds), strength, args.steps)
            scores[kind].append(figures)
            row += [outlined(to_image(picture), layout.masks) for picture in pictures[:2]]
        rows.append(row)
    if args.sheet:
        args.sheet.parent.mkdir(parents=True, exist_ok=True)
        grid(rows, ("unguided", "", "guided", "")).save(args.sheet)
    report(summary(scores), args.json)
    return 0


def summary(scores: dict[str, list[list[dict[str, dict[str, float]]]]]) -> dict[str, float]:
    """The figures. A blockout and its mirror are one group of the bootstrap, since they share everything but a side."""

    def groups(kind: str, figure: str) -> list[list[float]]:
        blockouts = [[noun[figure] for picture in blockout for noun in picture.values()] for blockout in scores[kind]]
        return [one + other for one, other in zip(blockouts[::2], blockouts[1::2], strict=True)]

    guided, unguided = groups("guided", "iou"), groups("unguided", "iou")
    gain, low, high = bootstrap(
        [[a - b for a, b in zip(*pair, strict=True)] for pair in zip(guided, unguided, strict=True)]
    )
    figures = {
        "guided_iou": bootstrap(guided)[0],
        "unguided_iou": bootstrap(unguided)[0],
        "gain": gain,
        "gain_low95": low,
        "gain_high95": high,
        "present_guided": bootstrap(groups("guided", "present"))[0],
        "present_unguided": bootstrap(groups("unguided", "present"))[0],
        "offset_guided": bootstrap(groups("guided", "offset"))[0],
        "offset_unguided": bootstrap(groups("unguided", "offset"))[0],
    }
    return {name: round(value, 4) for name, value in figures.items()}


def report(figures: dict[str, float], as_json: bool) -> None:
    """A table, or one JSON line."""
    if as_json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:>18}  {value:7.3f}")


def parser() -> argparse.ArgumentParser:
    """The flags of `maquette bench placement`."""
    flags = argparse.ArgumentParser(prog="maquette bench placement", description=__doc__)
    flags.add_argument("--json", action="store_true", help="print one JSON line instead of a table")
    flags.add_argument("--blockouts", type=int, default=12, help="how many are drawn; each comes with its mirror")
    flags.add_argument("--seeds", type=int, default=4, help="pictures a blockout: seeds 0 to N-1")
    flags.add_argument("--strength", type=float, help="of the guided pictures; the model's own by default")
    flags.add_argument("--steps", type=int, default=30, help="DDIM steps")
    flags.add_argument("--model", default="toybox", help="a model's name or folder")
    flags.add_argument("--judge", type=Path, help="a Judge's folder instead of the one that ships")
    flags.add_argument("--places", type=int, default=6, help="how many of the places blockouts stand at")
    flags.add_argument("--threads", type=int, default=0, help="CPU threads; 0 leaves torch's own choice")
    flags.add_argument("--sheet", type=Path, help="write a sheet of the first two seeds of every blockout")
    return flags
