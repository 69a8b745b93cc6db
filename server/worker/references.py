# SPDX-License-Identifier: MIT
"""From the pictures that a blockout refers to, to the terms that keep something of them.

What is request follows from what differs. Regions that stand where the reference has them, and whose look is free, stay
as they are with everything else; those that moved, came, went or are to be repainted have their area opened.
"""

import base64
import binascii
import io
import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

import sg_core
from addon.protocol.blockout import Blockout, Frame, ReferencePicture, ReferenceRegion, Region
from sg_core.edits.keeping import Freeze
from sg_core.edits.movement import stands
from sg_core.edits.reference import RegionMasks
from sg_core.models.model import of_size
from sg_core.noise import initial_noise, varied
from sg_core.second_pass import first_size
from sg_core.tokens import Phrase

from ..problems import UnknownReference, Unpaintable
from .control_pictures import control_picture
from .translate import coverage, wording

HEADER = struct.Struct("<3I")  # channels, rows and columns of a latent, before its numbers in float16
KEYS = ("maquette.blockout", "maquette.latent")


@dataclass(frozen=True)
class PngReference:
    """A PNG file: its pixels (3, height, width) in 0..1, and the latent that it carries, with the model it is of."""

    pixels: Tensor
    latent: Tensor | None
    model: str


def latent_text(latent: Tensor) -> str:
    """A clean latent (1, channel, y, x) as text, some tens of kilobytes: float16, zlib, base64."""
    numbers = latent[0].detach().cpu().half().numpy()
    return base64.b64encode(zlib.compress(HEADER.pack(*numbers.shape) + numbers.tobytes())).decode("ascii")


def latent_of(text: str) -> Tensor:
    """The latent (1, channel, y, x), float32, that ``latent_text`` wrote. Raises ValueError for another text."""
    try:
        content = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), 2**26)
        channels, rows, columns = HEADER.unpack_from(content)
        numbers = np.frombuffer(content, np.float16, offset=HEADER.size).reshape(1, channels, rows, columns)
    except (binascii.Error, zlib.error, struct.error) as error:
        raise ValueError(f"the latent cannot be read: {error}") from error
    return torch.from_numpy(numbers.astype(np.float32))


def read(png: bytes) -> PngReference:
    """A PNG file. Raises Unpaintable for what cannot be read as one."""
    try:
        image = Image.open(io.BytesIO(png), formats=["PNG"])
        texts = dict(getattr(image, "text", {}))
        pixels = torch.from_numpy(np.asarray(image.convert("RGB"), dtype=np.float32) / 255).permute(2, 0, 1)
        latent = latent_of(texts[KEYS[1]]) if KEYS[1] in texts else None
        model = str(json.loads(texts[KEYS[0]])["model"]) if latent is not None else ""
    except (OSError, ValueError, LookupError, TypeError, SyntaxError, Image.DecompressionBombError) as error:
        raise Unpaintable(f"The picture that this one follows cannot be read: {error}", path="reference") from error
    return PngReference(pixels, latent, model)


def keeping(
    model: sg_core.Model,
    judge: sg_core.Judge | None,
    blockout: Blockout,
    png: bytes | None,
    collage: Sequence[bytes] = (),
) -> sg_core.Layout:
    """What the picture takes of others: of its reference, of those that its parts are taken out of, and of its own
    blocking. Nothing where it asks for nothing. Raises sg_core's errors, Unpaintable, and UnknownReference for a file
    that is missing: without it the picture would be another."""
    _check_names(blockout)
    if blockout.reference is not None and png is None:
        raise UnknownReference("The picture that this one follows was not handed over", path="reference.picture")
    if len(collage) != len(blockout.collage):
        raise UnknownReference("Not all pictures of the collage were handed over", path="collage")
    layout = blocked(model, blockout)
    if blockout.reference is not None and png is not None:
        layout += _followed(model, judge, blockout, blockout.reference, png)
    kept_around = next((term.reference for term in layout.keeping.of(Freeze, 0.0)), None)
    return layout + collected(model, judge, blockout, collage, kept_around) if blockout.collage else layout


def _followed(
    model: sg_core.Model, judge: sg_core.Judge | None, blockout: Blockout, asked: ReferencePicture, png: bytes
) -> sg_core.Layout:
    reference = reference_of(model, judge, blockout, png)
    if asked.shown is not None:
        return sg_core.freeze(reference, 1.0 - coverage(asked.shown))
    regions = dict(zip(wording(blockout).phrases, blockout.regions, strict=True))
    if asked.keeps == "layout":
        return sg_core.keep_layout(reference)
    if asked.keeps == "attention":
        return sg_core.prompt_to_prompt(model, reference, wording(blockout).prompt)
    if asked.keeps == "look":
        return _look(model, reference, regions)
    changed = {phrase: coverage(r.mask) for phrase, r in regions.items() if _changed(r, phrase, reference)}
    others = {phrase: coverage(r.mask) for phrase, r in regions.items() if phrase not in changed}
    free = [phrase for phrase in changed if regions[phrase].look != "keep"]
    absent: RegionMasks = {words: mask for words, mask in reference.regions.items() if words not in regions}
    return sg_core.keep_look(model, reference, changed, others=others, repainted=free, gone=absent)


def _check_names(blockout: Blockout) -> None:
    """Raise Unpaintable for a collage or a blocking of a region that there is not."""
    names = {region.name for region in blockout.regions}
    colours = () if blockout.blocking is None else blockout.blocking.colours
    for path, parts in (("collage", blockout.collage), ("blocking", colours)):
        if absent := [part.region for part in parts if part.region not in names]:
            detail = f"The {path} is of the region {absent[0]}, which the request does not have"
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


