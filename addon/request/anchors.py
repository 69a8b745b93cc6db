# SPDX-License-Identifier: GPL-3.0-or-later
"""Which picture one of Live's follows, so that its things stay the same things while their blocks move. No bpy."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ..protocol.answers import Achieved
from ..protocol.blockout import Blockout, Region, RegionLook
from .references import Keeps, following, reference_of
from .settings import files, same_files

WORDS = ("prompt", "negative", "model")
"""Of a request: what has to be the same, beside the files on top of the model, or following a picture would keep what
the artist has just changed."""

OWN = ("phrase", "description", "colour", "unnamed")
"""And of a region, for its look to be the one that it had."""


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """A picture of ours to follow, by its sha256: its request, what it shows, and the camera's numbers."""

    picture: str
    request: Blockout
    achieved: tuple[Achieved, ...]
    pose: tuple[float, ...]


def suitable(anchors: Sequence[Anchor], blockout: Blockout) -> Anchor | None:
    """The first that was asked for in the same words, of the same model; None where every one was asked otherwise."""
    return next((anchor for anchor in anchors if _asked_alike(anchor.request, blockout)), None)


def anchored(blockout: Blockout, anchor: Anchor, moved: bool) -> Blockout:
    """The request as one that follows the anchor, whose seeds it has: regions keep their look wherever they are now.

    Of one that was seen from another camera, as the camera has ``moved``, looks alone are taken.
    """
    before = {region.name: region for region in anchor.request.regions}
    same = [region.name for region in blockout.regions if _same(before.get(region.name), region)]
    anew = [region.name for region in blockout.regions if region.name in before and region.name not in same]
    keeps: Keeps = "look" if moved else "picture"
    reference = reference_of(anchor.picture, anchor.request, anchor.achieved, keeps)
    return following(seeded(_free(blockout, before), anchor.request), reference, same, anew)


def seeded(blockout: Blockout, request: Blockout) -> Blockout:
    """The one with the noise of the other."""
    return replace(blockout, seed=request.seed, variation=request.variation, variation_seed=request.variation_seed)


def layout_of(request: Blockout) -> Blockout:
    """The request without what it follows, to tell whether a scene asks for anything new."""
    look: RegionLook = "free"
    return replace(request, regions=tuple(replace(r, look=look) for r in request.regions), reference=None)


def _free(blockout: Blockout, before: Collection[str]) -> Blockout:
    """Regions that the anchor does not have keep nothing, whatever they are marked as."""
    look: RegionLook = "free"
    regions = tuple(r if r.name in before else replace(r, look=look) for r in blockout.regions)
    return replace(blockout, regions=regions)


def _asked_alike(before: Blockout, now: Blockout) -> bool:
    return _alike(before, now, WORDS) and same_files(files(now), files(before))


def _same(before: Region | None, now: Region) -> bool:
    return before is not None and _alike(before, now, OWN)


def _alike(one: object, other: object, names: Sequence[str]) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in names)
