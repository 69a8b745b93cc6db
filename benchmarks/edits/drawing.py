# SPDX-License-Identifier: MIT
"""Edits drawn by a fixed seed: two objects, one of which goes elsewhere, grows, or becomes another.

Between two seeds Toybox paints a noun much alike, so that a look could not be lost. The look is therefore drawn: the
reference is painted from words that say a colour, and the edit is asked for without them where the look is measured.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from benchmarks.placement.outlines import SIDE
from sg_core.toybox.scenes.scene import with_article

DRAW = 16_2023
NOUNS = (
    "penguin", "rocket", "robot", "duck", "guitar", "car", "snowman", "bus",
    "sailboat", "mushroom", "castle", "house", "airplane", "balloon", "cactus", "cake",
)  # fmt: skip
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink")
BACKDROPS = ("on a meadow", "in the desert", "in the snow", "on the sea", "at sunset")
SHIFT = (0.3, 0.45)  # of the side: how far a block goes
APART = 0.38  # of the side: the least distance of two middles
SIDES = (0.24, 0.36)
AREAS = (0.5, 2.0)  # of the area: how far a block grows


@dataclass(frozen=True)
class EditBlock:
    """A box or an ellipse: its middle (x right, y down) and sides, in fractions of the frame."""

    x: float
    y: float
    width: float
    height: float
    round: bool

    def mask(self) -> Tensor:
        """Coverage (SIDE, SIDE), 0 or 1."""
        y, x = ((torch.arange(SIDE) + 0.5) / SIDE for _ in range(2))
        across, down = (x - self.x).abs() / (self.width / 2), (y - self.y).abs() / (self.height / 2)
        inside = across[None] ** 2 + down[:, None] ** 2 < 1 if self.round else (across[None] < 1) & (down[:, None] < 1)
        return inside.float()

    def at(self, x: float, y: float) -> "EditBlock":
        """The same block elsewhere."""
        return EditBlock(x, y, self.width, self.height, self.round)

    def grown(self, area: float) -> "EditBlock":
        """The same block with so many times its area."""
        return EditBlock(self.x, self.y, self.width * area**0.5, self.height * area**0.5, self.round)


@dataclass(frozen=True)
class EditCase:
    """Two objects of which the ``subject`` is edited. ``looks`` are two colours of it: the reference's, and another."""

    name: str
    subject: str
    other: str
    third: str
    looks: tuple[str, str]
    backdrop: str
    old: EditBlock
    new: EditBlock
    beside: EditBlock
    area: float

    def prompt(self, look: str = "") -> str:
        """What is asked for; with a look, or without."""
        return f"{with_article(f'{look} {self.subject}'.strip())} and {with_article(self.other)} {self.backdrop}"

    def regions(self, block: EditBlock, look: str = "") -> dict[str, Tensor]:
        """Phrase to mask, with the subject at this block."""
        return {f"{look} {self.subject}".strip(): block.mask(), self.other: self.beside.mask()}


def draw_cases(count: int) -> Iterator[EditCase]:
    """The first so many cases."""
    return (draw_case(index) for index in range(count))


def draw_case(index: int) -> EditCase:
    """The case of that number."""
    rng = np.random.default_rng([DRAW, index])
    subject, other, third = (str(noun) for noun in rng.choice(NOUNS, 3, replace=False))
    first, second = (str(colour) for colour in rng.choice(COLOURS, 2, replace=False))
    sides = rng.uniform(*SIDES, 4)
    old, new, beside = draw_middles(rng)
    block = EditBlock(*old, float(sides[0]), float(sides[1]), bool(rng.random() < 0.5))
    return EditCase(
        name=f"edit/{index}",
        subject=subject,
        other=other,
        third=third,
        looks=(first, second),
        backdrop=str(rng.choice(BACKDROPS)),
        old=block,
        new=block.at(*new),
        beside=EditBlock(*beside, float(sides[2]), float(sides[3]), False),
        area=float(np.exp(rng.uniform(*np.log(AREAS)))),
    )


def draw_middles(rng: np.random.Generator) -> list[tuple[float, float]]:
    """Of the block before and after, and of the one beside it, until none of them are too near."""
    while True:
        old, new, beside = rng.uniform(0.2, 0.8, (3, 2))
        near = min(np.hypot(*(old - beside)), np.hypot(*(new - beside)))
        if SHIFT[0] <= np.hypot(*(old - new)) <= SHIFT[1] and near >= APART:
            return [(float(x), float(y)) for x, y in (old, new, beside)]
