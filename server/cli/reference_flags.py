# SPDX-License-Identifier: MIT
"""What a command line says of the picture that a new one follows."""

import argparse
import io
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from PIL import Image

from addon.protocol.blockout import Blockout, CollagePart, Likeness, ReferencePicture
from addon.protocol.png import BLOCKOUT_KEY, LATENT_KEY
from addon.protocol.strict_json import load, loads
from addon.request.references import Keeps, following, reference_of

from ..errors import CommandError
from ..unreadable import UNREADABLE

TAKE = "the region is taken out of this picture: castle=photo.jpg; phrase=tower; caption=a tower by the sea"
LIKE = (
    "the region is pulled to what this picture shows: castle=photo.jpg; same=shape,appearance; shift=0.3,0; factor=2; "
    "weight=1; phrase=tower; caption=a tower by the sea"
)
SAID_OF_LIKENESS = ("same", "shift", "factor", "weight", "phrase", "caption")
SEPARATOR = re.compile(r";(?=\s*\w+\s*=|\s*$)")  # a semicolon within a caption or a path is part of it
BESIDE = "reference.png"  # the picture that a blockout in the same folder follows


class WrongReference(CommandError):
    """A picture that cannot be followed, or a region that is not there to keep anything."""


@dataclass(frozen=True)
class PictureToFollow:
    """The PNG files as they are sent, and the blockout that refers to them: ``png`` is the one that it follows, None
    without one, and ``parts`` are those of its ``parts``."""

    png: bytes | None
    blockout: Blockout
    parts: tuple[bytes, ...] = ()

    @property
    def files(self) -> tuple[bytes, ...]:
        """All of them."""
        return (*(() if self.png is None else (self.png,)), *self.parts)


@dataclass(frozen=True)
class NamedSource:
    """What ``--take`` or ``--like`` says: a region, the picture as a PNG file, what that shows in words, what it calls
    the object, its seed where it is ours, and all else that was said."""

    region: str
    png: bytes
    caption: str
    phrase: str
    seed: int
    more: Mapping[str, str]

    @property
    def digest(self) -> str:
        """The sha256 of the PNG file."""
        return sha256(self.png).hexdigest()


def add_reference_flags(parser: argparse.ArgumentParser) -> None:
    """Have a parser take what ``follow`` reads."""
    exclusive = parser.add_mutually_exclusive_group()
    exclusive.add_argument(
        "--keep-look", type=Path, metavar="PICTURE", help="follow this picture: all that need not change stays as it is"
    )
    exclusive.add_argument(
        "--restyle", type=Path, metavar="PICTURE", help="keep this picture's layout, with other words"
    )
    exclusive.add_argument(
        "--reword", type=Path, metavar="PICTURE", help="words look where this picture's looked (Prompt-to-Prompt)"
    )
    parser.add_argument("--keep", action="append", default=[], metavar="REGION", help="keeps its look; all by default")
    parser.add_argument(
        "--repaint", action="append", default=[], metavar="REGION", help="is painted anew; no others are"
    )
    parser.add_argument("--caption", help="what the picture shows, where it carries no request of ours")
    parser.add_argument("--take", action="append", default=[], metavar="REGION=PICTURE", help=TAKE)
    parser.add_argument("--like", action="append", default=[], metavar="REGION=PICTURE", help=LIKE)
    parser.add_argument(
        "--other-view", action="store_true", help="the picture is seen from elsewhere: keep looks alone"
    )


def follow(blockout: Blockout, words: argparse.Namespace) -> PictureToFollow | None:
    """The blockout with the pictures of the command line, each kind in the place of its own, and the files of all that
    it refers to then: what is not named lies beside it. None of one that refers to none.

    Raises WrongReference.
    """
    path: Path | None = words.keep_look or words.restyle or words.reword
    if path is None and (words.keep or words.repaint or words.caption or words.other_view):
        raise WrongReference("--keep, --repaint, --caption and --other-view need --keep-look PICTURE")
    named: list[bytes] = []
    if path is not None:
        png, blockout = _following(blockout, path, words)
        named.append(png)
    if words.take:
        sources = [_source("--take", TAKE, text, blockout) for text in words.take]
        named += (one.png for one in sources)
        blockout = taken(blockout, sources)
    if words.like:
        liked = [(_source("--like", LIKE, text, blockout, SAID_OF_LIKENESS), text) for text in words.like]
        named += (one.png for one, _ in liked)
        blockout = likened(blockout, [_likeness(source, text) for source, text in liked])
    return _with_files(_uncut(blockout), named, words.scene.parent)


