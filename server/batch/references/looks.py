# SPDX-License-Identifier: MIT
"""One look for many frames and cameras: every picture follows its key picture, the first of its scene, seed and prompt,
or one that is named.

So each is one edit away from the key, and no error adds up. From where the key was seen all of it stays that need not
change; from elsewhere, looks alone.
"""

import asyncio
import io
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from PIL import Image

from addon.protocol.answers import Achieved
from addon.protocol.blockout import Blockout, ReferencePicture
from addon.protocol.strict_json import ContractError, loads
from addon.protocol.views import unmoved
from addon.request.references import Keeps, following, reference_of

from ...cli.following import NotPainted
from ...cli.reference_flags import WrongReference, as_png, request_in
from ...unreadable import UNREADABLE
from ..requests import MEASURES, SEED, PictureRequest, parts_of

FIRST = "first"


@dataclass(frozen=True)
class KeyPicture:
    """A picture that others follow: its file, what it was asked for (None of one that is not ours), what it shows, the
    camera that saw it, and where that stood, () where nobody knows."""

    png: bytes
    blockout: Blockout | None
    achieved: tuple[Achieved, ...] = ()
    camera: str = ""
    pose: tuple[float, ...] = ()


@dataclass(frozen=True)
class FollowingRequest:
    """A request that follows a picture, and that picture as it is sent."""

    blockout: Blockout
    png: bytes


@dataclass
class BatchLook:
    """Which picture each follows. ``named`` is one for all; ``keys`` are the first ones, once they are there."""

    named: KeyPicture | None = None
    keys: dict[tuple[str, ...], "asyncio.Future[KeyPicture]"] = field(default_factory=dict)

    def is_key(self, request: PictureRequest) -> bool:
        """Whether it is the first of its kind, which others then wait for: say so with ``ready`` or ``failed``."""
        if self.named is not None or _kind(request) in self.keys:
            return False
        self.keys[_kind(request)] = asyncio.get_running_loop().create_future()
        return True

    def ready(self, request: PictureRequest, picture: KeyPicture) -> None:
        """The key picture is there."""
        self.keys[_kind(request)].set_result(picture)

    def failed(self, request: PictureRequest) -> None:
        """It never will be."""
        key = self.keys[_kind(request)]
        if not key.done():
            key.set_exception(NotPainted(f"{request.name}, whose look it was to keep, was not painted"))
            key.exception()  # perhaps nobody waits

    async def followed(self, request: PictureRequest, blockout: Blockout) -> FollowingRequest:
        """What to ask for instead. Raises NotPainted, WrongReference."""
        key = await asyncio.shield(self.keys[_kind(request)]) if self.named is None else self.named
        png = as_png(key.png, blockout)
        digest, keeps = sha256(png).hexdigest(), self._keeps(request, key)
        if key.blockout is None:
            reference = ReferencePicture(picture=digest, caption=blockout.prompt, keeps=keeps)
        else:
            reference = reference_of(digest, key.blockout, key.achieved, keeps)
        names = [region.name for region in blockout.regions]
        return FollowingRequest(following(blockout, reference, names), png)

    def _keeps(self, request: PictureRequest, key: KeyPicture) -> Keeps:
        if request.pose and key.pose:
            return "picture" if unmoved(request.pose, key.pose) else "look"
        return "picture" if key.camera in ("", parts_of(request.name)["camera"]) else "look"


def look_of(word: str) -> BatchLook:
    """As a command line says it: "first", or the path of a picture. Raises WrongReference."""
    if word == FIRST:
        return BatchLook()
    try:
        content = Path(word).read_bytes()
        Image.open(io.BytesIO(content)).load()  # whole, before anything is captured
        return BatchLook(KeyPicture(content, request_in(content)))
    except UNREADABLE as error:
        raise WrongReference(f"{word} is neither 'first' nor a picture that can be followed: {error}") from error


def key_on_disk(request: PictureRequest, blockout: Blockout, path: Path) -> KeyPicture:
    """A picture that is there, for others to follow. Raises OSError."""
    try:
        achieved = loads(tuple[Achieved, ...], path.with_name(path.stem + MEASURES).read_bytes())
    except (FileNotFoundError, ContractError):
        achieved = ()
    return KeyPicture(path.read_bytes(), blockout, achieved, parts_of(request.name)["camera"], request.pose)


def _kind(request: PictureRequest) -> tuple[str, ...]:
    """Scene, seed and prompt; of a name that does not say its scene the folder and the seed."""
    part = parts_of(request.name)
    if part["camera"]:
        return part["scene"], part["seed"], part["prompt"]
    seed = SEED.search(request.name)
    return request.name.rpartition("/")[0], seed.group(0) if seed else "", ""
