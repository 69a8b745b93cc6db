# SPDX-License-Identifier: MIT
"""From the words of the wire to the words of the method, and back: what each region is to be, and what it became.

A blockout's masks lie on the whole generated picture, and so do the network's maps; centroids and sizes are of the
artist's frame, and are carried over to the picture here.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

import sg_core
from addon.protocol.answers import Achieved
from addon.protocol.blockout import Blockout, Frame, Mask, Region, mask_rows, pack_mask
from sg_core.energy import Energy
from sg_core.schedule import between, times
from sg_core.second_passes.enlargement import first_size
from sg_core.tokens import Phrase, occurrences, words_of

PLACED = 0.5  # weight of a centroid or a size against a shape
PRESENT = 0.25
AROUND = 0.07  # of the longer side: what a confined layout may change around its regions
CELL = 8  # pixels; the latents of most models
ACHIEVED_SIDE = 128  # longest side of a mask of what a picture shows; neither Judge nor attention is sharper


@dataclass(frozen=True)
class Wording:
    """What the model reads, and which of its words mean each region, and describe it, in the regions' order."""

    prompt: str
    phrases: tuple[Phrase, ...]
    descriptions: tuple[Phrase | None, ...]


def wording(blockout: Blockout) -> Wording:
    """The prompt, and at its end the phrases that it does not say and the descriptions; mere signs describe nothing."""
    regions = blockout.regions
    unnamed = [region.phrase for region in regions if region.unnamed]
    described = [region.description for region in regions if words_of(region.description)]
    prompt, said = sg_core.appended(blockout.prompt, [*unnamed, *described])
    names, descriptions = iter(said[: len(unnamed)]), iter(said[len(unnamed) :])
    return Wording(
        prompt,
        tuple(next(names) if region.unnamed else Phrase(region.phrase) for region in regions),
        tuple(next(descriptions) if words_of(region.description) else None for region in regions),
    )


def prompt_read(blockout: Blockout) -> str:
    """The prompt as the model reads it: what its regions add to it counts only where they pull at all."""
    return wording(blockout).prompt if strength_of(blockout) else blockout.prompt


def paint(
    model: sg_core.Model,
    blockout: Blockout,
    watch: sg_core.Watch,
    keeping: sg_core.Layout | None = None,
    *,
    inspected: bool = False,
) -> tuple[Tensor, Tensor]:
    """The whole picture, (1, 3, height, width) in 0..1, and its clean latent. ``keeping`` is of another one; the watch
    of a run that is ``inspected`` has an insight into every step.

    Raises sg_core's errors, and whatever ``watch`` raises.
    """
    strength = strength_of(blockout)
    moments: deque[sg_core.Moment] = deque(maxlen=1)

    def watched(moment: sg_core.Moment) -> None:
        moments.append(moment)
        watch(moment)

    prompt, phrases = prompt_read(blockout), wording(blockout).phrases
    looked_at = [phrase for phrase in phrases if occurrences(prompt, phrase)] if inspected else None
    picture = sg_core.generate(
        model,
        prompt,
        (layout(blockout) if strength else sg_core.Layout()) + (keeping or sg_core.Layout()),
        seeds=(blockout.seed,),
        width=blockout.width,
        height=blockout.height,
        steps=blockout.steps,
        scale=blockout.scale,
        strength=strength,
        scheduler=blockout.scheduler,
        negative=blockout.negative,
        variation=blockout.variation,
        variation_seed=blockout.variation_seed,
        refinement=blockout.refinement,
        enlargement=blockout.enlargement,
        denoising=blockout.denoising,
        watch=watched,
        inspected=looked_at,
    )
    return picture, moments[-1].latent


def strength_of(blockout: Blockout) -> float:
    """How hard the layout pulls at most, 0 to 1."""
    return blockout.strength * max((region.strength for region in blockout.regions), default=0.0)


def layout(blockout: Blockout) -> sg_core.Layout:
    """What the regions enforce, and masks for as long as the request wants them.

    Those with a shape also keep out of each other; the others only have to be there.
    """
    said = wording(blockout)
    regions = list(zip(blockout.regions, said.phrases, strict=True))
    shaped: dict[str | Phrase, Tensor] = {}
    for region, phrase in regions:
        if "shape" in region.enforce:
            shaped[phrase] = together(coverage(region.mask), shaped.get(phrase))
    energy = sg_core.place(shaped) + sum((loose(*pair, blockout) for pair in regions), Energy())
    strongest = {phrase: region for region, phrase in sorted(regions, key=lambda pair: pair[0].strength)}
    energy = weighted(energy + blockout.leakage * sg_core.apart(shaped), strongest)
    whole = energy + sum((coloured(region) for region in blockout.regions), Energy()) + sg_core.Layout()
    if blockout.noise:
        whole += sg_core.shaped_noise(blockout.noise, inside=around(blockout))
    if blockout.confined:
        whole += sg_core.confined(around(blockout))
    return whole + masks(blockout, said)


def together(cover: Tensor, other: Tensor | None) -> Tensor:
    """What either covers, where two regions are of one phrase: the larger of the two masks' grids is kept."""
    if other is None:
        return cover
    size = max(cover.shape, other.shape, key=lambda shape: shape[0] * shape[1])
    return torch.maximum(*(F.interpolate(one[None, None], size, mode="nearest")[0, 0] for one in (cover, other)))


def masks(blockout: Blockout, said: Wording) -> sg_core.Layout:
    """Words of regions with a shape are held inside for as long as the request wants, descriptions to the end."""
    regions = zip(blockout.regions, said.phrases, said.descriptions, strict=True)
    held = sg_core.Layout()
    for region, phrase, description in sorted(regions, key=lambda part: part[0].depth):  # the nearest first
        cover = coverage(region.mask)
        if "shape" in region.enforce:
            weight = times(between(region.start, region.until), region.strength)
            held += sg_core.masks({phrase: cover}, until=blockout.masks, emphasis=blockout.emphasis) * weight
        if description is not None:
            held += sg_core.masks({description: cover}, until=1.0)
    return held