def _following(blockout: Blockout, path: Path, words: argparse.Namespace) -> tuple[bytes, Blockout]:
    """The PNG file that is followed, and the blockout that follows it as the command line says. Raises
    WrongReference."""
    keeps: Keeps = "layout" if words.restyle else "attention" if words.reword else "picture"
    keeps = "look" if words.other_view and words.keep_look else keeps
    png, request = _picture(path, blockout)
    digest = sha256(png).hexdigest()
    if request is None or words.caption is not None:
        reference = ReferencePicture(picture=digest, caption=words.caption or blockout.prompt, keeps=keeps)
    else:
        reference = reference_of(digest, request, keeps=keeps)
    repaint = _named(blockout, words.repaint)
    every = [] if words.keep_look is None else [region.name for region in blockout.regions]
    keep = _named(blockout, words.keep) if words.keep or words.repaint else every
    return png, following(blockout, reference, keep, repaint)


def taken(blockout: Blockout, sources: Sequence[NamedSource]) -> Blockout:
    """The blockout with a collage of what ``--take`` says."""
    parts = (
        CollagePart(region=one.region, picture=one.digest, caption=one.caption, phrase=one.phrase) for one in sources
    )
    return replace(blockout, collage=tuple(parts))


def likened(blockout: Blockout, likenesses: Sequence[Likeness]) -> Blockout:
    """The blockout with these likenesses. A region that is to have another shape, middle or size than its block's is
    not held by its block."""
    free = {one.region for one in likenesses if one.properties != ("appearance",)}
    regions = tuple(replace(r, enforce=()) if r.name in free else r for r in blockout.regions)
    return replace(blockout, regions=regions, likenesses=tuple(likenesses))


def _uncut(blockout: Blockout) -> Blockout:
    """A region that is taken out of a picture keeps no look of the one that is followed."""
    if blockout.reference is None:
        return blockout
    cut = {part.region for part in blockout.collage}
    regions = tuple(replace(r, look="repaint") if r.name in cut else r for r in blockout.regions)
    return replace(blockout, regions=regions)


def _likeness(source: NamedSource, text: str) -> Likeness:
    """What one ``--like`` says. Raises WrongReference."""
    more = source.more
    names = [name.strip() for name in more.get("same", "").split(",") if name.strip()]
    implied = [name for key, name in (("shift", "centroid"), ("factor", "size")) if key in more]
    try:
        document: dict[str, object] = {
            "region": source.region,
            "picture": source.digest,
            "caption": source.caption,
            "phrase": source.phrase,
            "properties": list(dict.fromkeys([*names, *implied])) or ["appearance"],
            "seed": source.seed,
        }
        if "shift" in more:
            document["shift"] = [float(part) for part in more["shift"].split(",")]
        document |= {name: float(more[name]) for name in ("factor", "weight") if name in more}
        return load(Likeness, document)
    except ValueError as error:
        raise WrongReference(f"--like {text!r}: {error}; say {LIKE.partition(': ')[2]}") from error


def _source(
    flag: str, example: str, text: str, blockout: Blockout, more: Collection[str] = ("phrase", "caption")
) -> NamedSource:
    """What a flag says of a region and a picture, where it may say ``more``. Raises WrongReference."""
    first, *others = (part.strip() for part in SEPARATOR.split(text))
    name, _, path = first.partition("=")
    facts = {key.strip(): value.strip() for key, _, value in (part.partition("=") for part in others if part)}
    if not path or not set(facts) <= set(more):
        raise WrongReference(f"{flag} {text!r}: say {example.partition(': ')[2]}")
    (region_name,) = _named(blockout, [name.strip()])[:1] or [""]
    region = next(region for region in blockout.regions if region.name == region_name)
    png, request = _picture(Path(path.strip()), blockout)
    theirs = [r for r in request.regions if {r.name, r.phrase} & {region.name, region.phrase}] if request else []
    phrase = facts.pop("phrase", "") or (theirs[0].phrase if theirs else region.phrase)
    caption = facts.pop("caption", "") or (request.prompt if request else phrase)
    return NamedSource(region.name, png, caption, phrase, request.seed if request else 0, facts)


