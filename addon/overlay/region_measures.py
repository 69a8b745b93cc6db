# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers of the list of regions, read off the frame that the overlay draws. numpy, no bpy."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..capture.regions import SMALLEST
from ..cooperative import Slices
from ..protocol.frame import offset
from ..raster.rasterise import Raster
from ..raster.zbuffer import NOTHING
from ..regions.listing import ObjectKey
from ..regions.measures import BlockMeasure, PictureMeasure, RegionMeasure, Unseen
from ..request.phrases import Mark, same
from .figure import Finding, overlap
from .targets import Target

UNCHANGED, NEAR = 0.85, 0.01  # of masks' overlap, and of the frame's diagonal: the grids that are compared differ
HIDDEN: dict[str, Unseen] = {"in the view": "in the view", "from renders": "from renders"}


def region_measures(
    marks: Sequence[Mark],
    raster: Raster,
    names: Sequence[str],
    bare: Mapping[int, str],
    targets: Sequence[Target],
    findings: Mapping[str, Finding],
    unmoved: bool,
    aspect: float,
) -> Slices[dict[str, RegionMeasure]]:
    """By phrase, the measure of each mark, a slice each.

    The owners of ``raster``, which has footprints of the marks, index ``names``, the marks' first; ``bare`` has those
    marks without a surface, and where they are hidden. ``findings`` are of the latest picture, by phrase, and
    ``unmoved`` says whether the camera stands where it was then.
    """
    measures = {}
    for index, (mark, target) in enumerate(zip(marks, targets, strict=True)):
        yield
        phrase = mark.phrase.casefold()
        block = _bare(bare[index]) if index in bare else _block(index, raster, names)
        measures[phrase] = RegionMeasure(block, _picture(mark, target, findings.get(phrase), unmoved, aspect))
    return measures


def screens(
    marks: Sequence[Mark], raster: Raster, objects: Sequence[frozenset[ObjectKey]]
) -> Slices[dict[str, frozenset[ObjectKey]]]:
    """By phrase, what stands before each mark, a slice each; ``objects`` has what each owner of ``raster`` is."""
    before: dict[str, frozenset[ObjectKey]] = {}
    for index, mark in enumerate(marks):
        yield
        covering = raster.owners[raster.footprint[index] & (raster.owners != index) & (raster.owners != NOTHING)]
        owners = np.flatnonzero(np.bincount(covering)) if covering.size else ()
        before[mark.phrase.casefold()] = frozenset().union(*(objects[owner] for owner in owners))
    return before


def _bare(hidden: str) -> BlockMeasure:
    return BlockMeasure(0.0, 0.0, HIDDEN.get(hidden, "bare"))


def _block(index: int, raster: Raster, names: Sequence[str]) -> BlockMeasure:
    visible, footprint = raster.owners == index, raster.footprint[index]
    size, whole = float(visible.mean()), float(footprint.mean())
    covering = raster.owners[footprint & ~visible & (raster.owners != NOTHING)]
    hider = names[int(np.bincount(covering).argmax())] if covering.size else ""
    unseen: Unseen = "outside" if not whole else "behind" if not size else "small" if size < SMALLEST else ""
    return BlockMeasure(round(size, 4), round(size / whole, 2) if whole else 0.0, unseen, hider)


def _picture(
    mark: Mark, target: Target, finding: Finding | None, unmoved: bool, aspect: float
) -> PictureMeasure | None:
    if finding is None:
        return None
    named = unmoved and same(mark.phrase, finding.target.phrase)
    outdated = not (named and _alike(target, finding.target, aspect))
    return PictureMeasure(finding.by, finding.offset, finding.overlap, outdated, finding.size)


def _alike(one: Target, other: Target, aspect: float) -> bool:
    """Whether a block is where it was asked for."""
    if one.centroid is None or other.centroid is None or one.mask is None or other.mask is None:
        return one.centroid == other.centroid
    return offset(one.centroid, other.centroid, aspect) < NEAR and overlap(one.mask, other.mask) > UNCHANGED
