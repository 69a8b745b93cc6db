# SPDX-License-Identifier: MIT
"""What artists ask for, of the terms in ``keeping``: layouts that add to those that say what should be where.

layout = place(new) + masks(new) + keep_look(model, before, {"castle": new["castle"]}, others={"car": new["car"]})
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from sg_core.attention.coverage import on_grid
from sg_core.edits.keeping import Carry, Follow, Freeze, Hold, Keeping, Replace, Share
from sg_core.edits.movement import Movement, filled, grown, hemmed, moved, movement
from sg_core.edits.prompt_to_prompt import aligned
from sg_core.edits.reference import Reference, RegionMasks
from sg_core.layout import Layout
from sg_core.models.model import Model, of_size
from sg_core.schedule import until as before
from sg_core.tokens import Phrase, phrase

MARGIN = 1  # cells around regions that may change
CARRIED_UNTIL = 0.8  # progress; what comes later joins the object to its new surroundings
SEEN_UNTIL = 0.9  # progress; at 0.7 colours went again
WHOLE = 0.25  # of a cell: where an object covers as much, it is drawn wholly, for half of it is nobody's look
EMPTIED_UNTIL = 0.5  # progress; later the model paints what was behind
REPLACED_UNTIL, ITSELF_UNTIL = 0.8, 0.4  # progress, as published
LAYOUT_UNTIL = 0.2  # progress; colours and details are decided later


def follow(reference: Reference, words: str | Phrase, mask: Any) -> Layout:
    """The first noise travels with the region from where the reference has it to this mask (y, x). Free; any model."""
    goal = _on(reference, mask)
    return Layout(keeping=Keeping((Follow(reference, movement(reference.region(words), mask), grown(goal, MARGIN)),)))


def freeze(reference: Reference, open_area: Any) -> Layout:
    """Outside an area (y, x) in 0..1, on the latent's grid or any other, the picture is the reference's."""
    return Layout(keeping=Keeping((Freeze(reference, _on(reference, open_area)),)))


def hold(reference: Reference, words: str | Phrase, mask: Any, amount: float = 0.5) -> Layout:
    """The region inside this mask (y, x) has the reference's colours: mean and spread. Beyond 0.5 it overshoots."""
    terms = (Hold(reference, _on(reference, reference.outline(words)), _on(reference, mask)),)
    return amount * Layout(keeping=Keeping(terms))


def share(reference: Reference, words: str | Phrase, mask: Any, weight: float = 1.0) -> Layout:
    """The region inside this mask (y, x) also looks at the reference's. One more pass a step."""
    terms = (Share(reference, _on(reference, reference.outline(words)), _on(reference, mask)),)
    return weight * Layout(keeping=Keeping(terms))


def carry(
    model: Model,
    reference: Reference,
    regions: RegionMasks,
    *,
    amount: float = 1.0,
    until: float = CARRIED_UNTIL,
    behind: Tensor | None = None,
) -> Layout:
    """The very objects go to their masks (y, x), shifted by any fraction and stretched; the last steps join them in.

    The reference's picture is cut out, moved and encoded again: a latent cannot be shifted by half a cell. Where the
    object was, its surroundings are put first, lest the encoder see the old one around the new.

    Args:
        amount: how far the predicted picture is drawn towards the moved object, while progress is below ``until``.
        behind: the picture (1, 3, height, width) in 0..1 that they are put over, where it is another than their own:
            what an encoder sees around an object is what the cells of its rim show.
    """
    goal, cover, _ = _carried(model, reference, regions, behind)
    return amount * Layout(keeping=Keeping((Carry(goal, cover, before(until)),)))


