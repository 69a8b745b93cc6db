# SPDX-License-Identifier: MIT
"""``maquette sequence``: requests in their order to pictures of one look, frame after frame."""

import argparse
import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from operator import methodcaller
from pathlib import Path
from types import MappingProxyType
from typing import get_args

from addon.protocol.answers import Achieved
from addon.protocol.blockout import Blockout
from addon.protocol.strict_json import dump
from addon.request.sequences import KeyFrames, SequenceLook

from ...errors import CommandError
from ..files import ELSEWHERE, refuse_to_overwrite, write, writing
from ..following import ServerLink, painted
from ..reference_flags import file_beside, part_name
from ..region_report import outcomes
from ..render import link
from ..request_files import SUFFIX, read_request, stem_of
from ..terminal import bar, say


class CannotPaintSequence(CommandError):
    """Requests that are no sequence."""


@dataclass(frozen=True)
class SequencePicture:
    """A frame: its request as it was painted, its PNG file, what it shows, and its key frame's PNG file."""

    blockout: Blockout
    png: bytes
    achieved: tuple[Achieved, ...]
    key: bytes | None


async def painted_sequence(
    server: ServerLink,
    blockouts: Iterable[Blockout],
    look: SequenceLook | None = None,
    key: bytes | None = None,
    parts: Mapping[str, bytes] = MappingProxyType({}),
) -> AsyncIterator[SequencePicture]:
    """The pictures of requests in their order, each with the look of its key frame.

    Args:
        look: whose look is kept; the first frame's by default.
        key: the PNG file of ``look``'s key frame, where it has one already.
        parts: the PNG files that requests take something out of, by their sha256.

    Raises NotPainted, ServerLost, ClientError.
    """
    now = look or SequenceLook()
    for blockout in blockouts:
        request: Blockout = await server.call(methodcaller("pinned", now.following(blockout)))
        files = [parts[digest] for digest in request.pictures if digest in parts]
        files += [] if key is None else [key]
        picture = await painted(server, request, uuid.uuid4().hex, references=files)
        yield SequencePicture(request, picture.png, picture.achieved, key)
        following = now.after(request, sha256(picture.png).hexdigest(), picture.achieved)
        key = key if following.key == now.key else picture.png
        now = following


def main(argv: Sequence[str]) -> int:
    """``maquette sequence``."""
    words = _parser().parse_args(argv)
    frames = {stem_of(path): read_request(path) for path in words.requests}
    if len(frames) != len(words.requests):
        raise CannotPaintSequence("two requests are called the same: rename one, or give each once")
    followers = [name for name, blockout in frames.items() if blockout.reference is not None]
    if followers:
        raise CannotPaintSequence(f"{followers[0]} follows a picture of its own: name requests that follow none")
    if words.out.resolve() in {path.resolve().parent for path in words.requests}:
        raise CannotPaintSequence(f"{words.out} holds the requests, which the painted ones would replace: {ELSEWHERE}")
    parts: dict[str, bytes] = {}
    for path, blockout in zip(words.requests, frames.values(), strict=True):
        parts |= _parts(path, blockout, parts)
    asyncio.run(_paint(frames, parts, words))
    return 0


async def _paint(frames: dict[str, Blockout], parts: dict[str, bytes], words: argparse.Namespace) -> None:
    with writing(words.out, ELSEWHERE):
        words.out.mkdir(parents=True, exist_ok=True)
    for name in frames:
        refuse_to_overwrite(words.out / f"{name}.png", words.overwrite)
        refuse_to_overwrite(words.out / f"{name}{SUFFIX}", words.overwrite)
    look = SequenceLook(words.after, words.other_views)
    async with link(words.server) as server:
        names = iter(bar(frames, desc="painting", unit="frame"))
        async for frame in painted_sequence(server, frames.values(), look, parts=parts):
            _keep(frame, parts, next(names), words)


def _keep(frame: SequencePicture, parts: Mapping[str, bytes], name: str, words: argparse.Namespace) -> None:
    """Write a frame, its request, and what that takes something out of: with the key frame it can be painted again."""
    picture = words.out / f"{name}.png"
    with writing(words.out, ELSEWHERE):
        for png in (parts[digest] for digest in frame.blockout.pictures if digest in parts):
            write(words.out / part_name(png), png)
        write(words.out / f"{name}{SUFFIX}", json.dumps(dump(frame.blockout)).encode())
        write(picture, frame.png)
    reports = list(outcomes(frame.blockout, frame.achieved))
    if words.json:
        say(json.dumps({"picture": str(picture), "achieved": [report.record() for report in reports]}))
        return
    say(str(picture))


def _parts(path: Path, blockout: Blockout, found: Mapping[str, bytes]) -> dict[str, bytes]:
    """The pictures that a request takes something out of, by their sha256: ``found`` already, or beside it. Raises
    CannotPaintSequence for one that is neither."""
    files = {digest: found.get(digest) or file_beside(path.parent, digest) for digest in blockout.pictures}
    if absent := [digest for digest, png in files.items() if png is None]:
        raise CannotPaintSequence(f"{path} refers to the picture {absent[0][:12]}…: put it into {path.parent}")
    return {digest: png for digest, png in files.items() if png is not None}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="maquette sequence", description="Paint the frames of a sequence with one look."
    )
    parser.add_argument("requests", type=Path, nargs="+", help="*.blockout.json files in the order of their frames")
    parser.add_argument("--after", choices=get_args(KeyFrames), default="first", help="whose look a frame keeps")
    parser.add_argument("--other-views", action="store_true", help="the camera moves: keep looks alone")
    parser.add_argument("--server", type=Path, help="connection file of the server to use")
    parser.add_argument("--out", type=Path, default=Path("out/sequence"), help="folder of the pictures")
    parser.add_argument("--overwrite", action="store_true", help="replace pictures that are there")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each frame")
    return parser
