# SPDX-License-Identifier: MIT
"""One edit of one case: its pictures painted, and the numbers read off them, for every Judge."""

import math
import time
from functools import cache

import torch
from torch import Tensor

from benchmarks.edits import changes
from benchmarks.edits.changes import EditRow, Judges, overlap
from benchmarks.edits.drawing import EditCase
from benchmarks.edits.orbit import orbit
from benchmarks.edits.painter import EditPainter, elsewhere, pasted, restyled, subject_moved
from benchmarks.edits.transfers import appearance_transfer, collage_of_two, layout_transfer, unnamed_region
from benchmarks.placement.outlines import SIDE
from sg_core.edits.look import keep_layout, keep_look, prompt_to_prompt, share
from sg_core.edits.reference import pictured
from sg_core.judge import iou
from sg_core.layout import Layout
from sg_core.toybox.recipe import FALLBACK
from sg_core.toybox.scenes.atlas import Atlas, load_atlas
from sg_core.toybox.scenes.compose import compose
from sg_core.toybox.scenes.scene import Scene, Vocabulary, draw_scene, with_article
from sg_core.toybox.training.stream import TEST_SEEDS

REAL_SEEDS = TEST_SEEDS + 7_000_000
TRIES = 400  # scenes that are drawn for one that has room
OVERLAP = 0.3  # of the object: less of it stays where it was
TIMED = 3  # pictures of which the quickest counts


def move(painter: EditPainter, judges: Judges, case: EditCase, seed: int) -> EditRow:
    """The subject goes to its new block."""
    before, reference = painter.reference(case, seed)
    floor = painter.floor(case, seed)
    pictures = subject_moved(painter, case, reference, case.new, seed)
    first = next(iter(judges.values()))
    return {
        "placement": {
            judge: {name: changes.placement(network, case, before, after) for name, after in pictures.items()}
            for judge, network in judges.items()
        },
        "changes": {
            name: changes.differences(first, case, before, after, case.new) for name, after in pictures.items()
        },
        "floor": changes.differences(first, case, before, floor, case.old),
        "pictures": [
            before,
            floor,
            pictures["unsaid/free"],
            pictures["said/free"],
            pictures["said/kept"],
            pictures["unsaid/kept"],
        ],
    }


def resize(painter: EditPainter, judges: Judges, case: EditCase, seed: int) -> EditRow:
    """The subject's block grows or shrinks where it stands."""
    before, reference = painter.reference(case, seed)
    block = case.old.grown(case.area)
    after = subject_moved(painter, case, reference, block, seed)["said/kept"]
    sizes = {name: changes.log_size(judge, case.subject, before, after) for name, judge in judges.items()}
    return {"asked": math.log2(case.area), "achieved": sizes, "pictures": [before, after]}


def restyle(painter: EditPainter, judges: Judges, case: EditCase, seed: int) -> EditRow:
    """The same two in other looks and elsewhere: do they keep their outlines?"""
    before, reference = painter.reference(case, seed)
    nouns = (case.subject, case.other)
    prompt = f"{with_article(f'{case.looks[1]} {case.subject}')} and {with_article(case.other)} at sunset"
    after = restyled(painter, case, reference, seed, prompt, nouns)
    return {
        "iou": {
            name: [float(overlap(judge, before, noun, after, noun)) for noun in nouns] for name, judge in judges.items()
        },
        "pictures": [before, after],
    }


def swap(painter: EditPainter, judges: Judges, case: EditCase, seed: int) -> EditRow:
    """The subject becomes another noun of the same outline."""
    before, reference = painter.reference(case, seed)
    prompt = f"{with_article(case.third)} and {with_article(case.other)} {case.backdrop}"
    after = restyled(painter, case, reference, seed, prompt, (case.third, case.other))
    return {
        "present": {
            name: float(changes.detected(judge, after, case.third)[case.third].present)
            for name, judge in judges.items()
        },
        "iou": {name: float(overlap(judge, before, case.subject, after, case.third)) for name, judge in judges.items()},
        "pictures": [before, after],
    }


def replaced(painter: EditPainter, judges: Judges, case: EditCase, seed: int) -> EditRow:
    """The same by Prompt-to-Prompt, which knows no layout: the words of one noun look where the other's looked."""
    before, reference = painter.reference(case, seed)
    prompt = f"{with_article(f'{case.looks[0]} {case.third}')} and {with_article(case.other)} {case.backdrop}"
    after = painter.unrefined.paint(prompt, prompt_to_prompt(painter.model, reference, prompt), seed)[0]
    first, floor = next(iter(judges.values())), painter.floor(case, seed)
    return {
        "present": {
            name: float(changes.detected(judge, after, case.third)[case.third].present)
            for name, judge in judges.items()
        },
        "iou": {name: float(overlap(judge, before, case.subject, after, case.third)) for name, judge in judges.items()},
        "other": [changes.differences(first, case, before, one, case.old)["other"] for one in (after, floor)],
        "pictures": [before, after],
    }