def put_over(
    picture: Tensor, reference: Reference, regions: RegionMasks, behind: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """A picture (1, 3, height, width) in 0..1 with a reference's objects over it at their masks, and their coverage (1,
    1, height, width); ``picture`` is the reference's. That is what they are put over by default, with its surroundings
    where they were."""
    size = (picture.shape[2], picture.shape[3])
    covers, goals = picture.new_zeros(1, 1, *size), picture
    if behind is not None:
        goals = of_size(behind.to(picture), size[1], size[0])
    elif regions:
        goals = filled(picture, torch.stack(_outlines(reference, regions, picture)).amax(0))
    for (words, mask), outline in zip(regions.items(), _outlines(reference, regions, picture), strict=True):
        path = movement(reference.region(words), mask)
        cover = moved(outline, path)
        goals, covers = goals + cover * (moved(picture, path) - goals), torch.maximum(covers, cover)
    return goals, covers


def _outlines(reference: Reference, regions: RegionMasks, picture: Tensor) -> list[Tensor]:
    """What it shows of each, (1, 1, y, x) in pixels of its picture."""
    size = (picture.shape[2], picture.shape[3])
    return [on_grid(reference.outline(words), size, 1, phrase(words), picture)[:, None] for words in regions]


def _carried(
    model: Model, reference: Reference, regions: RegionMasks, behind: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """The clean latent (1, channel, y, x) of the picture with its objects at their masks, and as coverage (y, x) in
    0..1 where they are then, and where they were and are not any more."""
    picture = reference.decoded(model)
    with torch.no_grad():
        lost = reference.latent - model.latent(picture)  # by encoding, which the object shall not lose
    outlines = _outlines(reference, regions, picture)
    goals, covers = put_over(picture, reference, regions, behind)
    earlier, remainder = torch.stack([*outlines, torch.zeros_like(covers)]).amax(0), torch.zeros_like(lost)
    for (words, mask), outline in zip(regions.items(), outlines, strict=True):
        path = movement(reference.region(words), mask)
        cover = _on(reference, moved(outline, path)[0, 0])
        remainder = torch.where(cover.to(lost) > 0, moved(lost, path), remainder)
    with torch.no_grad():
        goal = model.latent(goals) + remainder
    left = (hemmed(earlier) - hemmed(covers)).clamp_min(0.0)
    cover = (_on(reference, covers[0, 0]) / WHOLE).clamp_max(1.0)
    return goal, cover, _on(reference, left[0, 0])


def opened(reference: Reference, regions: RegionMasks, others: RegionMasks, margin: int = MARGIN) -> Tensor:
    """The area that has to change for regions to be at their masks: (y, x) of 0 and 1 on the reference's grid.

    Around where each was and where it goes; nothing of the others' own cells, unless a region goes over them.
    """
    area = torch.zeros(reference.size, dtype=torch.bool)
    for words, mask in regions.items():
        area |= grown(_on(reference, mask), margin)
        if phrase(words) in reference.regions:
            area |= grown(_on(reference, reference.region(words)), margin)
            area |= grown(_on(reference, reference.outline(words)), margin)
    goals = [_on(reference, mask) for mask in regions.values()]
    for mask in others.values():
        theirs = _on(reference, mask)
        covered = torch.stack([goal > theirs for goal in goals]).any(0) if goals else torch.zeros_like(area)
        area &= ~((theirs >= 0.5) & ~covered)
    return area.float()


def keep_look(
    model: Model,
    reference: Reference,
    regions: RegionMasks,
    *,
    others: RegionMasks | None = None,
    repainted: Collection[str | Phrase] = (),
    gone: RegionMasks | None = None,
) -> Layout:
    """Regions go from where the reference has them to their masks and keep their look; all else stays as it is there.

    What they leave begins as its surroundings, lest something of them come back.

    Args:
        regions: phrase to new mask (y, x), of those that move or are painted anew.
        others: those that stay: phrase to mask. Their own cells stay closed.
        repainted: of ``regions`` those whose look is free.
        gone: what is to leave: phrase to where the reference has it.

    Raises RequestError for a region that the reference does not have, or a model that cannot encode pictures.
    """
    reference = replace(reference, picture=reference.decoded(model))  # once, for all that is kept of it
    anew = {phrase(words) for words in repainted}
    kept = {phrase(words): mask for words, mask in regions.items() if phrase(words) not in anew}
    area = opened(reference, regions, others or {}).maximum(opened(reference, gone or {}, others or {}))
    layout = freeze(reference, area)
    for words, mask in kept.items():
        layout += follow(reference, words, mask)
    if not kept:
        return layout
    goal, cover, left = _carried(model, reference, kept)
    for mask in (*(others or {}).values(), *(mask for words, mask in regions.items() if phrase(words) in anew)):
        left = (left - _on(reference, mask)).clamp_min(0.0)
    carried = (Carry(goal, left, before(EMPTIED_UNTIL)), Carry(goal, cover, before(CARRIED_UNTIL)))
    return layout + Layout(keeping=Keeping(carried))


def same_look(
    model: Model, reference: Reference, regions: RegionMasks, *, until: float = SEEN_UNTIL, shared: bool = False
) -> Layout:
    """Regions look as in the reference, from wherever they are seen; where everything is, other terms say.

    They begin as the reference's noise, and the reference's are stretched over the masks (y, x). Later the regions
    look at the reference's, where that is ``shared``: a pass a step more.

    Args:
        until: progress up to which they are the reference's; at 0.7 another side can come out, and colours weaken.

    Raises RequestError for a region that the reference does not have, or a model that cannot encode pictures, or
    cannot share.
    """
    layout = carry(model, reference, regions, until=until)
    for words, mask in regions.items():
        layout += follow(reference, words, mask)
        if shared:
            layout += share(reference, words, mask)
    return layout


def keep_layout(reference: Reference, regions: RegionMasks | None = None, *, until: float = LAYOUT_UNTIL) -> Layout:
    """Everything begins where the reference has it, and goes its own way once progress is ``until``: for other words.

    The first noise is the reference's, and the picture that is predicted early, when only layout is decided, too
    (as SDEdit begins half way: Meng et al. 2022). Beside it, ``place`` and ``masks`` hold the outlines.

    Args:
        regions: phrase to mask (y, x) of what is predicted so; all of the picture by default. What is around them is
            free then: a day's sky that is predicted early stays one, whatever the words say.
    """
    everywhere = torch.ones(reference.size)
    still = Movement((0.5, 0.5), (0.5, 0.5), (1.0, 1.0))
    begins = Follow(reference, still, everywhere > 0)
    covers = [(_on(reference, mask) / WHOLE).clamp_max(1.0) for mask in (regions or {}).values()]
    cover = everywhere if regions is None else torch.stack([0.0 * everywhere, *covers]).amax(0)
    return Layout(keeping=Keeping((begins, Carry(reference.latent, cover, before(until)))))


def prompt_to_prompt(
    model: Model, reference: Reference, prompt: str, *, until: float = REPLACED_UNTIL, itself: float = ITSELF_UNTIL
) -> Layout:
    """Other words in the reference's picture (Hertz et al. 2022): the same noise, and each word of the prompt looks
    where the word of the caption looked that stands in its place. One more pass a step.

    Args:
        until: progress up to which words do so.
        itself: ... the picture looks at itself as the reference does: the more, the more outlines stay.

    Raises RequestError for a family whose layers cannot be told apart, TokenError for a text that is too long.
    """
    begins = keep_layout(reference, until=0.0).keeping
    words = Replace(reference, aligned(model, prompt, reference.caption), before(until))
    return Layout(keeping=begins + Keeping((words, Replace(reference, None, before(itself)))))


def _on(reference: Reference, mask: Any) -> Tensor:
    """A mask on the reference's grid: (y, x), on the CPU."""
    return on_grid(mask, reference.size, 1, Phrase("an edit"), torch.zeros(()))[0]
