# SPDX-License-Identifier: MIT
"""A camera goes half way round two objects: does each stay where it is asked for, and keep its look?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor

from benchmarks.edits import changes
from benchmarks.edits.drawing import EditBlock, EditCase
from benchmarks.edits.painter import FLOOR_SEED, EditPainter
from sg_core.edits.reference import Reference
from sg_core.edits.sequence import sequence
from sg_core.toybox.segmenter import Segmenter

FRAMES = 24
TURN = math.pi  # of the camera, first frame to last
RADIUS = (0.24, 0.2)  # of the way round, across and down, in fractions of the frame
NEARNESS = 0.15  # by how much the nearest is larger, and the farthest smaller
SHRINK = 0.85  # of a case's blocks, so that they pass each other
SHOWN = 5  # frames between two on a sheet


def following_frames(
    painter: EditPainter, case: EditCase, regions: Sequence[Mapping[str, Tensor]], reference: Reference, seed: int
) -> list[Tensor]:
    """The frames (3, side, side) that come after the reference's, each with its own regions."""
    card = painter.model.card
    return list(
        sequence(
            painter.model,
            case.prompt(),
            regions,
            reference=reference,
            judge=painter.judge,
            seed=seed,
            width=painter.side,
            height=painter.side,
            steps=painter.steps,
            scale=card.scale,
            strength=card.strength,
            refinement=painter.refinement,
        )
    )


def orbit(painter: EditPainter, judges: Mapping[str, Segmenter], case: EditCase, seed: int) -> dict[str, object]:
    """FRAMES pictures, the first painted with a look and the others asked for without it."""
    frames = [frame_of(case, number / (FRAMES - 1)) for number in range(FRAMES)]
    before, reference = painter.reference(frames[0], seed)
    regions = [frame.regions(frame.old) for frame in frames]
    pictures = [before, *following_frames(painter, case, regions[1:], reference, seed)]
    floor = painter.paint(case.prompt(), painter.placed(regions[-1]), seed + FLOOR_SEED)[0]
    return {
        "jumps": {name: jumps(judge, frames, pictures) for name, judge in judges.items()},
        "drift": drift(list(judges.values())[-1], case.subject, (before, pictures[-1], floor)),
        "pictures": [*pictures[::SHOWN], pictures[-1], floor],
    }


def frame_of(case: EditCase, part: float) -> EditCase:
    """The case as a camera sees it that has gone this part of its way, 0 to 1; what is low in the frame is near."""
    begin = math.atan2(case.old.y - 0.5, case.old.x - 0.5)
    blocks = []
    for block, angle in ((case.old, begin), (case.beside, begin + math.pi)):
        turned = angle + TURN * part
        scale = SHRINK * (1 + NEARNESS * math.sin(turned))
        x, y = 0.5 + RADIUS[0] * math.cos(turned), 0.5 + RADIUS[1] * math.sin(turned)
        blocks.append(EditBlock(x, y, scale * block.width, scale * block.height, block.round))
    return replace(case, old=blocks[0], new=blocks[0], beside=blocks[1])


def jumps(judge: Segmenter, frames: Sequence[EditCase], pictures: Sequence[Tensor]) -> list[float]:
    """From frame to frame, by how much the way from where each object was asked for to where it is changes, in
    diagonals; of pairs of frames that both show it."""
    away: dict[str, list[tuple[float, float] | None]] = {frames[0].subject: [], frames[0].other: []}
    for frame, picture in zip(frames, pictures, strict=True):
        shown = changes.detected(judge, picture, frame.subject, frame.other)
        for noun, block in ((frame.subject, frame.old), (frame.other, frame.beside)):
            middle = shown[noun].centroid
            away[noun].append(None if middle is None else (middle[0] - block.x, middle[1] - block.y))
    pairs = [pair for ways in away.values() for pair in pairwise(ways)]
    return [math.dist(one, other) / 2**0.5 for one, other in pairs if one is not None and other is not None]


def drift(judge: Segmenter, noun: str, pictures: tuple[Tensor, Tensor, Tensor]) -> tuple[float, float]:
    """Distance of features inside an object, from the first of three pictures to the second, and to the third."""
    first, last, floor = (changes.inside_features(judge, picture, noun) for picture in pictures)
    return float(torch.dist(first, last)), float(torch.dist(first, floor))
