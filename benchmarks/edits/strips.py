# SPDX-License-Identifier: MIT
"""The strips of docs/edits, painted anew: what each edit makes of scenes whose blocks were drawn by hand.

python -m benchmarks.edits.strips FOLDER [NAME …]
"""

import argparse
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from PIL import Image
from torch import Tensor
from tqdm import tqdm

from benchmarks.edits.drawing import EditBlock, EditCase
from benchmarks.edits.kinds import truth
from benchmarks.edits.orbit import following_frames, frame_of
from benchmarks.edits.painter import FLOOR_SEED, EditPainter, elsewhere, kept, restyled, subject_moved
from benchmarks.edits.transfers import WEIGHT
from benchmarks.placement.work import Bench, equipment, threads
from benchmarks.sheet import grid, to_image
from sg_core.edits.collage import Cutting, RgbColour, blocking, collage, flat_picture
from sg_core.edits.likeness import appearance
from sg_core.edits.look import keep_look, prompt_to_prompt
from sg_core.edits.reference import Reference
from sg_core.toybox.scenes.scene import with_article

SIDE = 256  # pixels of a picture, as Toybox paints it
PRINTED = 160  # and of it on a strip
STEPS = 8
SEED = 1
FOURTH = "rocket"  # a noun of no case
ROWS, COLUMNS = 3, 6
AMOUNTS = (0.0, 0.3, 0.5, 0.7, 1.0)

StripRow = list[Tensor]

CASES = (
    EditCase(
        "penguin/0", "penguin", "house", "snowman", ("green", "purple"), "in the snow",
        EditBlock(0.22, 0.66, 0.32, 0.44, True), EditBlock(0.60, 0.74, 0.32, 0.44, True),
        EditBlock(0.72, 0.30, 0.40, 0.36, False), 1.4,
    ),
    EditCase(
        "balloon/0", "balloon", "tree", "apple", ("blue", "green"), "on a meadow",
        EditBlock(0.18, 0.30, 0.28, 0.34, True), EditBlock(0.50, 0.25, 0.28, 0.34, True),
        EditBlock(0.80, 0.62, 0.32, 0.46, False), 1.5,
    ),
    EditCase(
        "castle/0", "castle", "cactus", "house", ("orange", "blue"), "in the desert",
        EditBlock(0.26, 0.48, 0.34, 0.52, False), EditBlock(0.57, 0.50, 0.34, 0.52, False),
        EditBlock(0.87, 0.62, 0.20, 0.40, False), 0.6,
    ),
    EditCase(
        "sailboat/0", "sailboat", "whale", "duck", ("purple", "green"), "on the sea",
        EditBlock(0.25, 0.40, 0.36, 0.44, False), EditBlock(0.66, 0.38, 0.36, 0.44, False),
        EditBlock(0.42, 0.80, 0.44, 0.28, True), 0.7,
    ),
    EditCase(
        "mushroom/0", "mushroom", "balloon", "cake", ("blue", "yellow"), "at sunset",
        EditBlock(0.24, 0.68, 0.36, 0.42, False), EditBlock(0.62, 0.74, 0.36, 0.42, False),
        EditBlock(0.72, 0.28, 0.30, 0.34, True), 0.7,
    ),
)  # fmt: skip
TRUE_SCENES = (1, 2, 3)
LEFT, RIGHT = EditBlock(0.26, 0.42, 0.38, 0.50, False), EditBlock(0.70, 0.38, 0.34, 0.44, True)
MIDDLE, CORNER = EditBlock(0.50, 0.55, 0.44, 0.58, False), EditBlock(0.80, 0.82, 0.30, 0.30, False)
COLLAGES = (
    (("purple", "castle", "on a meadow"), ("green", "bear", "in the desert"), "in the snow", ("house", "at sunset")),
    (("green", "penguin", "on a meadow"), ("pink", "cake", "in the desert"), "on the sea", ("house", "at night")),
)
BLOCKINGS: tuple[tuple[dict[str, RgbColour], str, RgbColour | None], ...] = (
    ({"castle": (0.55, 0.2, 0.7), "pumpkin": (0.95, 0.55, 0.1)}, "on a meadow", None),
    ({"penguin": (0.9, 0.15, 0.15), "bus": (0.15, 0.6, 0.9)}, "in the snow", (0.95, 0.75, 0.6)),
)


