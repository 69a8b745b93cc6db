# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture that another follows, as part of a request: what is sent of it, and what a new one takes. No bpy."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from ..protocol.answers import Achieved
from ..protocol.blockout import (
    Blocking,
    Blockout,
    CollagePart,
    FlatColour,
    Mask,
    RedGreenBlue,
    ReferencePicture,
    ReferenceRegion,
    Region,
    RegionLook,
)

Keeps = Literal["picture", "look", "layout", "attention"]
UNREFINED = ("layout", "attention")  # kept early alone: a second walk would leave the outlines


def reference_of(
    picture: str, request: Blockout, achieved: Sequence[Achieved] = (), keeps: Keeps = "picture"
) -> ReferencePicture:
    """A picture of ours, by its sha256 and its request; ``achieved`` is what it shows, where that is known."""
    outlines: Mapping[str, Mask | None] = {region.name: region.mask for region in achieved}
    return ReferencePicture(
        picture=picture,
        caption=request.prompt,
        seed=request.seed,
        variation=request.variation,
        variation_seed=request.variation_seed,
        regions=tuple(
            ReferenceRegion(name=region.name, mask=region.mask, outline=outlines.get(region.name))
            for region in request.regions
        ),
        keeps=keeps,
    )


def following(
    blockout: Blockout, reference: ReferencePicture, keep: Collection[str] = (), repaint: Collection[str] = ()
) -> Blockout:
    """The request as one that follows a picture; the names are of regions that keep their look, or are painted anew.

    What keeps a layout or attention alone is not refined.
    """
    looks: dict[str, RegionLook] = {**dict.fromkeys(keep, "keep"), **dict.fromkeys(repaint, "repaint")}
    regions = tuple(replace(region, look=looks.get(region.name, region.look)) for region in blockout.regions)
    request = replace(blockout, regions=regions, reference=reference)
    return replace(request, refinement=0.0) if is_unrefined(request) else request


def is_unrefined(request: Blockout) -> bool:
    """Whether it follows a picture in a way that goes without refinement, whatever the settings say."""
    return request.reference is not None and request.reference.keeps in UNREFINED


def cutting_of(
    name: str, picture: str, request: Blockout, theirs: Region, achieved: Sequence[Achieved] = ()
) -> CollagePart:
    """What is taken out of a picture of ours, by its sha256 and its request, for the region of that name: ``theirs``,
    as it is seen there where that is known, else as it was asked for."""
    outlines = {region.name: region.mask for region in achieved}
    outline = outlines.get(theirs.name) or theirs.mask
    return CollagePart(region=name, picture=picture, caption=request.prompt, phrase=theirs.phrase, outline=outline)


def beginning(
    blockout: Blockout, parts: Sequence[CollagePart], amount: float, colours: Mapping[str, RedGreenBlue]
) -> Blockout:
    """The request as one that takes regions out of pictures, and begins as flat blocks of these colours, by region's
    name. What is taken keeps no look of a picture that is followed."""
    names = {region.name for region in blockout.regions}
    taken = tuple(part for part in parts if part.region in names)
    if taken and blockout.reference is not None:
        cut = {part.region for part in taken}
        regions = tuple(replace(r, look="repaint") if r.name in cut else r for r in blockout.regions)
        blockout = replace(blockout, regions=regions)
    flat = tuple(FlatColour(region=name, colour=colour) for name, colour in colours.items() if name in names)
    blocking = Blocking(amount=amount, colours=flat) if amount > 0.0 and flat else None
    return replace(blockout, collage=taken, blocking=blocking)
