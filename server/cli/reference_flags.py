# SPDX-License-Identifier: MIT
"""What a command line says of the picture that a new one follows."""

import argparse
import io
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from PIL import Image

from addon.protocol.blockout import Blockout, ReferencePicture
from addon.protocol.strict_json import ContractError, loads
from addon.request.references import Keeps, following, reference_of

from ..errors import CommandError

KEYWORD, LATENT = "maquette.blockout", "maquette.latent"
BESIDE = "reference.png"  # the picture that a blockout in the same folder follows


class WrongReference(CommandError):
    """A picture that cannot be followed, or a region that is not there to keep anything."""


@dataclass(frozen=True)
class PictureToFollow:
    """A PNG file as it is sent, and the blockout that refers to it."""

    png: bytes
    blockout: Blockout


def add_reference_flags(parser: argparse.ArgumentParser) -> None:
    """Have a parser take what ``follow`` reads."""
    exclusive = parser.add_mutually_exclusive_group()
    exclusive.add_argument(
        "--keep-look", type=Path, metavar="PICTURE", help="follow this picture: all that need not change stays as it is"
    )
    exclusive.add_argument(
        "--restyle", type=Path, metavar="PICTURE", help="keep this picture's layout, with other words"
    )
    parser.add_argument("--keep", action="append", default=[], metavar="REGION", help="keeps its look; all by default")
    parser.add_argument(
        "--repaint", action="append", default=[], metavar="REGION", help="is painted anew; no others are"
    )
    parser.add_argument("--caption", help="what the picture shows, where it carries no request of ours")
    parser.add_argument(
        "--other-view", action="store_true", help="the picture is seen from elsewhere: keep looks alone"
    )


def follow(blockout: Blockout, words: argparse.Namespace) -> PictureToFollow | None:
    """The blockout that follows the picture of the command line, or the one that it followed before; None without.

    Raises WrongReference.
    """
    path: Path | None = words.keep_look or words.restyle
    if path is None:
        if words.keep or words.repaint or words.caption or words.other_view:
            raise WrongReference("--keep, --repaint, --caption and --other-view need --keep-look PICTURE")
        return _again(blockout, words.scene.parent)
    keeps: Keeps = "layout" if words.restyle else "look" if words.other_view else "picture"
    try:
        content = path.read_bytes()
        png, request = as_png(content, blockout), request_in(content)
    except (OSError, Image.DecompressionBombError, ContractError) as error:
        raise WrongReference(f"{path} is no picture that can be followed: {error}") from error
    digest = sha256(png).hexdigest()
    if request is None or words.caption is not None:
        reference = ReferencePicture(picture=digest, caption=words.caption or blockout.prompt, keeps=keeps)
    else:
        reference = reference_of(digest, request, keeps=keeps)
    repaint = _named(blockout, words.repaint)
    every = [] if words.restyle else [region.name for region in blockout.regions]
    keep = _named(blockout, words.keep) if words.keep or words.repaint else every
    return PictureToFollow(png, following(blockout, reference, keep, repaint))


def _again(blockout: Blockout, folder: Path) -> PictureToFollow | None:
    """A blockout that refers to a picture already, which lies beside it. Raises WrongReference where it does not."""
    if blockout.reference is None:
        return None
    png = file_beside(folder, blockout.reference.picture)
    if png is None:
        path = folder / BESIDE
        raise WrongReference(f"the request follows a picture that is not {path}: put it there, or name --keep-look")
    return PictureToFollow(png, blockout)


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
    text = getattr(Image.open(io.BytesIO(content)), "text", {}).get(KEYWORD)
    return None if text is None else loads(Blockout, text)


def as_png(content: bytes, blockout: Blockout) -> bytes:
    """The file as it is, where it is ours or a PNG file of the picture's size; else as one, cut to shape and scaled.

    Raises OSError for what is no image.
    """
    image, size = Image.open(io.BytesIO(content)), (blockout.width, blockout.height)
    if image.format == "PNG" and (LATENT in getattr(image, "text", {}) or image.size == size):
        return content
    whole, frame, file = _fitted(image, *size), blockout.frame, io.BytesIO()
    if image.size == (frame.width, frame.height):  # the artist's part of one of ours, which carries no latent
        whole.paste(image.convert("RGB"), (frame.left, frame.top))
    whole.save(file, "PNG")
    return file.getvalue()


def _fitted(image: Image.Image, width: int, height: int) -> Image.Image:
    """The middle of an image, as large as it fits, at this size."""
    scale = min(image.width / width, image.height / height)
    across, down = width * scale, height * scale
    left, top = (image.width - across) / 2, (image.height - down) / 2
    box = (left, top, left + across, top + down)
    return image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS, box)
