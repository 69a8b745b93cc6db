# SPDX-License-Identifier: MIT
"""Edits that take something of one picture into another: a layout, a look, objects; and a region nobody names."""

import math
from collections.abc import Mapping

from torch import Tensor

from benchmarks.edits import changes
from benchmarks.edits.changes import EditRow, Judges, colour
from benchmarks.edits.drawing import NOUNS, EditBlock, EditCase
from benchmarks.edits.painter import FLOOR_SEED, EditPainter, restyled
from sg_core.edits.collage import Cutting, collage
from sg_core.edits.likeness import appearance
from sg_core.edits.reference import Reference
from sg_core.judge import iou
from sg_core.tokens import Phrase, appended
from sg_core.toybox.scenes.scene import with_article
from sg_core.toybox.segmenter import Segmenter

WEIGHT = 4.0  # of a look against the terms that place
MIDDLE = EditBlock(0.5, 0.55, 0.4, 0.5, False)  # of an object that is alone in its picture


def layout_transfer(painter: EditPainter, judges: Judges, case: EditCase, seed: int) -> EditRow:
    """Two other nouns, elsewhere, in the outlines of the reference's; the floor is their picture without a layout."""
    before, reference = painter.reference(case, seed)
    fourth = next(noun for noun in NOUNS if noun not in (case.subject, case.other, case.third))
    prompt = f"{with_article(case.third)} and {with_article(fourth)} at night"
    after = restyled(painter, case, reference, seed, prompt, (case.third, fourth))
    free = painter.paint(prompt, None, seed + FLOOR_SEED)[0]
    pairs = ((case.subject, case.third), (case.other, fourth))
    return {
        name: {
            judge: sum(changes.overlap(network, before, old, one, new) for old, new in pairs) / 2
            for judge, network in judges.items()
        }
        for name, one in (("iou", after), ("free", free))
    } | {"pictures": [before, free, after]}


def appearance_transfer(painter: EditPainter, judges: Judges, case: EditCase, seed: int) -> EditRow:
    """Another noun elsewhere has the look of the reference's subject: how far its colour is, with and without."""
    before, reference = painter.reference(case, seed)
    regions = {case.third: case.new.mask(), case.other: case.beside.mask()}
    prompt, layout = (
        f"{with_article(case.third)} and {with_article(case.other)} {case.backdrop}",
        painter.placed(regions),
    )
    alike = layout + WEIGHT * appearance(case.third, reference, source=case.subject)
    free, after = (painter.paint(prompt, one, seed + FLOOR_SEED)[0] for one in (layout, alike))
    judge = next(iter(judges.values()))
    look = colour(judge, case.subject, before, case.old)
    away = [math.dist(look, colour(judge, case.third, picture, case.new)) for picture in (after, free)]
    return {"colour": away, "pictures": [before, free, after]}


def collage_of_two(painter: EditPainter, judges: Judges, case: EditCase, seed: int) -> EditRow:
    """Subjects out of two pictures in one: where they are, and how far their colours are, beside the blocks alone."""
    nouns, blocks = (case.subject, case.third), (case.old, case.beside)
    sources = [alone(painter, *words, seed) for words in zip(case.looks, nouns, strict=True)]
    regions = {noun: block.mask() for noun, block in zip(nouns, blocks, strict=True)}
    cuttings = [Cutting(one, noun, regions[noun]) for (_, one), noun in zip(sources, nouns, strict=True)]
    layout = painter.placed(regions)
    prompt = f"{' and '.join(map(with_article, nouns))} {case.backdrop}"
    together = layout + collage(painter.model, cuttings)
    free, after = (painter.paint(prompt, one, seed + FLOOR_SEED)[0] for one in (layout, together))
    judge = next(iter(judges.values()))
    parts = list(zip(nouns, blocks, (picture for picture, _ in sources), strict=True))

    def away(picture: Tensor) -> float:
        apart = ((colour(judge, noun, own, MIDDLE), colour(judge, noun, picture, block)) for noun, block, own in parts)
        return sum(math.dist(*pair) for pair in apart)

    return {
        "iou": {name: [placed(network, one, regions) for one in (after, free)] for name, network in judges.items()},
        "colour": [away(after), away(free)],
        "pictures": [*(picture for picture, _ in sources), free, after],
    }


def unnamed_region(painter: EditPainter, judges: Judges, case: EditCase, seed: int) -> EditRow:
    """The prompt names one object; a region holds another. The floor is the picture that the prompt makes without."""
    words = f"{with_article(case.other)} {case.backdrop}"
    prompt, (phrase,) = appended(words, [case.subject])
    beside = painter.placed({case.other: case.beside.mask()})
    regions: dict[str | Phrase, Tensor] = {phrase: case.new.mask(), Phrase(case.other): case.beside.mask()}
    free, after = painter.paint(words, beside, seed)[0], painter.paint(prompt, painter.placed(regions), seed)[0]
    goal = {case.subject: case.new.mask()}
    presence = {
        name: [present(network, case.subject, one) for one in (after, free)] for name, network in judges.items()
    }
    return {
        "present": presence,
        "iou": {name: placed(network, after, goal) for name, network in judges.items()},
        "pictures": [free, after],
    }


def alone(painter: EditPainter, look: str, noun: str, seed: int) -> tuple[Tensor, Reference]:
    """A picture of one object, and the reference that it is."""
    words = f"{look} {noun}"
    return painter.known(f"{with_article(words)} on a meadow", {words: MIDDLE.mask()}, {noun: MIDDLE.mask()}, seed)


def placed(judge: Segmenter, picture: Tensor, regions: Mapping[str, Tensor]) -> float:
    """Mean IoU of what a Judge sees of nouns with where they should be."""
    detected = changes.detected(judge, picture, *regions)
    return sum(iou(detected[noun].mask, mask > 0.5) for noun, mask in regions.items()) / len(regions)


def present(judge: Segmenter, noun: str, picture: Tensor) -> float:
    """1 where a Judge sees a noun, else 0."""
    return float(changes.detected(judge, picture, noun)[noun].present)
