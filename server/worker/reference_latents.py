# SPDX-License-Identifier: MIT
"""The pictures that a blockout refers to, as the model has them: from a PNG file to a latent, its noise, and where each
region is in it."""

import base64
import binascii
import io
import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

import sg_core
from addon.protocol.blockout import Blockout, Frame, Mask, ReferencePicture, Side
from addon.protocol.png import BLOCKOUT_KEY, LATENT_KEY
from addon.protocol.strict_json import ContractError, Record, load
from sg_core.models.model import of_size
from sg_core.noise import initial_noise, varied
from sg_core.second_passes.enlargement import first_size
from sg_core.tokens import Phrase

from ..problems import Unpaintable
from ..unreadable import UNREADABLE
from .translate import coverage, wording

HEADER = struct.Struct("<3I")  # channels, rows and columns of a latent, before its numbers in float16


@dataclass(frozen=True, kw_only=True)
class FramedSize(Record):
    """The sides of a whole picture, in pixels, and the artist's frame in it: what a blockout says of both, alone."""

    width: Side
    height: Side
    frame: Frame

    def __post_init__(self) -> None:
        frame = self.frame
        if frame.left + frame.width > self.width or frame.top + frame.height > self.height:
            raise ContractError("frame", f"reaches outside the {self.width} x {self.height} picture")


@dataclass(frozen=True)
class PngReference:
    """A PNG file: its pixels (3, height, width) in 0..1, of the whole or of the artist's frame; the latent that it
    carries, with the model it is of; and how large the picture is that it was painted as, None where it is not ours."""

    pixels: Tensor
    latent: Tensor | None
    model: str
    size: FramedSize | None


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
        request = json.loads(texts[BLOCKOUT_KEY]) if texts.keys() & {BLOCKOUT_KEY, LATENT_KEY} else {}
        size = load(FramedSize, {key: request[key] for key in ("width", "height", "frame")}) if request else None
        model = str(request["model"]) if latent is not None else ""
    except UNREADABLE as error:
        raise Unpaintable(f"The picture that this one follows cannot be read: {error}", path="reference") from error
    return PngReference(pixels, latent, model, size)


def reference_of(
    model: sg_core.Model, judge: sg_core.Judge | None, blockout: Blockout, png: bytes
) -> sg_core.Reference:
    """The picture that a request follows, as the model has it, with its regions where they are of use."""
    request = blockout.reference
    assert request is not None, "whoever calls looked"
    file, small = read(png), first_pass(model, blockout)
    plain = encoded(model, blockout, request, file)
    if request.shown is not None:
        return plain
    if request.keeps in ("layout", "attention"):
        return replace(plain, picture=None)
    old = other_size(file, blockout, small)
    masks, outlines = located(model, judge, small, request, plain, partial(_coverage, old=old, new=small))
    return replace(plain, regions=masks, outlines=outlines)


def encoded(model: sg_core.Model, asked: Blockout, request: ReferencePicture, file: PngReference) -> sg_core.Reference:
    """A picture as the model has it, without regions: by the latent that the file carries, else encoded; of an enlarged
    request as large as its first pass, which alone knows of it."""
    blockout = first_pass(model, asked)
    shape = model.latent_shape(blockout.width, blockout.height)
    latent = file.latent if file.model == blockout.model and file.latent is not None else None
    latent = latent if latent is None or latent.shape[1:] == shape else None
    pixels = _drawn(file, asked, blockout) if latent is None else _completed(model, file, blockout, latent)
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
    plain: sg_core.Reference,
    cover: Callable[[Mask], Tensor] = coverage,
) -> tuple[dict[Phrase, Tensor], dict[Phrase, Tensor]]:
    """Each region's mask and outline in the reference: as they were sent, which ``cover`` reads, else as the picture
    shows them.

    Raises Unpaintable for a region that keeps a look which the picture does not show.
    """
    listed = {region.name: region for region in request.regions}
    phrases = dict(zip((region.name for region in blockout.regions), wording(blockout).phrases, strict=True))
    unknown = [r for r in blockout.regions if r.name not in listed or listed[r.name].outline is None]
    words, picture = [region.phrase for region in unknown], plain.picture
    assert picture is not None, "it was read"
    groundings = sg_core.groundings(model, judge, request.caption, words, plain.latent, picture)
    masks: dict[Phrase, Tensor] = {}
    outlines: dict[Phrase, Tensor] = {}
    for name, was in listed.items():
        phrase = phrases.get(name, Phrase(name))
        masks[phrase] = cover(was.mask)
        if was.outline is not None:
            outlines[phrase] = cover(was.outline)
    for region in unknown:
        mask, phrase = groundings[region.phrase].mask, phrases[region.name]
        if mask is None and region.name not in listed and region.look == "keep":
            detail = f"The picture that this one follows does not show {region.phrase}, which is to keep its look"
            raise Unpaintable(detail, path="reference", fix="Say it in the caption, or take another picture.")
        if mask is not None:
            outlines[phrase] = mask.cpu()
            masks.setdefault(phrase, mask.cpu())
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


