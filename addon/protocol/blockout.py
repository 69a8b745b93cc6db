# SPDX-License-Identifier: MIT
"""What is asked of a model: the blockout, its regions and their masks, with the bounds of every value.

Standard library only. The server validates these very dataclasses with pydantic, and ``tests/addon/protocol`` holds
both readers to one verdict. Fractions of a picture run x right and y down, 0..1; sizes are in whole pixels unless they
say otherwise.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from .coverage import MASK_SIDE, Mask, mask_rows, pack_mask, unpack_mask
from .strict_json import Added, ContractError, Length, Range, Record

__all__ = [
    "DENOISING",
    "ENLARGEMENT",
    "LORAS",
    "MASK_SIDE",
    "SEED_MAX",
    "SIDES",
    "AdapterFile",
    "Blocking",
    "Blockout",
    "CollagePart",
    "ComparedProperty",
    "ControlKind",
    "ControlNet",
    "Digest",
    "FlatColour",
    "Frame",
    "Likeness",
    "LoraFile",
    "Mask",
    "Precision",
    "Property",
    "RedGreenBlue",
    "ReferencePicture",
    "ReferenceRegion",
    "Region",
    "Scheduler",
    "mask_rows",
    "pack_mask",
    "unpack_mask",
]

SEED_MAX = 2**31 - 1  # Blender's int property ends here
LORAS = 16  # at once
SIDES = (16, 4096)  # of a picture, in pixels
ENLARGEMENT = 4.0  # at most, of the sides of a first pass
DENOISING = 0.4  # of a second pass, where nobody says otherwise

Name = Annotated[str, Length(1, 200)]
Text = Annotated[str, Length(0, 2000)]
Fraction = Annotated[float, Range(0.0, 1.0)]
Offset = Annotated[float, Range(-1.0, 1.0)]
Emphasis = Annotated[float, Range(0.0, 20.0)]  # in nats; e^20 is heard alone
Side = Annotated[int, Range(*SIDES)]
Seed = Annotated[int, Range(0, SEED_MAX)]
RedGreenBlue = tuple[Fraction, Fraction, Fraction]
Digest = Annotated[str, Length(64, 64)]
RegionLook = Literal["free", "keep", "repaint"]
Property = Literal["shape", "centroid", "size"]
ComparedProperty = Literal["shape", "centroid", "size", "appearance"]
ControlKind = Literal["depth", "edges"]
Precision = Literal["", "float32", "bfloat16", "float16"]
Checksum = Annotated[str, Length(0, 64)]  # a sha256, or "" for a file's as it is
Scheduler = Literal["ddim", "ddpm", "euler", "euler a", "dpm++ 2m", "dpm++ 2m karras", "unipc", "lcm"]


@dataclass(frozen=True, kw_only=True)
class Frame(Record):
    """The artist's frame inside the generated picture, in the picture's pixels."""

    left: Annotated[int, Range(0, 4096)]
    top: Annotated[int, Range(0, 4096)]
    width: Annotated[int, Range(1, 4096)]
    height: Annotated[int, Range(1, 4096)]


@dataclass(frozen=True, kw_only=True)
class Region(Record):
    """The visible part of one marked object, collection or phrase.

    The mask lies on the grid of the whole generated picture (overscan included). Centroid and size are fractions of the
    artist's frame; ``visible`` is the visible fraction of its unoccluded in-frame area; ``depth`` orders
    regions, 0 nearest. It pulls with its own ``strength``, times the blockout's, from the fraction ``start`` of the
    steps up to ``until``. ``description`` is words that hold for it alone, ``colour`` the red, green and blue it is to
    have; the prompt need not say the phrase of one that is ``unnamed``. Its ``look`` is the reference's (keep), another
    (repaint), or, where it stays in place, as the rest of the reference is (free).
    """

    name: Name
    phrase: Name
    mask: Mask
    centroid: tuple[Fraction, Fraction]
    size: Fraction
    visible: Fraction
    depth: Annotated[int, Range(0, 10_000)]
    enforce: Annotated[tuple[Property, ...], Length(0, 3)] = ("shape",)
    strength: Annotated[Fraction, Added("0.2.0")] = 1.0
    start: Annotated[Fraction, Added("0.2.0")] = 0.0
    until: Annotated[Fraction, Added("0.2.0")] = 1.0
    description: Annotated[Text, Added("0.2.0")] = ""
    colour: Annotated[RedGreenBlue | None, Added("0.2.0")] = None
    unnamed: Annotated[bool, Added("0.2.0")] = False
    look: Annotated[RegionLook, Added("0.2.0")] = "free"


@dataclass(frozen=True, kw_only=True)
class ReferenceRegion(Record):
    """Where the region of that ``name`` is in a reference: what was asked (mask), and what can be seen (outline)."""

    name: Name
    mask: Mask
    outline: Mask | None = None


@dataclass(frozen=True, kw_only=True)
class ReferencePicture(Record):
    """A picture that another follows: its PNG file's sha256, what it shows in words, and its noise.

    Regions that it does not list are looked for in it. One that ``keeps`` its picture gives everything that no region
    needs to change; one that keeps the look alone, as from another camera, only what its kept regions look like; one
    that keeps the layout only where things are, for other words; one that keeps the attention where words look, for
    those that stand in the place of others. Where ``shown`` says what of it is a picture at all, that stays as it is,
    and all else is painted.
    """

    picture: Digest
    caption: Annotated[str, Length(1, 2000)]
    seed: Seed = 0
    variation: Fraction = 0.0
    variation_seed: Seed = 0
    regions: Annotated[tuple[ReferenceRegion, ...], Length(0, 64)] = ()
    keeps: Literal["picture", "look", "layout", "attention"] = "picture"
    shown: Mask | None = None


@dataclass(frozen=True, kw_only=True)
class CollagePart(Record):
    """The region of that name is taken out of another picture, by its PNG file's sha256: what that shows in words, what
    it calls the object, and where it shows it; without an outline it is looked for."""

    region: Name
    picture: Digest
    caption: Annotated[str, Length(1, 2000)]
    phrase: Name
    outline: Mask | None = None


@dataclass(frozen=True, kw_only=True)
class Likeness(Record):
    """The region of that name is pulled to what another picture shows, by its PNG file's sha256: what that shows in
    words, and what it calls the object. Of the ``properties``, the middle is the other's moved by ``shift``, fractions
    of the artist's frame, and the size ``factor`` times the other's. They pull as a region's own properties do, times
    ``weight``. ``seed`` is of the noise that the picture was painted from, where that is known."""

    region: Name
    picture: Digest
    caption: Annotated[str, Length(1, 2000)]
    phrase: Name
    properties: Annotated[tuple[ComparedProperty, ...], Length(1, 4)]
    shift: tuple[Offset, Offset] = (0.0, 0.0)
    factor: Annotated[float, Range(0.01, 100.0)] = 1.0
    weight: Annotated[float, Range(0.0, 10.0)] = 1.0
    seed: Seed = 0


@dataclass(frozen=True, kw_only=True)
class FlatColour(Record):
    """The colour of the region of that name in a blocking: red, green and blue."""

    region: Name
    colour: RedGreenBlue


@dataclass(frozen=True, kw_only=True)
class Blocking(Record):
    """The picture begins as flat blocks of these colours, over that of the ``ground`` where there is one; regions
    without a colour begin as ever. An ``amount`` of 0 is without, of 1 they are to be seen to the end."""

    amount: Fraction
    colours: Annotated[tuple[FlatColour, ...], Length(0, 64)] = ()
    ground: RedGreenBlue | None = None


@dataclass(frozen=True, kw_only=True)
class AdapterFile(Record):
    """A file on top of a model, by the name that the server offers it under, and its sha256; without one the server
    takes it as it is, and says its sha256 in what it stores."""

    name: Name
    sha256: Checksum = ""


@dataclass(frozen=True, kw_only=True)
class LoraFile(Record):
    """A LoRA, as an AdapterFile is named, and how much of it is added: 1 as it was trained, 0 nothing of it."""

    name: Name
    sha256: Checksum = ""
    weight: Annotated[float, Range(-10.0, 10.0)] = 1.0


@dataclass(frozen=True, kw_only=True)
class ControlNet(Record):
    """A ControlNet, as an AdapterFile is named, that looks at this ``kind`` of picture of the blocking: so much of it
    is added, up to the fraction ``until`` of the steps. ``depth`` is 255 where it is nearest, 1 where farthest, by the
    inverse of the distance, 0 where nothing is; without it the regions and their order have to do."""

    name: Name
    sha256: Checksum = ""
    kind: ControlKind = "depth"
    scale: Annotated[float, Range(0.0, 2.0)] = 1.0
    until: Fraction = 1.0
    depth: Mask | None = None


@dataclass(frozen=True, kw_only=True)
class Blockout(Record):
    """The request: everything that matters to a picture. It is generated at width x height and cropped to ``frame``.

    While less than the fraction ``masks`` of the steps is done, each region's words are heard only inside it, at
    first e^``emphasis`` times as much as the network would. The layout shapes the initial ``noise`` so many times;
    ``leakage`` is the weight of keeping words out of other regions' places; a layout that is ``confined`` pulls in
    and around its regions only. The noise of ``seed`` is turned towards that of ``variation_seed`` by
    ``variation``: 0 leaves it alone, 1 is the other. ``loras`` are added to the model's weights in their order, and
    ``vae`` decodes instead of its own autoencoder; weights are computed in this ``precision``, "" being what the
    device likes. What follows another picture has a ``reference``; a ``collage`` takes objects out of others,
    ``likenesses`` pull regions to what others show, a ``blocking`` is what the picture begins as, a ``control``
    looks at the blocks. The last part of the steps, ``refinement``, is walked once more without emphasis. Above an
    ``enlargement`` of 1 the picture is first painted so much smaller, and another pass walks the last part,
    ``denoising``, again at its full size. One that is ``tiled`` was decoded in tiles, for want of memory; a
    ``fingerprint`` is that of the model that painted it.
    """

    prompt: Annotated[str, Length(1, 2000)]
    regions: Annotated[tuple[Region, ...], Length(0, 64)]
    width: Side
    height: Side
    frame: Frame
    seed: Seed
    model: Name
    steps: Annotated[int, Range(1, 1000)]
    strength: Fraction
    scale: Annotated[float, Range(1.0, 100.0)]
    negative: Text = ""
    scheduler: Annotated[Scheduler, Added("0.2.0")] = "ddim"
    masks: Annotated[Fraction, Added("0.2.0")] = 0.0
    emphasis: Annotated[Emphasis, Added("0.2.0")] = 0.0
    noise: Annotated[int, Range(0, 3), Added("0.2.0")] = 0
    leakage: Annotated[float, Range(0.0, 10.0), Added("0.2.0")] = 0.0
    confined: Annotated[bool, Added("0.2.0")] = False
    version: Annotated[int, Range(1, 1)] = 1  # Literal[1] would let pydantic take true and 1.0
    variation: Annotated[Fraction, Added("0.2.0")] = 0.0
    variation_seed: Annotated[Seed, Added("0.2.0")] = 0
    reference: Annotated[ReferencePicture | None, Added("0.2.0")] = None
    loras: Annotated[tuple[LoraFile, ...], Length(0, LORAS), Added("0.2.0")] = ()
    vae: Annotated[AdapterFile | None, Added("0.2.0")] = None
    precision: Annotated[Precision, Added("0.2.0")] = ""
    enlargement: Annotated[float, Range(1.0, ENLARGEMENT), Added("0.2.0")] = 1.0
    denoising: Annotated[Fraction, Added("0.2.0")] = DENOISING
    refinement: Annotated[Fraction, Added("0.2.0")] = 0.0
    tiled: Annotated[bool, Added("0.2.0")] = False
    collage: Annotated[tuple[CollagePart, ...], Length(0, 64), Added("0.2.0")] = ()
    blocking: Annotated[Blocking | None, Added("0.2.0")] = None
    control: Annotated[ControlNet | None, Added("0.2.0")] = None
    fingerprint: Annotated[Checksum, Added("0.2.0")] = ""
    likenesses: Annotated[tuple[Likeness, ...], Length(0, 64), Added("0.2.0")] = ()

    @property
    def parts(self) -> tuple[CollagePart | Likeness, ...]:
        """All that regions take of other pictures, in the order in which their files are handed over."""
        return (*self.collage, *self.likenesses)

    @property
    def pictures(self) -> tuple[str, ...]:
        """The sha256 of every picture that it refers to, once."""
        followed = () if self.reference is None else (self.reference.picture,)
        return tuple(dict.fromkeys((*followed, *(part.picture for part in self.parts))))

    def field_of(self, picture: str) -> str:
        """The path of what refers to the picture of that sha256."""
        if self.reference is not None and self.reference.picture == picture:
            return "reference.picture"
        return "collage" if picture in [part.picture for part in self.collage] else "likenesses"

    def __post_init__(self) -> None:
        frame = self.frame
        if frame.left + frame.width > self.width or frame.top + frame.height > self.height:
            raise ContractError("frame", f"reaches outside the {self.width} x {self.height} picture")
