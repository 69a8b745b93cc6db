# SPDX-License-Identifier: MIT
"""A copy of each scene with its pictures behind its cameras, each at its frame: one Blender a scene."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from addon.blender_process import SceneFile
from addon.protocol.file_names import portable
from addon.protocol.strict_json import dump
from addon.protocol.views import FrameFile

from ..cli import blender_process
from ..cli.files import refuse_to_replace, scratch
from .requests import PictureRequest, parts_of

FILE = "scene.blend"


@dataclass(frozen=True)
class SceneCopies:
    """Where the scenes are, by name, and which Blender opens them; to ``project`` the first frame's pictures too."""

    scenes: Mapping[str, Path]
    blender: Path | None = None
    project: bool = False

    async def write(self, name: str, requests: Iterable[PictureRequest], out: Path) -> Path | None:
        """Of one scene, with the pictures of the least seed and the first prompt that ``requests`` have; None where
        there is no picture. Raises NotCaptured, BlenderFailed, NoBlender."""
        chosen = sequence_of(request for request in requests if (out / f"{request.name}.png").is_file())
        if not chosen:
            return None
        frames = tuple(
            FrameFile(
                camera=request.camera,
                frame=int(parts_of(request.name)["frame"]),
                file=str((out / f"{request.name}.png").resolve()),
            )
            for request in chosen
        )
        target = _copy(out, name)
        with scratch() as folder:
            document = folder / "frames.json"
            document.write_text(json.dumps(dump(frames)))
            await blender_process.footage(
                SceneFile(path=self.scenes[name]), document, target, self.blender, self.project
            )
        return target


def _copy(out: Path, name: str) -> Path:
    return out / portable(name) / FILE


def copies_of(scenes: Mapping[str, Path], out: Path, blender: Path | None, project: bool) -> SceneCopies:
    """Of these scenes, into that folder. Raises WouldReplace where one would take the place of one of the scenes."""
    for name, scene in product(scenes, scenes.values()):
        refuse_to_replace(_copy(out, name), scene)
    return SceneCopies(scenes, blender, project)


def sequence_of(requests: Iterable[PictureRequest]) -> list[PictureRequest]:
    """Those of the least seed and the first prompt: one picture a camera and frame."""
    ordered = sorted(requests, key=lambda request: _turn(request.name))
    return [request for request in ordered if _turn(request.name) == _turn(ordered[0].name)]


def _turn(name: str) -> tuple[int, int]:
    part = parts_of(name)
    return int(part["seed"] or 0), int(part["prompt"] or 0)