def other_size(file: PngReference, blockout: Blockout, small: Blockout) -> FramedSize | None:
    """Of a picture of ours that is neither as large as the one that is asked for nor as its first pass; else None."""
    old, sizes = file.size, [(one.width, one.height) for one in (blockout, small)]
    return None if old is None or (old.width, old.height) in sizes else old


def _completed(model: sg_core.Model, file: PngReference, blockout: Blockout, latent: Tensor) -> Tensor:
    """The whole picture (1, 3, height, width) of a file with its latent: the file's own pixels, and around an artist's
    frame what the latent shows there."""
    pixels, old, width, height = file.pixels[None], file.size, blockout.width, blockout.height
    if pixels.shape[2:] == (height, width):
        return pixels
    with torch.no_grad():
        picture = of_size(model.decode(latent.to(_device(model))).cpu(), width, height)
    if old is not None and (old.width, old.height) == (width, height) and pixels.shape[2:] == _sides(old.frame):
        _part(picture, old.frame).copy_(pixels)
    return picture


def _drawn(file: PngReference, blockout: Blockout, small: Blockout) -> Tensor:
    """The picture of a file without a latent of use, (1, 3, height, width) of the first pass: of one of ours of another
    size the frame lies on the new frame, an artist's frame alone has its border go on outside, all else is scaled."""
    pixels, size = file.pixels[None], (small.height, small.width)
    if old := other_size(file, blockout, small):
        return _carried(pixels, old, small)
    sizes = () if pixels.shape[2:] == size else (file.size, small, blockout)
    framed = next((one for one in sizes if one is not None and pixels.shape[2:] == _sides(one.frame)), None)
    return _sized(pixels if framed is None else _framed(pixels, framed), size)


def _coverage(mask: Mask, *, old: FramedSize | None, new: Blockout) -> Tensor:
    """A mask (y, x) in 0..1 that lies on a picture of the ``old`` size as it lies on the new picture."""
    cover = coverage(mask)
    if old is None:
        return cover
    return _carried(_sized(cover[None, None], (old.height, old.width)), old, new)[0, 0]


def _carried(values: Tensor, old: FramedSize, new: Blockout) -> Tensor:
    """Values (1, channel, y, x) of a picture, or of its frame alone, with that frame where a new picture has its own;
    the border of the frame goes on outside."""
    part = _part(values, old.frame) if values.shape[2:] == (old.height, old.width) else values
    return _framed(_sized(part, _sides(new.frame)), new)


def _sides(frame: Frame) -> tuple[int, int]:
    """Height and width."""
    return frame.height, frame.width


def _part(values: Tensor, frame: Frame) -> Tensor:
    """What of a whole picture (1, channel, y, x) lies in the artist's frame, which shares its memory."""
    return values[..., frame.top : frame.top + frame.height, frame.left : frame.left + frame.width]


def _sized(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """Pictures (1, channel, y, x) of this height and width."""
    if pixels.shape[2:] == size:
        return pixels
    return F.interpolate(pixels, size, mode="bilinear", antialias=True, align_corners=False).clamp(0, 1)


def _framed(pixels: Tensor, size: Blockout | FramedSize) -> Tensor:
    """The artist's part of a picture, (1, channel, height, width), as a whole one: its border goes on outside."""
    frame = size.frame
    right, bottom = size.width - frame.left - frame.width, size.height - frame.top - frame.height
    return F.pad(pixels, (frame.left, right, frame.top, bottom), mode="replicate")


def _device(model: sg_core.Model) -> torch.device:
    return next(model.network.parameters()).device