def _picture(path: Path, blockout: Blockout) -> tuple[bytes, Blockout | None]:
    """A picture as the PNG file that is sent, and what it was asked for, if it is ours. Raises WrongReference."""
    try:
        content = path.read_bytes()
        return as_png(content, blockout), request_in(content)
    except UNREADABLE as error:
        raise WrongReference(f"{path} is no picture that can be followed: {error}") from error


def _with_files(blockout: Blockout, named: Sequence[bytes], folder: Path) -> PictureToFollow | None:
    """The blockout with the files of all pictures that it refers to, those that are named and those that lie beside it
    in the folder; None where there are none. Raises WrongReference where they do not lie there."""
    if not blockout.pictures:
        return None
    files: dict[str, bytes | None] = {sha256(png).hexdigest(): png for png in named}
    files = {digest: files.get(digest) or file_beside(folder, digest) for digest in blockout.pictures}
    if absent := [digest for digest, png in files.items() if png is None]:
        path = folder / BESIDE
        if blockout.reference is not None and absent[0] == blockout.reference.picture:
            raise WrongReference(f"the request follows a picture that is not {path}: put it there, or name --keep-look")
        raise WrongReference(f"the request refers to the picture {absent[0][:12]}…: put it into {folder}")
    present = {digest: png for digest, png in files.items() if png is not None}
    png = None if blockout.reference is None else present[blockout.reference.picture]
    return PictureToFollow(png, blockout, tuple(present[part.picture] for part in blockout.parts))


def named_files(follows: PictureToFollow | None) -> dict[str, bytes]:
    """The pictures that a blockout refers to, by the names that they have beside it."""
    if follows is None:
        return {}
    parts = {part_name(png): png for png in follows.parts}
    return parts if follows.png is None else {BESIDE: follows.png, **parts}


def part_name(png: bytes) -> str:
    """What a picture that a request takes something out of is called beside it."""
    return f"part-{sha256(png).hexdigest()[:12]}.png"


def file_beside(folder: Path, digest: str) -> bytes | None:
    """The PNG file of that sha256 in a folder, the one called BESIDE or any other; None where it is not there."""
    for path in (folder / BESIDE, *sorted(folder.glob("*.png"))):
        if path.is_file() and sha256(content := path.read_bytes()).hexdigest() == digest:
            return content
    return None


def _named(blockout: Blockout, names: Sequence[str]) -> list[str]:
    """The regions of these names or phrases."""
    regions = [r.name for r in blockout.regions if names and {r.name, r.phrase} & set(names)]
    known = {word for region in blockout.regions for word in (region.name, region.phrase)}
    if absent := [name for name in names if name not in known]:
        has = ", ".join(region.name for region in blockout.regions) or "none"
        raise WrongReference(f"the scene has no region {', '.join(absent)}; it has {has}")
    return regions


def request_in(content: bytes) -> Blockout | None:
    """What a picture of ours was asked for; None of any other. Raises ContractError."""
    text = getattr(Image.open(io.BytesIO(content)), "text", {}).get(BLOCKOUT_KEY)
    return None if text is None else loads(Blockout, text)


def as_png(content: bytes, blockout: Blockout) -> bytes:
    """The file as it is, where it is ours or a PNG file of the picture's size; else as one, cut to shape and scaled.

    Raises OSError for what is no image.
    """
    image, size = Image.open(io.BytesIO(content)), (blockout.width, blockout.height)
    if image.format == "PNG" and (LATENT_KEY in getattr(image, "text", {}) or image.size == size):
        return content
    whole, frame, file = _fitted(image, *size), blockout.frame, io.BytesIO()
    if image.size == (frame.width, frame.height):  # the artist's part of one of ours, which carries no latent
        whole.paste(image.convert("RGB"), (frame.left, frame.top))
    whole.save(file, "PNG")
    return file.getvalue()


def _fitted(image: Image.Image, width: int, height: int) -> Image.Image:
    """The middle of an image, as large as it fits, at this size."""
    scale = min(image.width / width, image.height / height)
    across, down = min(width * scale, image.width), min(height * scale, image.height)  # which rounding may exceed
    left, top = (image.width - across) / 2, (image.height - down) / 2
    box = (left, top, left + across, top + down)
    return image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS, box)
