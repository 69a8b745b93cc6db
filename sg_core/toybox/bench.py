# SPDX-License-Identifier: MIT
"""What Toybox can do, in figures: presence in unseen combinations, the Judge, the autoencoder, speed."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from sg_core.generate import generate
from sg_core.judge import Judge, detect, iou
from sg_core.models.cards import CARDS
from sg_core.models.loading import find, load
from sg_core.models.model import Model
from sg_core.toybox.autoencoder import latents_of
from sg_core.toybox.comparison import Laboratory, compare
from sg_core.toybox.components import Parts, load_parts
from sg_core.toybox.recipe import RECIPES, Recipe
from sg_core.toybox.scenes.atlas import Atlas, load_atlas
from sg_core.toybox.scenes.places import PLACES
from sg_core.toybox.scenes.scene import Scene, draw_scene, with_article
from sg_core.toybox.segmenter import Segmenter, load_judge
from sg_core.toybox.training.judge import classes
from sg_core.toybox.training.samples import tile
from sg_core.toybox.training.stream import TEST_SEEDS, Batch, stream

GRID = 5
ANSWERS = "readers.json"


@dataclass(frozen=True)
class Subject:
    """Everything a figure is measured on."""

    folder: Path
    recipe: Recipe
    atlas: Atlas
    judge: Segmenter
    second: Segmenter | None
    parts: Parts
    model: Model
    side: int


def present(subject: Subject, objects: int, count: int) -> list[float]:
    """For `count` captions of held-out combinations of so many objects: 1 where all of them are in the picture."""
    seeds = range(TEST_SEEDS + objects * 1_000_000, TEST_SEEDS + objects * 1_000_000 + count)
    scenes = [draw_scene(s, subject.atlas, subject.recipe.vocabulary, count=objects, test=True) for s in seeds]
    scores = []
    for start in tqdm(range(0, count, 16), desc=f"{objects} objects", leave=False):
        some = scenes[start : start + 16]
        captions, nouns = [scene.caption for scene in some], [[t.noun for t in scene.objects] for scene in some]
        pictures = paint(subject, captions, range(start, start + len(some)))
        rows = detect(subject.judge, pictures, nouns)
        scores += [float(all(detected.present for detected in row.values())) for row in rows]
    return scores


def paint(subject: Subject, captions: list[str], seeds: Sequence[int], model: Model | None = None) -> Tensor:
    """Unguided pictures, 30 DDIM steps."""
    model = model or subject.model
    side = subject.side
    return generate(model, captions, seeds=list(seeds), width=side, height=side, steps=30, scale=model.card.scale)


def paint_slowly(subject: Subject, captions: list[str], seeds: Sequence[int]) -> Tensor:
    """Unguided pictures, 60 ancestral steps at a lower scale: what the model can do when nobody waits."""
    side = subject.side
    return generate(
        subject.model, captions, seeds=list(seeds), width=side, height=side, steps=60, scale=3.0, scheduler="ddpm"
    )


def true_scenes(subject: Subject, count: int) -> list[Batch]:
    """Held-out true scenes in the square bucket."""
    square = Recipe(**{**subject.recipe.__dict__, "buckets": (subject.recipe.buckets[0],)})
    return list(stream(square, subject.atlas, TEST_SEEDS, 16, count))


def judged(judge: Judge, batches: list[Batch], through: Callable[[Tensor], Tensor]) -> tuple[list[float], list[float]]:
    """IoU, and whether the noun is right, of every object that covers 1 % of a true scene."""
    overlaps, right = [], []
    for batch in batches:
        truth = classes(batch, judge.nouns)
        probabilities = judge.probabilities(through(batch.pictures.rgb))
        winners = probabilities.argmax(1)
        for row, scene in enumerate(batch.scenes):
            for item in scene.objects:
                number = 1 + judge.nouns.index(item.noun)
                mask = truth[row] == number
                if mask.float().mean() < 0.01:
                    continue
                overlaps.append(iou(winners[row] == number, mask))
                right.append(float(1 + probabilities[row, 1:][:, mask].mean(1).argmax().item() == number))
    return overlaps, right


def reconstruct(subject: Subject, rgb: Tensor) -> Tensor:
    """Through the autoencoder and back."""
    with torch.no_grad():
        decoded: Tensor = subject.parts.vae.decode(latents_of(subject.parts.vae, rgb)).sample
    return (decoded / 2 + 0.5).clamp(0, 1)


def psnr(subject: Subject, batches: list[Batch]) -> list[float]:
    """Peak signal-to-noise ratio of each reconstruction, in dB."""
    values: list[float] = []
    for batch in batches:
        error = (reconstruct(subject, batch.pictures.rgb) - batch.pictures.rgb).square().mean((1, 2, 3))
        values += (-10 * error.log10()).tolist()
    return values


def positions(subject: Subject, count: int) -> float:
    """Of the 5 x 5 cells that true scenes' centroids reach, the share that pictures' centroids reach."""
    seeds = range(TEST_SEEDS + 9_000_000, TEST_SEEDS + 9_000_000 + count)
    scenes = [draw_scene(s, subject.atlas, subject.recipe.vocabulary, count=1, test=True) for s in seeds]
    reached: set[tuple[int, int]] = set()
    for start in tqdm(range(0, count, 16), desc="positions", leave=False):
        some = scenes[start : start + 16]
        pictures = paint(subject, [scene.caption for scene in some], range(start, start + len(some)))
        for row in detect(subject.judge, pictures, [[scene.objects[0].noun] for scene in some]):
            reached |= {cell(one.centroid) for one in row.values() if one.centroid and one.present}
    possible = {cell((scene.objects[0].x, scene.objects[0].y)) for scene in scenes}
    return len(reached & possible) / len(possible)


def cell(spot: tuple[float, float]) -> tuple[int, int]:
    """The cell of a 5 x 5 grid that a point lies in."""
    return min(GRID - 1, int(spot[0] * GRID)), min(GRID - 1, int(spot[1] * GRID))


def seconds(subject: Subject, scene: Scene) -> float:
    """One picture, 30 steps, on the CPU, the better of two runs."""
    model, durations = load(subject.folder), []
    for _ in range(2):
        start = time.perf_counter()
        paint(subject, [scene.caption], [0], model)
        durations.append(time.perf_counter() - start)
    return min(durations)


def sheet(subject: Subject, file: Path) -> None:
    """64 pictures, seeds 0 to 63: every noun, big, in turn, at every place in turn; nothing picked by hand."""
    nouns, backdrops = subject.judge.nouns, [PLACES[name].phrases[0] for name in subject.recipe.places]
    turns = [(nouns[k % len(nouns)], backdrops[(k + k // len(nouns)) % len(backdrops)]) for k in range(64)]
    captions = [f"{with_article(f'big {noun}')} {backdrop}" for noun, backdrop in turns]
    starts = tqdm(range(0, 64, 16), desc="sheet", leave=False)
    pictures = torch.cat([paint_slowly(subject, captions[k : k + 16], range(k, k + 16)) for k in starts])
    tile(pictures).save(file)


def interval(values: Sequence[float]) -> list[float]:
    """Mean and its 95 % bootstrap interval."""
    array = np.array(values)
    means = array[np.random.default_rng(0).integers(len(array), size=(2000, len(array)))].mean(1)
    return [round(float(v), 4) for v in (array.mean(), *np.quantile(means, [0.025, 0.975]))]


def laboratory_of(subject: Subject) -> Laboratory:
    """What painted pictures are compared with true scenes by. Raises ValueError for a subject without second Judge."""
    if subject.second is None:
        raise ValueError(f"{subject.folder} has no second Judge to compare pictures by")
    painter = partial(paint, subject)
    vocabulary = subject.recipe.vocabulary
    return Laboratory(painter, subject.atlas, vocabulary, subject.judge, subject.second, subject.side)


def measure(subject: Subject, count: int, pictures: int) -> dict[str, float | int | list[float]]:
    """All figures; those with a spread also as `NAME_95: [low, high]`."""
    batches = true_scenes(subject, count)
    overlaps, right = judged(subject.judge, batches, lambda rgb: rgb)
    again = judged(subject.judge, batches, lambda rgb: reconstruct(subject, rgb))[1]
    spread = {f"present_{k}": interval(present(subject, k, count)) for k in (1, 2, 3)}
    spread |= {"judge_iou": interval(overlaps), "judge_noun": interval(right)}
    if subject.second is not None:
        spread["second_judge_iou"] = interval(judged(subject.second, batches, lambda rgb: rgb)[0])
    spread["autoencoder_psnr"] = interval(psnr(subject, batches))
    compared = compare(laboratory_of(subject), pictures) if subject.second is not None else {}
    spread |= {name: interval(value) for name, value in compared.items() if isinstance(value, list)}
    figures: dict[str, float | int | list[float]] = {name: value[0] for name, value in spread.items()}
    figures |= {name: round(value, 4) for name, value in compared.items() if isinstance(value, float)}
    if subject.second is not None:
        figures["judges_apart"] = round(abs(spread["judge_iou"][0] - spread["second_judge_iou"][0]), 4)
    figures |= {
        "reconstructed_noun": round(sum(again) / max(sum(right), 1), 4),
        "positions": round(positions(subject, 200), 4),
        "seconds_30_steps_cpu": round(seconds(subject, batches[0].scenes[0]), 2),
        "megabytes": round(sum(p.stat().st_size for p in subject.folder.rglob("*") if p.is_file()) / 1e6, 1),
        "nouns": len(subject.judge.nouns),
        "side": subject.side,
    }
    figures |= readers_answers(subject.folder)
    return figures | {f"{name}_95": value[1:] for name, value in spread.items()}


def readers_answers(folder: Path) -> dict[str, int]:
    """The lower reader's count of each sheet, from `readers.json` beside the weights; nothing where there is none.

    The file holds `{"named": [a, b], "pairs_won": [a, b], "looks": [a, b]}`, one number a reader.
    """
    file = folder / ANSWERS
    counts: dict[str, list[int]] = json.loads(file.read_text()) if file.exists() else {}
    return {name: min(each) for name, each in counts.items()}


def subject_of(folder: Path, recipe: Recipe, device: str = "cpu") -> Subject:
    """A model's folder, its Judge inside and maybe the second, and its recipe; `device` paints."""
    second = folder / "second-judge"
    return Subject(
        folder=folder,
        recipe=recipe,
        atlas=load_atlas(recipe.nouns),
        judge=load_judge(folder / "judge"),
        second=load_judge(second) if second.exists() else None,
        parts=load_parts(folder),
        model=load(folder, device=device),
        side=recipe.buckets[0][0],
    )


