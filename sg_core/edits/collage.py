# SPDX-License-Identifier: MIT
"""Pictures that begin as others: objects out of several pictures in one, and the flat colours of a blocking.

What is taken out of a picture is carried, as an object that moves is: cut out along what can be seen of it, brought to
its new mask, encoded again. So a collage is nothing but several references whose terms add up (Epstein et al. 2023,
figure 6, with latents instead of attention); a blocking's colours are a picture that nobody painted (as strokes are for
SDEdit: Meng et al. 2022).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sg_core.attention.coverage import on_grid
from sg_core.edits.keeping import Carry, Keeping
from sg_core.edits.look import CARRIED_UNTIL, carry, freeze, opened, put_over
from sg_core.edits.reference import Reference
from sg_core.errors import RequestError
from sg_core.layout import Layout
from sg_core.models.model import Model
from sg_core.schedule import fading
from sg_core.tokens import Phrase, phrase

REACH = 1.5  # progress to which the largest amount reaches, as a schedule that fades

RgbColour = tuple[float, float, float]
"""Red, green and blue, each in 0..1."""


@dataclass(frozen=True, eq=False)
class Cutting:
    """One object out of a picture.

    Attributes:
        reference: the picture; it has the object among its regions.
        words: what the new prompt calls it.
        mask: where it goes, coverage (y, x) in 0..1 at any resolution.
        source: what the reference calls it; the same by default.
    """

    reference: Reference
    words: str | Phrase
    mask: Any
    source: str | Phrase | None = None


def collage(
    model: Model,
    cuttings: Sequence[Cutting],
    *,
    ground: Reference | None = None,
    behind: Reference | None = None,
    until: float = CARRIED_UNTIL,
) -> Layout:
    """Objects out of several pictures in one; where everything is, ``place`` and ``masks`` say beside it.

    Args:
        cuttings: from the farthest to the nearest: the nearer lies on top.
        ground: a picture that everything else is taken of, to the pixel; painted anew by default.
        behind: the picture that they are cut into, where other terms keep it; the ground by default. What is around an
            object in its own picture would be seen as a rim.
        until: progress from which the objects are joined to their new surroundings.

    Raises RequestError for an object that its reference does not have, one of another size, or a model that cannot
    encode pictures.
    """
    layout, canvas = Layout(), ground if behind is None else behind
    picture = None if canvas is None else canvas.decoded(model)
    if ground is not None:
        layout += freeze(ground, opened(ground, {phrase(one.words): one.mask for one in cuttings}, {}))
    for one in cuttings:
        source = phrase(one.words if one.source is None else one.source)
        layout += carry(model, one.reference, {source: one.mask}, until=until, behind=picture)
        if picture is not None:
            picture = put_over(one.reference.decoded(model), one.reference, {source: one.mask}, picture)[0]
    return layout


def blocking(
    model: Model,
    blocks: Mapping[str, tuple[Any, RgbColour]],
    size: tuple[int, int],
    *,
    amount: float = 0.6,
    ground: RgbColour | None = None,
) -> Layout:
    """The picture begins as flat blocks of colour, which give way to the model's own step by step.

    Args:
        blocks: name to mask (y, x) and colour, from the farthest to the nearest.
        size: rows and columns of the picture, in pixels.
        amount: 0 is without them, bit for bit; at 1 they are to be seen to the very end. Where they hold fully and then
            not at all, as with SDEdit, colours come back that the words bring, or nothing but the blocks.
        ground: the colour behind the blocks; what is behind them begins as ever by default.

    Raises RequestError for a colour outside 0..1, or a model that cannot encode pictures.
    """
    if not 0.0 <= amount <= 1.0:
        raise RequestError(f"an amount of {amount} of the blocking was asked for: it is 0 to 1")
    if amount == 0.0 or not (blocks or ground):
        return Layout()
    picture = flat_picture(blocks, size, ground)
    with torch.no_grad():
        latent = model.latent(picture[None].to(next(model.network.parameters()).device))
    cells = (latent.shape[2], latent.shape[3])
    covers = [on_grid(mask, cells, 1, Phrase(name), latent.new_zeros(()))[0] for name, (mask, _) in blocks.items()]
    cover = torch.ones(cells) if ground is not None else torch.stack(covers).amax(0).cpu().float()
    return Layout(keeping=Keeping((Carry(latent, cover, fading(REACH * amount)),)))


def flat_picture(
    blocks: Mapping[str, tuple[Any, RgbColour]],
    size: tuple[int, int],
    ground: RgbColour | None,
) -> Tensor:
    """Blocks as ``blocking`` takes them, as a picture (3, *size); grey where there is no colour behind them."""
    colours = [colour for _, colour in blocks.values()] + ([] if ground is None else [ground])
    if wrong := [colour for colour in colours if len(colour) != 3 or not all(0.0 <= part <= 1.0 for part in colour)]:
        raise RequestError(f"{wrong[0]} is no colour: give red, green and blue, each in 0 to 1")
    picture = torch.tensor((0.5, 0.5, 0.5) if ground is None else ground).view(3, 1, 1).expand(3, *size)
    for name, (mask, colour) in blocks.items():
        cover = on_grid(mask, size, 1, Phrase(name), picture)
        picture = picture + cover * (torch.tensor(colour).view(3, 1, 1) - picture)
    return picture
