# SPDX-License-Identifier: MIT
"""A picture that is asked for: its name, which is its path in the folder of results, and its blockout.

SCENE/CAMERA/seed0000/0001 is frame 1; seed0000-prompt2 is of the second of several prompts. So the pictures of a view
are a numbered sequence in a folder of their own.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from addon.protocol.blockout import Blockout
from addon.protocol.file_names import portable

from ..cli.request_files import SUFFIX, NotARequest, read_request, stem_of
from ..unique_names import printable

MEASURES, DEPTH = ".achieved.json", ".depth.exr"
SEED = re.compile(r"(?<=/)seed(?P<folder>\d+)(?=(?:-prompt\d+)?/[^/]+$)|(?<=-)seed(?P<flat>\d+)$")
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


@dataclass(frozen=True)
class RefusedView:
    """A view that cannot be captured: ``name`` is SCENE/CAMERA/FRAME, and ``reason`` says why, and what to do."""

    name: str
    reason: str


def view_name(scene: str, camera: str, frame: int) -> str:
    """What a view is called whose pictures nobody paints."""
    return f"{portable(scene)}/{portable(camera)}/{frame:04d}"


def name_of(scene: str, camera: str, frame: int, seed: int, prompt: int = 0) -> str:
    """The name of a picture; ``prompt`` counts from 1, 0 where there is but one."""
    words = f"seed{seed:04d}" + (f"-prompt{prompt}" if prompt else "")
    return f"{portable(scene)}/{portable(camera)}/{words}/{frame:04d}"


def parts_of(name: str) -> dict[str, str]:
    """``scene``, ``camera``, ``seed``, ``prompt`` and ``frame`` of a name; "" for what it does not say."""
    match = NAME.fullmatch(name)
    if match is None:
        return {"scene": name, "camera": "", "seed": "", "prompt": "", "frame": ""}
    return {part: value or "" for part, value in match.groupdict().items()}


def sendable(name: str) -> str:
    """The name of a file as a record can have it; one that is no UTF-8 is told apart by some of its hash."""
    plain = printable(name)
    return name if plain == name else f"{plain}-{sha256(os.fsencode(name)).hexdigest()[:6]}"


def reseeded(name: str, before: int, seed: int) -> str:
    """A picture's name with another seed in it, or behind it where it says none."""
    match = SEED.search(name)
    if match is not None and int(match["folder"] or match["flat"]) == before:
        return SEED.sub(f"seed{seed:04d}", name)
    return name if seed == before else f"{name}-seed{seed:04d}"


def best_of(name: str) -> str:
    """What the best of all seeds of a picture is called."""
    return SEED.sub("best", name) if SEED.search(name) else f"{name}-best"


def request_files(paths: Sequence[Path], out: Path | None = None, one_a_view: bool = False) -> list[tuple[Path, str]]:
    """The files with requests, of folders as ``capture`` leaves them too, and the names of their pictures; none that
    was painted into ``out``, where that is a folder inside one of them; and of views, where several seeds are to be
    painted of each, ``one_a_view``, none that was painted with another seed than the one it was asked for with.

    Raises NotARequest for a path that is not there, and a folder that has none.
    """
    files: list[tuple[Path, str]] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(path.rglob(f"*{SUFFIX}"))
            if out is not None and path.resolve() in (whole := out.resolve()).parents:
                inside = [file for file in inside if not (_is_painted(file) and whole in file.resolve().parents)]
            if not inside:
                raise NotARequest(f"{path} holds no file *{SUFFIX}: name one that maquette capture has written")
            files += ((file, sendable(file.relative_to(path).as_posix().removesuffix(SUFFIX))) for file in inside)
        elif path.is_file():
            files.append((path, sendable(stem_of(path) or path.name)))
        else:
            raise NotARequest(f"There is no file {path}")
    return _without_painted_seeds(files) if one_a_view else files


def _without_painted_seeds(files: Sequence[tuple[Path, str]]) -> list[tuple[Path, str]]:
    """The same but for what was painted of a view that another of them is of: so a command that paints several seeds
    beside its requests can be given again. Of a view that was painted with all the first stays."""
    views: dict[str, list[Path]] = {}
    for file, _ in files:
        views.setdefault(_view_of(file), []).append(file)
    firsts = {min(kin, key=lambda file: (_is_painted(file), len(file.name))) for kin in views.values()}
    return [(file, name) for file, name in files if file in firsts or not _is_painted(file)]


def _view_of(file: Path) -> str:
    """The same of all files with requests that differ by their seed alone."""
    return best_of(file.as_posix().removesuffix(SUFFIX))


def _is_painted(file: Path) -> bool:
    """Whether a request was written beside its picture, and not by ``capture``."""
    return file.name.endswith(SUFFIX) and file.with_name(file.name.removesuffix(SUFFIX) + MEASURES).exists()


def request_of(file: Path, name: str) -> PictureRequest:
    """What a file asks for, with the depths beside it. Raises NotARequest."""
    depth = beside(file, DEPTH)
    try:
        depths = depth.read_bytes() if file.name.endswith(SUFFIX) and depth.is_file() else b""
    except OSError as error:
        raise NotARequest(f"{depth} cannot be read: {error.strerror}") from error
    return PictureRequest(name, read_request(file), depths)


def beside(request: Path, suffix: str) -> Path:
    """The file of another kind that belongs to a request's."""
    return request.with_name(request.name.removesuffix(SUFFIX) + suffix)
