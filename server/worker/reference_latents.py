# SPDX-License-Identifier: MIT
"""The pictures that a blockout refers to, as the model has them: from a PNG file to a latent, its noise, and where each
region is in it."""

import base64
import binascii
import io
import json
import struct
import zlib
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

import sg_core
from addon.protocol.blockout import Blockout, Frame, ReferencePicture
from addon.protocol.png import BLOCKOUT_KEY, LATENT_KEY
from sg_core.models.model import of_size
from sg_core.noise import initial_noise, varied
from sg_core.second_passes.enlargement import first_size
from sg_core.tokens import Phrase

from ..problems import Unpaintable
from .translate import coverage, wording

HEADER = struct.Struct("<3I")  # channels, rows and columns of a latent, before its numbers in float16


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
        latent = latent_of(texts[LATENT_KEY]) if LATENT_KEY in texts else None
        model = str(json.loads(texts[BLOCKOUT_KEY])["model"]) if latent is not None else ""
    except (OSError, ValueError, LookupError, TypeError, SyntaxError, Image.DecompressionBombError) as error:
        raise Unpaintable(f"The picture that this one follows cannot be read: {error}", path="reference") from error
    return PngReference(pixels, latent, model)


def reference_of(
    model: sg_core.Model, judge: sg_core.Judge | None, blockout: Blockout, png: bytes
) -> sg_core.Reference:
    """The picture that a request follows, as the model has it, with its regions where they are of use."""
    request = blockout.reference
    assert request is not None, "whoever calls looked"
    plain = encoded(model, blockout, request, png)
    if request.shown is not None:
        return plain
    if request.keeps in ("layout", "attention"):
        return replace(plain, picture=None)
    assert plain.picture is not None, "it was read"
    masks, outlines = located(model, judge, first_pass(model, blockout), request, plain.latent, plain.picture)
    return replace(plain, regions=masks, outlines=outlines)


def encoded(model: sg_core.Model, asked: Blockout, request: ReferencePicture, png: bytes) -> sg_core.Reference:
    """A picture as the model has it, without regions: by the latent that the file carries, else encoded; of an enlarged
    request as large as its first pass, which alone knows of it."""
    file, blockout = read(png), first_pass(model, asked)
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
    return replace(plain, picture=pixels)


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
