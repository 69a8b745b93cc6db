# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture that another follows, as part of a request: what is sent of it, and what a new one takes. No bpy."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from ..protocol.answers import Achieved
from ..protocol.blockout import Blockout, Mask, ReferencePicture, ReferenceRegion, RegionLook

Keeps = Literal["picture", "look", "layout", "attention"]


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
    """The request as one that follows a picture; the names are of regions that keep their look, or are painted anew."""
    looks: dict[str, RegionLook] = {**dict.fromkeys(keep, "keep"), **dict.fromkeys(repaint, "repaint")}
    regions = tuple(replace(region, look=looks.get(region.name, region.look)) for region in blockout.regions)
    return replace(blockout, regions=regions, reference=reference)