def camera(painter: EditPainter, judges: Judges, case: EditCase, seed: int) -> EditRow:
    """Both seen from elsewhere, as blocks that went, shrank and grew; their looks are kept, and no place is."""
    before, reference = painter.reference(case, seed)
    free, same, goal = elsewhere(painter, case, reference, seed)
    judge = list(judges.values())[-1]
    perfect = [pasted(painter, reference, case.subject, goal, picture) for picture in (free, same)]
    first, *features = [
        changes.inside_features(judge, picture, case.subject) for picture in (before, free, same, *perfect)
    ]
    return {
        "look": [float(torch.dist(first, one)) for one in features[:2]],
        "pasted": [float(torch.dist(first, one)) for one in (features[0], features[3])],
        "beside_pasted": [float(torch.dist(*pair)) for pair in zip(features[:2], features[2:], strict=True)],
        "iou": [iou(changes.detected(judge, p, case.subject)[case.subject].mask, goal > 0.5) for p in (free, same)],
        "pictures": [before, free, same],
    }


def real(painter: EditPainter, judges: Judges, case: EditCase, seed: int) -> EditRow:
    """A true scene, encoded with its caption: painted again as it is; and its nearest object moved."""
    scene, pictures, (old, new) = truth(
        painter, int(case.name.rpartition("/")[2]), next(iter(judges.values())).nouns, seed
    )
    (rgb, again, after), subject = pictures, scene.objects[1]
    masks = {name: changes.detected(judge, after, subject.noun)[subject.noun].mask for name, judge in judges.items()}
    return {
        "rebuild_db": changes.decibels(again, rgb),
        "iou": {name: iou(mask, new > 0.5) for name, mask in masks.items()},
        "ghost": {name: changes.ghost(mask, old, new) for name, mask in masks.items()},
        "pictures": pictures,
    }


def truth(
    painter: EditPainter, number: int, nouns: tuple[str, ...], seed: int
) -> tuple[Scene, list[Tensor], tuple[Tensor, Tensor]]:
    """A true scene by its number; it, painted again, and one of its two objects moved; masks from where to where."""
    scene, rgb, (beside, old), new = true_scene(number, nouns, painter.side)
    other, subject = scene.objects
    regions = {subject.phrase: old, other.phrase: beside}
    reference = pictured(painter.model, rgb, scene.caption, regions, seed=seed)
    again = painter.paint(scene.caption, keep_layout(reference, until=1.0), seed)[0]
    keeping = keep_look(painter.model, reference, {subject.phrase: new}, others={other.phrase: beside})
    after = painter.paint(scene.caption, painter.placed(regions | {subject.phrase: new}) + keeping, seed)[0]
    return scene, [rgb, again, after], (old, new)


def true_scene(number: int, nouns: tuple[str, ...], side: int = SIDE) -> tuple[Scene, Tensor, Tensor, Tensor]:
    """A scene of two objects apart, of which the nearer has room to go elsewhere: it, its picture (3, side, side), both
    masks (2, side, side), and where the nearer one goes (side, side)."""
    pieces = atlas(nouns)
    vocabulary = Vocabulary(tuple(pieces.by_noun), FALLBACK.places)
    for seed in range(REAL_SEEDS + TRIES * number, REAL_SEEDS + TRIES * (number + 1)):
        scene = draw_scene(seed, pieces, vocabulary, count=2)
        pictures = compose([scene], pieces, side, side)
        if len(scene.objects) != 2:
            continue
        other, old = masks = pictures.visible[0, :2]
        new = goal_of(old)
        apart = float((new * other).sum()) + float((old * other).sum()) == 0
        if apart and float((new * old).sum()) < OVERLAP * float(old.sum()):
            return scene, pictures.rgb[0], masks, new
    raise AssertionError(f"none of {TRIES} scenes has room")


def goal_of(mask: Tensor) -> Tensor:
    """A mask (y, x) moved across, to the side with more room, as far as it goes but at most 0.4 of the frame."""
    columns = mask.any(0).nonzero()[:, 0]
    left, right = int(columns[0]), mask.shape[1] - 1 - int(columns[-1])
    shift = min(max(left, right), round(0.4 * mask.shape[1]))
    return torch.roll(mask, shift if right >= left else -shift, 1)


def cost(painter: EditPainter, judges: Judges, case: EditCase, seed: int) -> EditRow:
    """Seconds of an unguided picture, of one whose look is kept, and of one that looks at its reference as well."""
    _, reference = painter.reference(case, seed)
    regions = case.regions(case.new)
    goal = {case.subject: regions[case.subject]}
    keeping = painter.placed(regions) + keep_look(painter.model, reference, goal)
    shared = keeping + share(reference, case.subject, goal[case.subject])
    return {"seconds": [seconds(painter, case, layout, seed) for layout in (None, keeping, shared)], "pictures": []}


def seconds(painter: EditPainter, case: EditCase, layout: Layout | None, seed: int) -> float:
    """Of this process, the quickest of TIMED times."""

    def once() -> float:
        start = time.process_time()
        painter.paint(case.prompt(), layout, seed)
        return time.process_time() - start

    return min(once() for _ in range(TIMED))


@cache
def atlas(nouns: tuple[str, ...]) -> Atlas:
    """The pictures that true scenes are made of."""
    return load_atlas(nouns)


EDITS = {
    "move": move,
    "resize": resize,
    "camera": camera,
    "restyle": restyle,
    "swap": swap,
    "prompt_to_prompt": replaced,
    "real": real,
    "orbit": orbit,
    "layout": layout_transfer,
    "appearance": appearance_transfer,
    "collage": collage_of_two,
    "unnamed": unnamed_region,
    "cost": cost,
}
