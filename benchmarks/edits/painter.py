# SPDX-License-Identifier: MIT
"""Pictures of an edit: the reference, what it is measured against, and the edit with and without keeping."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.edits.drawing import EditBlock, EditCase
from benchmarks.placement.outlines import SIDE
from sg_core.edits.look import keep_layout, keep_look, same_look
from sg_core.edits.movement import moved, movement
from sg_core.edits.recipes import place
from sg_core.edits.reference import Reference, painted
from sg_core.generate import generate
from sg_core.judge import Judge, detect
from sg_core.layout import Layout, masks
from sg_core.models.model import Model
from sg_core.sample import Moment
from sg_core.tokens import Phrase

FLOOR_SEED = 1_000_003  # added to a seed: another picture of the same
ELSEWHERE = 0.8  # of its area: how another camera sees a block, and the other way round beside it


@dataclass(frozen=True, eq=False)
class EditPainter:
    """A model, the Judge that says what a reference shows, how many steps a picture has, its side in pixels, and the
    part of the steps that is painted again."""

    model: Model
    judge: Judge
    steps: int
    side: int = SIDE
    refinement: float = 0.0

    @property
    def unrefined(self) -> "EditPainter":
        """The same for what keeps a layout or attention alone, which requests do not refine."""
        return replace(self, refinement=0.0)

    def paint(self, prompt: str, layout: Layout | None, seed: int) -> tuple[Tensor, Tensor]:
        """A picture (3, side, side) in 0..1, and its clean latent."""
        moments: deque[Moment] = deque(maxlen=1)

        def watch(moment: Moment) -> None:
            moments.append(moment)

        card = self.model.card
        pictures = generate(
            self.model,
            prompt,
            layout,
            seeds=[seed],
            width=self.side,
            height=self.side,
            steps=self.steps,
            scale=card.scale,
            strength=card.strength,
            refinement=self.refinement,
            watch=watch,
        )
        return pictures[0], moments[0].latent

    def placed(self, regions: Mapping[str, Tensor] | Mapping[str | Phrase, Tensor]) -> Layout:
        """As artists' requests are placed."""
        return place(regions) + masks(regions, emphasis=self.model.card.emphasis)

    def reference(self, case: EditCase, seed: int) -> tuple[Tensor, Reference]:
        """The picture before the edit, and the reference that it is."""
        asked = case.regions(case.old, case.looks[0])
        return self.known(case.prompt(case.looks[0]), asked, case.regions(case.old), seed)

    def known(
        self, prompt: str, asked: Mapping[str, Tensor], regions: Mapping[str, Tensor], seed: int
    ) -> tuple[Tensor, Reference]:
        """A picture of what is asked for, and the reference that it is: ``regions`` by their nouns."""
        picture, latent = self.paint(prompt, self.placed(asked), seed)
        detections = detect(self.judge, picture[None], [list(regions)])[0]
        outlines = {noun: one.mask.float() for noun, one in detections.items() if one.present}
        return picture, painted(latent, prompt, regions, outlines=outlines, seed=seed)

    def floor(self, case: EditCase, seed: int) -> Tensor:
        """Another seed's picture, of another look: what two pictures of one layout have in common by themselves."""
        layout = self.placed(case.regions(case.old, case.looks[1]))
        return self.paint(case.prompt(case.looks[1]), layout, seed + FLOOR_SEED)[0]


def subject_moved(
    painter: EditPainter, case: EditCase, reference: Reference, block: EditBlock, seed: int
) -> dict[str, Tensor]:
    """The subject at another block: with and without keeping, with and without the words that say its look."""
    pictures = {}
    for words, look in (("said", case.looks[0]), ("unsaid", "")):
        layout = painter.placed(case.regions(block, look))
        pictures[f"{words}/free"] = painter.paint(case.prompt(look), layout, seed)[0]
        pictures[f"{words}/kept"] = kept(painter, case, reference, block, seed, look)
    return pictures


def kept(painter: EditPainter, case: EditCase, reference: Reference, block: EditBlock, seed: int, look: str) -> Tensor:
    """The subject at another block, with its look kept, and with the words of a look or none."""
    regions = case.regions(block, look)
    still = {case.other: regions[case.other]}
    keeping = keep_look(painter.model, reference, {case.subject: block.mask()}, others=still)
    return painter.paint(case.prompt(look), painter.placed(regions) + keeping, seed)[0]


def restyled(
    painter: EditPainter, case: EditCase, reference: Reference, seed: int, prompt: str, nouns: Sequence[str]
) -> Tensor:
    """Other words in the reference's outlines: ``nouns`` are what its subject and its other one become."""
    old = (case.subject, case.other)
    outlines: Mapping[str, Tensor] = {
        noun: torch.as_tensor(reference.outline(before)) for noun, before in zip(nouns, old, strict=True)
    }
    layout = painter.placed(outlines) + keep_layout(reference, outlines)
    return painter.unrefined.paint(prompt, layout, seed + FLOOR_SEED)[0]


def pasted(painter: EditPainter, reference: Reference, noun: str, mask: Tensor, under: Tensor) -> Tensor:
    """A picture (3, SIDE, SIDE) with the reference's own pixels of an object over it, brought to a mask: what a look
    that is kept wholly would be there."""
    picture = F.interpolate(reference.decoded(painter.model), under.shape[1:], mode="area")
    path = movement(reference.region(noun), mask)
    outline = torch.as_tensor(reference.outline(noun), dtype=picture.dtype)[None, None]
    cover = moved(F.interpolate(outline, under.shape[1:], mode="area"), path)
    return (under + cover * (moved(picture, path) - under))[0]


def elsewhere(painter: EditPainter, case: EditCase, reference: Reference, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Both as another camera sees them, blocks that went, shrank and grew: without looks and with those of both; and
    the subject's mask."""
    regions = {case.subject: case.new.grown(ELSEWHERE).mask(), case.other: case.beside.grown(1 / ELSEWHERE).mask()}
    layout = painter.placed(regions)
    following = layout + same_look(painter.model, reference, regions)
    free, same = (painter.paint(case.prompt(), one, seed + FLOOR_SEED)[0] for one in (layout, following))
    return free, same, regions[case.subject]
