# SPDX-License-Identifier: MIT
"""A picture in the place of a scene: the outlines of what it shows become the layout of other words."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from addon.protocol.answers import ModelInfo
from addon.protocol.blockout import SIDES, Blockout, Frame, Region, pack_mask
from addon.request.phrases import swapped
from addon.request.settings import Settings, sent

from ...errors import CommandError
from ...unreadable import UNREADABLE
from ..reference_flags import request_in

EVERYWHERE = pack_mask(1, 1, b"\xff")  # where an object is, the picture says
HELP = "SCENE is a picture, PNG or photograph: this is painted in the outline of what its caption calls OLD: lion=dog"


class NoLayout(CommandError):
    """A picture that cannot be read, or of which nobody says what it shows."""


def add_object_flag(parser: argparse.ArgumentParser) -> None:
    """Have a parser take what ``request_of_picture`` reads."""
    parser.add_argument("--object", dest="objects", action="append", default=[], metavar="NEW=OLD", help=HELP)


def request_of_picture(
    words: argparse.Namespace, settings: Mapping[str, Any], model: ModelInfo
) -> tuple[Blockout, argparse.Namespace]:
    """The request for the objects of a command line, as large as the model paints a picture of that shape; and the
    command line as ``follow`` takes it, which says with ``--like`` whose outlines they have.

    Raises NoLayout.
    """
    path: Path = words.scene
    try:
        content = path.read_bytes()
        request = request_in(content)
        with Image.open(path) as image:
            width, height = sides(image.width / image.height, model, settings.get("size", 100))
    except UNREADABLE as error:
        raise NoLayout(f"{path} is no picture that can be read: {error}") from error
    caption: str = words.caption or ("" if request is None else request.prompt)
    if not caption:
        raise NoLayout(f"{path} does not say what it shows: say so with --caption")
    pairs = list(_pairs(words.objects))
    prompt = caption
    for new, old in pairs:
        prompt = swapped(prompt, old, new)
    chosen = Settings(**{"prompt": prompt, **settings})
    regions = tuple(_region(new, depth) for depth, (new, _) in enumerate(pairs))
    frame = Frame(left=0, top=0, width=width, height=height)
    blockout = Blockout(regions=regions, width=width, height=height, frame=frame, **sent(chosen, model))
    like = [f"{new}={path}; same=shape; phrase={old}; caption={caption}" for new, old in pairs]
    follows = words.keep_look or words.restyle or words.reword
    changed = {"like": [*like, *words.like], "caption": caption if follows else None}
    return blockout, argparse.Namespace(**{**vars(words), **changed})


def sides(aspect: float, model: ModelInfo, percent: int) -> tuple[int, int]:
    """Width and height of a picture of that shape, as nearly as the model's multiple allows; ``percent`` of its own."""
    area = model.area * (percent / 100) ** 2
    width, height = (
        max(1, round(side / model.multiple)) * model.multiple
        for side in ((area * aspect) ** 0.5, (area / aspect) ** 0.5)
    )
    if max(width, height) > SIDES[1]:
        raise NoLayout(
            f"{width} x {height} pixels are too many for a side: cut the picture, or ask for a smaller --size"
        )
    return width, height


def _pairs(texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What each object is, and what the picture's caption calls it. Raises NoLayout."""
    for text in texts:
        new, _, old = (part.strip() for part in text.partition("="))
        if not new:
            raise NoLayout(f"--object {text!r}: say what is to be there, and what it is now, such as lion=dog")
        yield new, old or new


def _region(phrase: str, depth: int) -> Region:
    return Region(
        name=phrase,
        phrase=phrase,
        mask=EVERYWHERE,
        centroid=(0.5, 0.5),
        size=1.0,
        visible=1.0,
        depth=depth,
        enforce=(),
    )