@cache
def before_edit(painter: EditPainter, case: EditCase) -> tuple[Tensor, Reference]:
    """A case's first picture, which several strips begin with."""
    return painter.reference(case, SEED)


def move(painter: EditPainter) -> Iterator[StripRow]:
    """The subject at another block."""
    for case in CASES[:ROWS]:
        before, reference = before_edit(painter, case)
        after = subject_moved(painter, case, reference, case.new, SEED)
        kinds = ("unsaid/free", "said/free", "said/kept", "unsaid/kept")
        yield [before, painter.floor(case, SEED), *(after[kind] for kind in kinds)]


def others(painter: EditPainter) -> Iterator[StripRow]:
    """The subject in another size, look, noun, and painted anew where it is."""
    for case in CASES[:ROWS]:
        before, reference = before_edit(painter, case)
        grown = kept(painter, case, reference, case.old.grown(case.area), SEED, case.looks[0])
        styled = f"{with_article(f'{case.looks[1]} {case.subject}')} and {with_article(case.other)} at night"
        noun = f"{with_article(case.third)} and {with_article(case.other)} {case.backdrop}"
        other = restyled(painter, case, reference, SEED, styled, (case.subject, case.other))
        swapped = restyled(painter, case, reference, SEED, noun, (case.third, case.other))
        yield [before, grown, other, swapped, repainted(painter, case, reference)]


def repainted(painter: EditPainter, case: EditCase, reference: Reference) -> Tensor:
    """The subject from another seed, and nothing else."""
    regions = case.regions(case.old)
    keeping = keep_look(
        painter.model,
        reference,
        {case.subject: regions[case.subject]},
        others={case.other: regions[case.other]},
        repainted=(case.subject,),
    )
    return painter.paint(case.prompt(), painter.placed(regions) + keeping, SEED + FLOOR_SEED)[0]


def camera(painter: EditPainter) -> Iterator[StripRow]:
    """Both as from elsewhere."""
    for case in CASES[:ROWS]:
        before, reference = before_edit(painter, case)
        yield [before, *elsewhere(painter, case, reference, SEED)[:2]]


def real(painter: EditPainter) -> Iterator[StripRow]:
    """True scenes, painted again, and one of their objects moved."""
    for number in TRUE_SCENES:
        yield truth(painter, number, tuple(painter.judge.nouns), SEED)[1]


def reworded(painter: EditPainter) -> Iterator[StripRow]:
    """Pairs: a picture, and the same with one noun swapped by Prompt-to-Prompt."""
    pairs: StripRow = []
    for case in CASES[:ROWS]:
        before, reference = before_edit(painter, case)
        prompt = f"{with_article(f'{case.looks[0]} {case.third}')} and {with_article(case.other)} {case.backdrop}"
        swapped = prompt_to_prompt(painter.model, reference, prompt)
        pairs += [before, painter.unrefined.paint(prompt, swapped, SEED)[0]]
    yield pairs


def collages(painter: EditPainter) -> Iterator[StripRow]:
    """Objects out of two pictures in one, and over a third."""
    for first, second, backdrop, (low, dusk) in COLLAGES:
        pictures, references = zip(*(alone(painter, *words, MIDDLE) for words in (first, second)), strict=True)
        regions = {first[1]: LEFT.mask(), second[1]: RIGHT.mask()}
        pairs = zip(references, regions.items(), strict=True)
        cuttings = [Cutting(one, noun, mask) for one, (noun, mask) in pairs]
        below, ground = alone(painter, "", low, dusk, CORNER)
        things = " and ".join(map(with_article, regions))
        layout = painter.placed(regions)
        yield [
            *pictures,
            painter.paint(f"{things} {backdrop}", layout, SEED)[0],
            painter.paint(f"{things} {backdrop}", layout + collage(painter.model, cuttings), SEED)[0],
            below,
            painter.paint(f"{things} {dusk}", layout + collage(painter.model, cuttings, ground=ground), SEED)[0],
        ]


def alone(painter: EditPainter, look: str, noun: str, backdrop: str, block: EditBlock) -> tuple[Tensor, Reference]:
    """A picture of one object, and the reference that it is."""
    words = f"{look} {noun}".strip()
    return painter.known(f"{with_article(words)} {backdrop}", {words: block.mask()}, {noun: block.mask()}, SEED)


