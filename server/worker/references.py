# SPDX-License-Identifier: MIT
"""From the pictures that a blockout refers to, to the terms that keep something of them.

What is request follows from what differs. Regions that stand where the reference has them, and whose look is free, stay
as they are with everything else; those that moved, came, went or are to be repainted have their area opened.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import nn

import sg_core
from addon.protocol.blockout import Blockout, Likeness, ReferencePicture, ReferenceRegion, Region
from sg_core.edits.keeping import Freeze
from sg_core.edits.movement import Movement, moved, movement, stands
from sg_core.edits.reference import RegionMasks
from sg_core.energy import Energy
from sg_core.schedule import between, times
from sg_core.tokens import Phrase, occurrences

from ..problems import UnknownReference, Unpaintable
from .control_pictures import control_picture
from .reference_latents import encoded, first_pass, read, reference_of
from .translate import PLACED, coverage, prompt_read, strength_of, weighted, wording

ALIKE = 4.0  # weight of a look against a shape


def keeping(
    model: sg_core.Model,
    judge: sg_core.Judge | None,
    blockout: Blockout,
    png: bytes | None,
    parts: Sequence[bytes] = (),
) -> sg_core.Layout:
    """What the picture takes of others: of its reference, of those that its parts are of, and of its own blocking.
    Nothing where it asks for nothing. Raises sg_core's errors, Unpaintable, and UnknownReference for a file that is
    missing: without it the picture would be another."""
    _check_names(blockout)
    if blockout.reference is not None and png is None:
        raise UnknownReference("The picture that this one follows was not handed over", path="reference.picture")
    if len(parts) != len(blockout.parts):
        path = "collage" if blockout.collage else "likenesses"
        raise UnknownReference("Not all pictures that regions take something of were handed over", path=path)
    layout = blocked(model, blockout)
    if blockout.reference is not None and png is not None:
        layout += _followed(model, judge, blockout, blockout.reference, png)
    kept_around = next((term.reference for term in layout.keeping.of(Freeze, 0.0)), None)
    cut, alike = parts[: len(blockout.collage)], parts[len(blockout.collage) :]
    layout += collected(model, judge, blockout, cut, kept_around) if cut else sg_core.Layout()
    return layout + resembling(model, judge, blockout, alike)


def _followed(
    model: sg_core.Model, judge: sg_core.Judge | None, blockout: Blockout, asked: ReferencePicture, png: bytes
) -> sg_core.Layout:
    reference = reference_of(model, judge, blockout, png)
    if asked.shown is not None:
        return sg_core.freeze(reference, 1.0 - coverage(asked.shown))
    regions = dict(zip(wording(blockout).phrases, blockout.regions, strict=True))
    if asked.keeps == "layout":
        return sg_core.keep_layout(reference, {phrase: coverage(region.mask) for phrase, region in regions.items()})
    if asked.keeps == "attention":
        return sg_core.prompt_to_prompt(model, reference, prompt_read(blockout))
    if asked.keeps == "look":
        return _look(model, reference, regions)
    changed = {phrase: coverage(r.mask) for phrase, r in regions.items() if _changed(r, phrase, reference)}
    others = {phrase: coverage(r.mask) for phrase, r in regions.items() if phrase not in changed}
    free = [phrase for phrase in changed if regions[phrase].look != "keep"]
    absent: RegionMasks = {words: mask for words, mask in reference.regions.items() if words not in regions}
    return sg_core.keep_look(model, reference, changed, others=others, repainted=free, gone=absent)


def _check_names(blockout: Blockout) -> None:
    """Raise Unpaintable for a collage, a likeness or a blocking of a region that there is not."""
    names = {region.name for region in blockout.regions}
    colours = () if blockout.blocking is None else blockout.blocking.colours
    for path, parts in (("collage", blockout.collage), ("likenesses", blockout.likenesses), ("blocking", colours)):
        if absent := [part.region for part in parts if part.region not in names]:
            detail = f"Its {path} speak of the region {absent[0]}, which the request does not have"
            raise Unpaintable(detail, path=path, fix=f"Use the names of regions: {', '.join(sorted(names)) or 'none'}.")


def blocked(model: sg_core.Model, blockout: Blockout) -> sg_core.Layout:
    """The flat colours that the picture begins as; nothing where it begins as ever."""
    blocking = blockout.blocking
    if blocking is None or blocking.amount == 0.0:
        return sg_core.Layout()
    colours = {colour.region: colour.colour for colour in blocking.colours}
    far_to_near = sorted(blockout.regions, key=lambda region: -region.depth)
    blocks = {r.name: (coverage(r.mask), colours[r.name]) for r in far_to_near if r.name in colours}
    small = first_pass(model, blockout)
    size = (small.height, small.width)
    return sg_core.blocking(model, blocks, size, amount=blocking.amount, ground=blocking.ground)


def control(network: nn.Module | None, blockout: Blockout) -> sg_core.Layout:
    """The ControlNet that looks at the blocking; nothing where none is asked for."""
    asked = blockout.control
    if asked is None:
        return sg_core.Layout()
    assert network is not None, "it was loaded with the model"
    shades = torch.from_numpy(control_picture(blockout) / np.float32(255))
    return sg_core.control(network, shades.expand(1, 3, -1, -1), scale=asked.scale, until=asked.until)


def collected(
    model: sg_core.Model,
    judge: sg_core.Judge | None,
    blockout: Blockout,
    files: Sequence[bytes],
    behind: sg_core.Reference | None = None,
) -> sg_core.Layout:
    """The objects that are taken out of other pictures, the nearest on top, and put into the picture ``behind`` them,
    if any is kept there. Raises Unpaintable."""
    regions = {region.name: region for region in blockout.regions}
    phrases = dict(zip(regions, wording(blockout).phrases, strict=True))
    cuttings = []
    pairs = sorted(zip(blockout.collage, files, strict=True), key=lambda pair: -regions[pair[0].region].depth)
    for part, png in pairs:
        region = ReferenceRegion(name=part.phrase, mask=part.outline, outline=part.outline) if part.outline else None
        request = ReferencePicture(picture=part.picture, caption=part.caption, regions=(region,) if region else ())
        there = replace(regions[part.region], name=part.phrase, phrase=part.phrase, unnamed=False, look="keep")
        theirs = replace(blockout, prompt=part.caption, regions=(there,), reference=request, collage=(), blocking=None)
        reference = reference_of(model, judge, theirs, png)
        mask = coverage(regions[part.region].mask)
        cuttings.append(sg_core.Cutting(reference, phrases[part.region], mask, source=part.phrase))
    return sg_core.collage(model, cuttings, behind=behind)


def resembling(
    model: sg_core.Model, judge: sg_core.Judge | None, blockout: Blockout, files: Sequence[bytes]
) -> sg_core.Layout:
    """What pulls regions to what other pictures show, one more pass a step for each picture; nothing where nothing
    pulls. Words of a region that has another outline than its block's are heard inside that. Raises Unpaintable for a
    caption that does not say the object."""
    if not blockout.likenesses or not strength_of(blockout):
        return sg_core.Layout()
    phrases = wording(blockout).phrases
    named = {region.name: (region, phrase) for region, phrase in zip(blockout.regions, phrases, strict=True)}
    known: dict[tuple[str, str, int], sg_core.Reference] = {}
    energy, held = Energy(), sg_core.Layout()
    for part, png in zip(blockout.likenesses, files, strict=True):
        if not occurrences(part.caption, Phrase(part.phrase)):
            detail = f"“{part.caption}” does not say {part.phrase}, which {part.region} is to be like."
            raise Unpaintable(detail, path="likenesses", fix="Say it in the caption, word for word.")
        key, (region, phrase) = (part.picture, part.caption, part.seed), named[part.region]
        if key not in known:
            asked = ReferencePicture(picture=part.picture, caption=part.caption, seed=part.seed)
            known[key] = encoded(model, blockout, asked, read(png))
        energy += part.weight * compared(part, phrase, known[key], blockout)
        if part.weight and not region.enforce and part.properties != ("appearance",):
            held += outlined(model, judge, blockout, part, (region, phrase), known[key])
    return held + weighted(energy, dict(zip(phrases, blockout.regions, strict=True)))


def outlined(
    model: sg_core.Model,
    judge: sg_core.Judge | None,
    blockout: Blockout,
    part: Likeness,
    named: tuple[Region, Phrase],
    reference: sg_core.Reference,
) -> sg_core.Layout:
    """The words of a region that no block holds are heard inside the outline that another picture shows of its object,
    brought to where that is wanted; nothing where it does not show any."""
    (region, phrase), picture = named, reference.picture
    assert picture is not None, "it was read"
    mask = sg_core.groundings(model, judge, part.caption, [part.phrase], reference.latent, picture)[part.phrase].mask
    if mask is None:
        return sg_core.Layout()
    if part.shift != (0.0, 0.0) or part.factor != 1.0:
        right, down = shift_in_picture(part.shift, blockout)
        (x, y), side = movement(mask, mask).old, part.factor**0.5
        mask = moved(mask[None, None], Movement((x, y), (x + right, y + down), (side, side)))[0, 0]
    weight = times(between(region.start, region.until), region.strength)
    return sg_core.masks({phrase: mask.cpu()}, until=blockout.masks, emphasis=blockout.emphasis) * weight


def compared(part: Likeness, phrase: Phrase, reference: sg_core.Reference, blockout: Blockout) -> Energy:
    """The terms of one likeness, of this phrase of the prompt."""
    source, (right, down) = part.phrase, shift_in_picture(part.shift, blockout)
    terms = {
        "shape": sg_core.same_shape(phrase, reference, source),
        "centroid": PLACED * sg_core.shift(phrase, reference, right, down, source),
        "size": PLACED * sg_core.rescale(phrase, reference, part.factor, source),
        "appearance": ALIKE * sg_core.appearance(phrase, reference, source),
    }
    return sum((terms[name] for name in part.properties), Energy())


def shift_in_picture(shift: tuple[float, float], blockout: Blockout) -> tuple[float, float]:
    """To the right and down, from fractions of the artist's frame to fractions of the picture."""
    frame = blockout.frame
    return shift[0] * frame.width / blockout.width, shift[1] * frame.height / blockout.height


def _look(model: sg_core.Model, reference: sg_core.Reference, regions: dict[Phrase, Region]) -> sg_core.Layout:
    """Of each region that keeps its look, from wherever it is seen."""
    same = {phrase: coverage(region.mask) for phrase, region in regions.items() if region.look == "keep"}
    return sg_core.same_look(model, reference, same) if same else sg_core.Layout()


def _changed(region: Region, phrase: Phrase, reference: sg_core.Reference) -> bool:
    """Whether something has to change for this region."""
    if region.look == "repaint" or phrase not in reference.regions:
        return True
    return not stands(reference.regions[phrase], coverage(region.mask))
