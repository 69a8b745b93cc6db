# SPDX-License-Identifier: MIT
"""A picture that is asked for: its name, which is its path in the folder of results, and its blockout.

SCENE/CAMERA/seed0000/0001 is frame 1; seed0000-prompt2 is of the second of several prompts. So the pictures of a view
are a numbered sequence in a folder of their own.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from addon.protocol.answers import ModelInfo
from addon.protocol.blockout import Blockout
from addon.protocol.strict_json import dump

from ..cli.request_files import NotARequest, read_request

SUFFIX = ".blockout.json"
NAME = re.compile(r"(?P<scene>[^/]+)/(?P<camera>[^/]+)/seed(?P<seed>\d+)(?:-prompt(?P<prompt>\d+))?/(?P<frame>-?\d+)")


@dataclass(frozen=True)
class PictureRequest:
    """A blockout, and the name of its picture."""

    name: str
    blockout: Blockout

    @property
    def scene(self) -> str:
        """The name of the scene it is of."""
        return self.name.partition("/")[0]


def name_of(scene: str, camera: str, frame: int, seed: int, prompt: int = 0) -> str:
    """The name of a picture; ``prompt`` counts from 1, 0 where there is but one."""
    words = f"seed{seed:04d}" + (f"-prompt{prompt}" if prompt else "")
    return f"{safe(scene)}/{safe(camera)}/{words}/{frame:04d}"


def parts_of(name: str) -> dict[str, str]:
    """``scene``, ``camera``, ``seed``, ``prompt`` and ``frame`` of a name; "" for what it does not say."""
    match = NAME.fullmatch(name)
    if match is None:
        return {"scene": name, "camera": "", "seed": "", "prompt": "", "frame": ""}
    return {part: value or "" for part, value in match.groupdict().items()}


def safe(name: str) -> str:
    """A name as a folder can have it on every system; one that had to be changed is told apart by some of its hash."""
    plain = re.sub(r"[^\w-]+", "_", name, flags=re.ASCII).strip("_")[:80]
    return plain if plain == name else f"{plain}-{sha256(name.encode()).hexdigest()[:6]}"


def content_key(blockout: Blockout, model: ModelInfo) -> str:
    """The sha256 of all that alters pixels: the request, its adapters' own sha256s among it, and which model it is.

    Not of the machine: the same request on another one is the same picture.
    """
    identity = [model.name, model.family, model.source, model.revision, model.precision]
    text = json.dumps([dump(blockout), identity], sort_keys=True)
    return sha256(text.encode()).hexdigest()


def requests_in(paths: Sequence[Path]) -> Iterator[PictureRequest]:
    """The requests of files, and of folders as ``capture`` leaves them. Raises NotARequest."""
    for path in paths:
        if path.is_dir():
            files = sorted(path.rglob(f"*{SUFFIX}"))
            if not files:
                raise NotARequest(f"{path} holds no file *{SUFFIX}: name one that maquette capture has written")
            for file in files:
                yield PictureRequest(file.relative_to(path).as_posix().removesuffix(SUFFIX), read_request(file))
        else:
            yield PictureRequest(path.name.partition(".")[0], read_request(path))
