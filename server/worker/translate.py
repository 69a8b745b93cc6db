# SPDX-License-Identifier: MIT
"""From the words of the wire to the words of the method, and back: what each region is to be, and what it became.

A blockout's masks lie on the whole generated picture, and so do the network's maps; centroids and sizes are of the
artist's frame, and are carried over to the picture here.
"""

import re
from collections import deque
from collections.abc import Collection
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

import sg_core
from addon.protocol.records import Achieved, Blockout, Frame, Mask, Region, mask_rows, pack_mask
from sg_core.energy import Energy
from sg_core.tokens import Phrase, occurrences

PLACED = 0.5  # weight of a centroid or a size against a shape
PRESENT = 0.25
WORD = re.compile(r"\w+")
STOP = re.compile(r"[,;.:!?]")
ACHIEVED_SIDE = 128  # longest side of a mask of what a picture shows; neither Judge nor attention is sharper


def paint(model: sg_core.Model, blockout: Blockout, watch: sg_core.Watch) -> tuple[Tensor, Tensor]:
    """The whole picture, (1, 3, height, width) in 0..1, and its clean latent.

    Raises sg_core's errors, and whatever ``watch`` raises.
    """
    guided = blockout.regions and blockout.strength > 0
    moments: deque[sg_core.Moment] = deque(maxlen=1)

    def watched(moment: sg_core.Moment) -> None:
        moments.append(moment)
        watch(moment)

    picture = sg_core.generate(
        model,
        blockout.prompt,
        layout(blockout) if guided else None,
        seeds=(blockout.seed,),
        width=blockout.width,
        height=blockout.height,
        steps=blockout.steps,
        scale=blockout.scale,
        strength=blockout.strength,
        negative=blockout.negative,
        variation=blockout.variation,
        variation_seed=blockout.variation_seed,
        watch=watched,
    )
    return picture, moments[-1].latent


def readable(blockout: Blockout, words: Collection[str]) -> Blockout:
    """The request as a model reads it that knows only these ``words``; as it is for one that knows any (none given).

    Every other word would fall apart into letters, which it never learned and has no room for. The regions' phrases
    stay, for they have to be found.
    """
    if not words:
        return blockout
    phrases = [Phrase(region.phrase) for region in blockout.regions]
    spans = [span for phrase in phrases for span in occurrences(blockout.prompt, phrase)]
    prompt, negative = readable_text(blockout.prompt, words, spans), readable_text(blockout.negative, words)
    return replace(blockout, prompt=prompt, negative=negative)


def readable_text(text: str, words: Collection[str], protected: Collection[tuple[int, int]] = ()) -> str:
    """The text without the words that are not among ``words``, in any case, or in ``protected`` spans (start, end).

    What stood around them closes up, to a comma where there was a stop between.
    """
    spans = [word.span() for word in WORD.finditer(text) if word[0].lower() in words]
    result, at = "", 0
    for start, end in sorted({*spans, *protected}):
        if end > at:  # protected spans may overlap
            gap = _closed(text[at:start], ", " if result else "", " " if result else "")
            result += gap + text[max(at, start) : end]
            at = end
    return result + _closed(text[at:], "", "")


def _closed(gap: str, stopped: str, plain: str) -> str:
    """What becomes of the text between two words that stay: itself, unless there were words in it."""
    if not WORD.search(gap):
        return gap
    return stopped if STOP.search(gap) else plain


def layout(blockout: Blockout) -> Energy:
    """What the regions enforce. Those with a shape also keep out of each other; the others only have to be there."""
    shaped: dict[str | Phrase, Tensor] = {
        region.phrase: coverage(region.mask) for region in blockout.regions if "shape" in region.enforce
    }
    return sum((loose(region, blockout) for region in blockout.regions), sg_core.place(shaped))


def loose(region: Region, blockout: Blockout) -> Energy:
    """What one region enforces besides its shape; presence where no mask says where to be."""
    energy, picture = Energy(), (blockout.width, blockout.height)
    if "centroid" in region.enforce:
        x, y = centroid_in_picture(region.centroid, blockout.frame, picture)
        energy += PLACED * sg_core.centroid(region.phrase, x, y)
    if "size" in region.enforce:
        energy += PLACED * sg_core.size(region.phrase, size_in_picture(region.size, blockout.frame, picture))
    if "shape" not in region.enforce:
        energy += PRESENT * sg_core.presence(region.phrase)
    return energy


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
    """What the picture shows of each region, in the regions' order; latent and picture as ``paint`` returns them."""
    phrases = [region.phrase for region in blockout.regions]
    groundings = sg_core.groundings(model, judge, blockout.prompt, phrases, latent, picture)
    return tuple(achieved_by(groundings[region.phrase], region.name, blockout) for region in blockout.regions)


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
