# SPDX-License-Identifier: MIT
"""A request painted again and looked into, as a page: what each step looked at, what pulled it, and how far."""

import io
from dataclasses import dataclass

import torch
from PIL import Image

import sg_core
from addon.protocol.blockout import Blockout, Likeness, ReferencePicture
from sg_core.inspection.page import page
from sg_core.inspection.record import InspectionRecorder

from ..safeguards import pixel_mark
from . import reference_latents, references, translate
from .png_files import crop

FOLLOWS = {
    "picture": "The picture that this one follows, in all that no region needs to change",
    "look": "The picture whose looks this one keeps",
    "layout": "The picture whose layout this one keeps",
    "attention": "The picture whose words look where this one's look",
}


@dataclass(frozen=True)
class PicturesInspected:
    """PNG files: of the picture that the request follows, the one that was painted of it before, and those of its
    ``parts``, where there are such."""

    reference: bytes | None = None
    before: bytes | None = None
    parts: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class InspectionPage:
    """The page as HTML; and how far the picture is from the one before, mean over 0..255; None where there was none."""

    text: str
    difference: float | None


def inspected_page(
    model: sg_core.Model,
    judge: sg_core.Judge | None,
    blockout: Blockout,
    watch: sg_core.Watch,
    files: PicturesInspected,
    control: torch.nn.Module | None = None,
) -> InspectionPage:
    """Paint a request, as the model reads it, and look into it; ``control`` is its ControlNet. Raises sg_core's errors,
    Unpaintable, and whatever ``watch`` raises."""
    recorder = InspectionRecorder(watch)
    keeping = references.keeping(model, judge, blockout, files.reference, files.parts)
    keeping += references.control(control, blockout)
    picture = translate.paint(model, blockout, recorder, keeping, inspected=True)[0][0]
    phrases = translate.wording(blockout).phrases
    targets = {
        str(phrase): translate.coverage(region.mask) for phrase, region in zip(phrases, blockout.regions, strict=True)
    }
    difference = None if files.before is None else difference_of(picture, blockout, files.before)
    beside = {}
    if files.reference is not None and blockout.reference is not None:
        beside[FOLLOWS[blockout.reference.keeps]] = reference_latents.read(files.reference).pixels
    text = page(recorder.inspection(picture, targets), blockout.prompt, facts(blockout), beside, remarks(difference))
    return InspectionPage(text, difference)


def facts(blockout: Blockout) -> dict[str, str]:
    """What else is known of a request, in words."""
    standard = {
        "model": blockout.model,
        "size": f"{blockout.width} × {blockout.height}",
        "seed": str(blockout.seed),
        "steps": str(blockout.steps),
        "scheduler": blockout.scheduler,
        "strength": f"{blockout.strength:g}",
        "prompt weight": f"{blockout.scale:g}",
        "masks until": f"{blockout.masks:g}",
        "emphasis": f"{blockout.emphasis:g}",
    }
    optional = {
        "noise shaped": str(blockout.noise or ""),
        "leakage": f"{blockout.leakage:g}" if blockout.leakage else "",
        "confined": "yes" if blockout.confined else "",
        "refinement": f"{blockout.refinement:g}" if blockout.refinement else "",
        "enlarged": f"{blockout.enlargement:g} ×" if blockout.enlargement > 1.0 else "",
        "avoided": blockout.negative,
        "variation": f"{blockout.variation:g} towards {blockout.variation_seed}" if blockout.variation else "",
        "LoRAs": ", ".join(f"{lora.name} × {lora.weight:g}" for lora in blockout.loras),
        "VAE": blockout.vae.name if blockout.vae else "",
        "ControlNet": f"{blockout.control.name} × {blockout.control.scale:g}" if blockout.control else "",
        "follows": _followed(blockout.reference) if blockout.reference else "",
        "taken": "; ".join(f"{part.region} out of {part.picture[:12]}…" for part in blockout.collage),
        "alike": "; ".join(map(_alike, blockout.likenesses)),
    }
    return standard | {name: value for name, value in optional.items() if value}


def _followed(reference: ReferencePicture) -> str:
    return f"{reference.picture[:12]}…, keeps its {reference.keeps}"


def _alike(part: Likeness) -> str:
    return f"{part.region}, {' and '.join(part.properties)} of {part.phrase} in {part.picture[:12]}…"


def difference_of(picture: torch.Tensor, blockout: Blockout, png: bytes) -> float | None:
    """How far a picture (3, height, width) in 0..1, whole or its artist's part, is from a PNG file, mean over 0..255;
    None where the file has neither's size. A file that is marked is held against the picture with that mark: no
    difference of the two is the mark's. Raises Unpaintable for what is no PNG file."""
    full, other = translate.image_of(picture), reference_latents.read(png).pixels
    for image in (full, crop(full, blockout.frame)):
        if (image.height, image.width) == tuple(other.shape[1:]):
            alike = marked_like(image, translate.image_of(other))
            return float((pixels_of(alike) - other).abs().mean() * 255)
    return None


def marked_like(image: Image.Image, saved: Image.Image) -> Image.Image:
    """An image (RGB) with the mark in its pixels that another one has, if it has any."""
    mark = pixel_mark.read(saved)
    marked = pixel_mark.marked(image, mark.content) if mark is not None and mark.content else None
    return image if marked is None else marked


def pixels_of(image: Image.Image) -> torch.Tensor:
    """An 8-bit image as (3, height, width) in 0..1, as ``reference_latents.read`` has those of a file."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return reference_latents.read(file.getvalue()).pixels


def remarks(difference: float | None) -> list[str]:
    """How the picture that was looked into stands to the one before, in a sentence."""
    if difference is None:
        return []
    if difference == 0:
        return ["Painted again for this page: it is the picture that was saved, to the pixel."]
    return [
        f"Painted again for this page: it is {difference:.2g} of 255 away from the picture that was saved, on average. "
        "On another machine, or another version of a library, the same request is never quite the same picture."
    ]