def parser() -> argparse.ArgumentParser:
    """The flags of `maquette toybox bench`."""
    flags = argparse.ArgumentParser(prog="maquette toybox bench", description=__doc__)
    flags.add_argument("--n", type=int, default=64, help="scenes for each figure")
    flags.add_argument("--pictures", type=int, default=500, help="pictures compared with true scenes")
    flags.add_argument("--json", action="store_true", help="print one JSON line instead of a table")
    flags.add_argument(
        "--folder", type=Path, default=find(CARDS["toybox"].address), help="the model's folder, Judge inside"
    )
    flags.add_argument("--sheet", type=Path, help="also write a sheet of 64 pictures")
    flags.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="what paints")
    flags.add_argument("--recipe", choices=sorted(RECIPES), default="crisp", help="the recipe it was trained by")
    return flags


def main(words: Sequence[str] | None = None) -> int:
    """Print the figures."""
    args = parser().parse_args(words)
    recipe = RECIPES[args.recipe]
    subject = subject_of(args.folder, recipe, args.device)
    if args.sheet:
        sheet(subject, args.sheet)
    figures = measure(subject, args.n, args.pictures)
    rows = (f"{name:>22}  {value}" for name, value in figures.items())
    sys.stdout.write((json.dumps(figures) if args.json else "\n".join(rows)) + "\n")
    return 0