def weighted(energy: Energy, regions: Mapping[Phrase, Region]) -> Energy:
    """Each term by the strength and the window of its region, the strongest weighing 1."""
    strongest = max((region.strength for region in regions.values()), default=0.0) or 1.0
    weights = {
        phrase: times(between(region.start, region.until), region.strength / strongest)
        for phrase, region in regions.items()
    }
    terms = (replace(t, weight=times(t.weight, weights[t.phrase])) for t in energy.terms if t.phrase is not None)
    return Energy(tuple(terms))


def loose(region: Region, phrase: Phrase, blockout: Blockout) -> Energy:
    """What one region enforces besides its shape; presence where no mask says where to be."""
    energy, picture = Energy(), (blockout.width, blockout.height)
    if "centroid" in region.enforce:
        x, y = centroid_in_picture(region.centroid, blockout.frame, picture)
        energy += PLACED * sg_core.centroid(phrase, x, y)
    if "size" in region.enforce:
        energy += PLACED * sg_core.size(phrase, size_in_picture(region.size, blockout.frame, picture))
    if "shape" not in region.enforce:
        energy += PRESENT * sg_core.presence(phrase)
    return energy


def coloured(region: Region) -> Energy:
    """The region has its colour, if it has one, in its window."""
    if region.colour is None:
        return Energy()
    weight = times(between(region.start, region.until), region.strength)
    score = sg_core.colour(coverage(region.mask), region.colour)
    return sg_core.score(score, weight, name=f"colour of {region.phrase}")


def around(blockout: Blockout) -> Tensor:
    """All regions together, grown by AROUND of the picture's longer side: (height, width) of the latent's cells."""
    size = (blockout.height // CELL, blockout.width // CELL)
    covers = [F.interpolate(coverage(region.mask)[None, None], size, mode="area") for region in blockout.regions]
    reach = max(1, round(AROUND * max(size)))
    return F.max_pool2d(torch.stack(covers).amax(0), 2 * reach + 1, 1, reach)[0, 0]


def coverage(mask: Mask) -> Tensor:
    """A mask as (height, width) in 0..1, rows from the top."""
    return torch.from_numpy(np.asarray(mask_rows(mask)) / np.float32(255))


def centroid_in_picture(centroid: tuple[float, float], frame: Frame, picture: tuple[int, int]) -> tuple[float, float]:
    """A point of the frame as a point of the picture, both in 0..1; ``picture`` is (width, height) in pixels."""
    (x, y), (width, height) = centroid, picture
    return (frame.left + x * frame.width) / width, (frame.top + y * frame.height) / height


def size_in_picture(size: float, frame: Frame, picture: tuple[int, int]) -> float:
    """A fraction of the frame as a fraction of the picture."""
    return size * (frame.width * frame.height) / (picture[0] * picture[1])


def achieved(
    model: sg_core.Model, judge: sg_core.Judge | None, blockout: Blockout, latent: Tensor, picture: Tensor
) -> tuple[Achieved, ...]:
    """What the picture shows of each region, in the regions' order; latent and picture as ``paint`` returns them.

    An enlarged one is looked at as small as it began: that is the size at which model and Judge know objects.
    """
    if blockout.enlargement > 1.0:
        small = first_size(model.card, blockout.width, blockout.height, blockout.enlargement)
        latent = F.interpolate(latent, model.latent_shape(*small)[1:], mode="area")
        picture = F.interpolate(picture, small[::-1], mode="area")
    said = wording(blockout)
    described = [description for description in said.descriptions if description is not None]
    groundings = sg_core.groundings(model, judge, said.prompt, said.phrases, latent, picture, described)
    regions = zip(blockout.regions, said.phrases, strict=True)
    return tuple(achieved_by(groundings[phrase], region.name, blockout) for region, phrase in regions)


def achieved_by(grounding: sg_core.Grounding, name: str, blockout: Blockout) -> Achieved:
    """A grounding in the words of the wire; one with nothing of it inside the frame counts as absent."""
    absent = Achieved(name=name, by=grounding.by, mask=None, centroid=None, size=0.0)
    if grounding.mask is None:
        return absent
    width, height = blockout.width, blockout.height
    mask = F.interpolate(grounding.mask[None, None].cpu(), (height, width), mode="bilinear")[0, 0]
    frame = blockout.frame
    inside = mask[frame.top : frame.top + frame.height, frame.left : frame.left + frame.width] >= 0.5
    if not inside.any():
        return absent
    rows, columns = inside.nonzero(as_tuple=True)
    centroid = ((float(columns.float().mean()) + 0.5) / frame.width, (float(rows.float().mean()) + 0.5) / frame.height)
    return replace(absent, mask=packed(mask), centroid=centroid, size=float(inside.float().mean()))


def packed(coverage: Tensor) -> Mask:
    """Coverage (height, width) in 0..1 as a mask of its aspect, ACHIEVED_SIDE at most."""
    height, width = coverage.shape
    shrink = min(1.0, ACHIEVED_SIDE / max(height, width))
    rows, columns = max(1, round(height * shrink)), max(1, round(width * shrink))
    small = F.interpolate(coverage[None, None], (rows, columns), mode="area")[0, 0]
    return pack_mask(columns, rows, (small * 255).round().byte().numpy().tobytes())


def image_of(picture: Tensor) -> Image.Image:
    """A picture (3, height, width) in 0..1 as 8-bit RGB, rounded to nearest."""
    return Image.fromarray((picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy())
