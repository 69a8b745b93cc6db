# SPDX-License-Identifier: MIT
"""A picture that is asked for: its name, which is its path in the folder of results, and its blockout.

SCENE/CAMERA/seed0000/0001 is frame 1; seed0000-prompt2 is of the second of several prompts. So the pictures of a view
are a numbered sequence in a folder of their own.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from addon.protocol.blockout import Blockout

from ..cli.request_files import NotARequest, read_request

SUFFIX, MEASURES, DEPTH = ".blockout.json", ".achieved.json", ".depth.exr"
NAME = re.compile(r"(?P<scene>[^/]+)/(?P<camera>[^/]+)/seed(?P<seed>\d+)(?:-prompt(?P<prompt>\d+))?/(?P<frame>-?\d+)")


@dataclass(frozen=True)
class PictureRequest:
    """A blockout, the name of its picture, and the depths of what it shows as an OpenEXR file, empty where nobody asked
    for them. ``camera`` is its name in the scene, and ``pose`` how it stood, as numbers; "" and () where nobody knows.
    ``references`` are the PNG files of the pictures that the blockout refers to.
    """

    name: str
    blockout: Blockout
    depth: bytes = b""
    pose: tuple[float, ...] = ()
    camera: str = ""
    references: tuple[bytes, ...] = ()

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


def requests_in(paths: Sequence[Path]) -> Iterator[tuple[Path, PictureRequest]]:
    """The requests of files, and of folders as ``capture`` leaves them, each with its file. Raises NotARequest."""
    for path in paths:
        if path.is_dir():
            files = sorted(path.rglob(f"*{SUFFIX}"))
            if not files:
                raise NotARequest(f"{path} holds no file *{SUFFIX}: name one that maquette capture has written")
            for file in files:
                name, depth = file.relative_to(path).as_posix().removesuffix(SUFFIX), beside(file, DEPTH)
                depths = depth.read_bytes() if depth.is_file() else b""
                yield file, PictureRequest(name, read_request(file), depths)
        else:
            yield path, PictureRequest(path.name.partition(".")[0], read_request(path))


def beside(request: Path, suffix: str) -> Path:
    """The file of another kind that belongs to a request's."""
    return request.with_name(request.name.removesuffix(SUFFIX) + suffix)