def _look(model: sg_core.Model, reference: sg_core.Reference, regions: dict[Phrase, Region]) -> sg_core.Layout:
    """Of each region that keeps its look, from wherever it is seen."""
    same = {phrase: coverage(region.mask) for phrase, region in regions.items() if region.look == "keep"}
    return sg_core.same_look(model, reference, same) if same else sg_core.Layout()


def _changed(region: Region, phrase: Phrase, reference: sg_core.Reference) -> bool:
    """Whether something has to change for this region."""
    if region.look == "repaint" or phrase not in reference.regions:
        return True
    return not stands(reference.regions[phrase], coverage(region.mask))


def reference_of(
    model: sg_core.Model, judge: sg_core.Judge | None, blockout: Blockout, png: bytes
) -> sg_core.Reference:
    """The reference as the model has it: by the latent that the file carries, else encoded; of an enlarged picture as
    large as its first pass, which alone follows it."""
    request, file, asked = blockout.reference, read(png), blockout
    assert request is not None, "whoever calls looked"
    blockout = first_pass(model, asked)
    shape, size = model.latent_shape(blockout.width, blockout.height), (blockout.height, blockout.width)
    latent = file.latent if file.model == blockout.model and file.latent is not None else None
    latent = latent if latent is None or latent.shape[1:] == shape else None
    pixels = file.pixels[None]
    if pixels.shape[2:] != size and latent is not None:  # the artist's part of a picture that is larger
        with torch.no_grad():
            pixels = of_size(model.decode(latent.to(_device(model))).cpu(), blockout.width, blockout.height)
    elif pixels.shape[2:] != size:
        frames = {(one.frame.height, one.frame.width): one for one in (asked, blockout)}
        framed = frames.get((pixels.shape[2], pixels.shape[3]))
        pixels = _sized(pixels if framed is None else _framed(pixels, framed), size)
    if latent is None:
        latent = sg_core.pictured(model, pixels[0], request.caption, {}).latent
    first = initial_noise([torch.Generator("cpu").manual_seed(request.seed)], shape)
    noise = varied(first, request.variation_seed, request.variation)
    plain = sg_core.painted(latent.to(_device(model)), request.caption, {}, noise=noise)
    if request.shown is not None:
        return replace(plain, picture=pixels)
    if request.keeps in ("layout", "attention"):
        return plain
    masks, outlines = located(model, judge, blockout, request, plain.latent, pixels)
    return sg_core.Reference(plain.latent, plain.noise, request.caption, masks, outlines, pixels)


def located(
    model: sg_core.Model,
    judge: sg_core.Judge | None,
    blockout: Blockout,
    request: ReferencePicture,
    latent: Tensor,
    pixels: Tensor,
) -> tuple[dict[Phrase, Tensor], dict[Phrase, Tensor]]:
    """Each region's mask and outline in the reference: as they were sent, else as the picture shows them.

    Raises Unpaintable for a region that keeps a look which the picture does not show.
    """
    listed = {region.name: region for region in request.regions}
    phrases = dict(zip((region.name for region in blockout.regions), wording(blockout).phrases, strict=True))
    unknown = [r for r in blockout.regions if r.name not in listed or listed[r.name].outline is None]
    groundings = sg_core.groundings(model, judge, request.caption, [r.phrase for r in unknown], latent, pixels)
    masks: dict[Phrase, Tensor] = {}
    outlines: dict[Phrase, Tensor] = {}
    for name, was in listed.items():
        words = phrases.get(name, Phrase(name))
        masks[words] = coverage(was.mask)
        if was.outline is not None:
            outlines[words] = coverage(was.outline)
    for region in unknown:
        mask, words = groundings[region.phrase].mask, phrases[region.name]
        if mask is None and region.name not in listed and region.look == "keep":
            detail = f"The picture that this one follows does not show {region.phrase}, which is to keep its look"
            raise Unpaintable(detail, path="reference", fix="Say it in the caption, or take another picture.")
        if mask is not None:
            outlines[words] = mask.cpu()
            masks.setdefault(words, mask.cpu())
    return masks, outlines


def first_pass(model: sg_core.Model, blockout: Blockout) -> Blockout:
    """The request as the first of two passes paints it; as it is where there is but one."""
    if blockout.enlargement == 1.0:
        return blockout
    width, height = first_size(model.card, blockout.width, blockout.height, blockout.enlargement)
    across, down, frame = width / blockout.width, height / blockout.height, blockout.frame
    left, right = (round(edge * across) for edge in (frame.left, frame.left + frame.width))
    top, bottom = (round(edge * down) for edge in (frame.top, frame.top + frame.height))
    small = Frame(left=left, top=top, width=max(1, right - left), height=max(1, bottom - top))
    return replace(blockout, width=width, height=height, frame=small, enlargement=1.0)


def _sized(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """Pictures (1, 3, y, x) of this height and width."""
    if pixels.shape[2:] == size:
        return pixels
    return F.interpolate(pixels, size, mode="bilinear", antialias=True, align_corners=False).clamp(0, 1)


def _framed(pixels: Tensor, blockout: Blockout) -> Tensor:
    """The artist's part of a picture, (1, 3, height, width), as a whole one: its border goes on outside."""
    frame = blockout.frame
    right, bottom = blockout.width - frame.left - frame.width, blockout.height - frame.top - frame.height
    return F.pad(pixels, (frame.left, right, frame.top, bottom), mode="replicate")


def _device(model: sg_core.Model) -> torch.device:
    return next(model.network.parameters()).device