def transferred(painter: EditPainter) -> Iterator[StripRow]:
    """Other words without a layout and in that of a picture; another noun without and with the look of its subject."""
    for case in CASES[:ROWS]:
        before, reference = before_edit(painter, case)
        night = f"{with_article(case.third)} and {with_article(FOURTH)} at night"
        free = painter.paint(night, None, SEED + FLOOR_SEED)[0]
        after = restyled(painter, case, reference, SEED, night, (case.third, FOURTH))
        prompt = f"{with_article(case.third)} and {with_article(case.other)} {case.backdrop}"
        blocks = painter.placed({case.third: case.new.mask(), case.other: case.beside.mask()})
        alike = blocks + WEIGHT * appearance(case.third, reference, source=case.subject)
        yield [before, free, after, *(painter.paint(prompt, one, SEED + FLOOR_SEED)[0] for one in (blocks, alike))]


def blockings(painter: EditPainter) -> Iterator[StripRow]:
    """Flat blocks, and what begins as them."""
    for colours, backdrop, ground in BLOCKINGS:
        masks = dict(zip(colours, (LEFT.mask(), RIGHT.mask()), strict=True))
        blocks = {noun: (masks[noun], colour) for noun, colour in colours.items()}
        prompt = f"{' and '.join(map(with_article, colours))} {backdrop}"
        row = [flat_picture(blocks, (SIDE, SIDE), ground)]
        for amount in AMOUNTS:
            begun = blocking(painter.model, blocks, (SIDE, SIDE), amount=amount, ground=ground)
            row.append(painter.paint(prompt, painter.placed(masks) + begun, SEED)[0])
        yield row


def orbit(painter: EditPainter) -> Iterator[StripRow]:
    """Frames of half a camera's way round two objects, and the last one's layout from another seed."""
    for case in (CASES[1], CASES[2], CASES[4]):
        frames = [frame_of(case, number / (COLUMNS - 1)) for number in range(COLUMNS)]
        before, reference = before_edit(painter, frames[0])
        regions = [frame.regions(frame.old) for frame in frames]
        after = following_frames(painter, case, regions[1:], reference, SEED)
        yield [before, *after, painter.paint(case.prompt(), painter.placed(regions[-1]), SEED + FLOOR_SEED)[0]]


STRIPS = {
    "move": (move, ("before", "another seed", "look unsaid", "look said", "said, kept", "unsaid, kept")),
    "others": (others, ("before", "resized", "restyled", "swapped", "repainted")),
    "camera": (camera, ("before", "elsewhere", "elsewhere, kept")),
    "real": (real, ("true scene", "painted again", "moved")),
    "reworded": (reworded, ("before", "reworded") * ROWS),
    "collage": (collages, ("one", "another", "blocks alone", "collage", "a ground", "collage over it")),
    "transfer": (transferred, ("before", "other words", "in its layout", "another noun", "with its look")),
    "blocking": (blockings, ("blocks", "without", "0.3", "0.5", "0.7", "1")),
    "orbit": (orbit, ("first", *[""] * (COLUMNS - 2), "last", "another seed")),
}


def main(words: Sequence[str] | None = None) -> int:
    """Paints the strips that are named, by default all of them."""
    args = parser().parse_args(words)
    model, judges = equipment(Bench())
    painter = EditPainter(model, next(iter(judges.values())), STEPS, SIDE, model.card.refinement)
    args.folder.mkdir(parents=True, exist_ok=True)
    with threads(1):
        for name in tqdm(args.names or STRIPS, unit="strip"):
            paint, heads = STRIPS[name]
            rows: list[list[Image.Image]] = []
            for row in paint(painter):
                rows.append([printed(picture) for picture in row])
                grid(rows, heads).save(args.folder / f"{name}.png", optimize=True)
    return 0


def printed(picture: Tensor) -> Image.Image:
    """A picture as large as it is on a strip."""
    return to_image(picture).resize((PRINTED, PRINTED), Image.Resampling.LANCZOS)


def parser() -> argparse.ArgumentParser:
    """The words after the module's name."""
    flags = argparse.ArgumentParser(prog="python -m benchmarks.edits.strips", description=__doc__)
    flags.add_argument("folder", type=Path, help="where they are written")
    flags.add_argument("names", nargs="*", choices=[[], *STRIPS], help="all by default")
    return flags


if __name__ == "__main__":
    raise SystemExit(main())
