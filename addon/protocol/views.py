# SPDX-License-Identifier: MIT
"""Many views of a scene: what a Blender is asked for, what it answers, and the pictures that come back to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from .answers import ModelInfo, Problem
from .blockout import Blockout
from .default_model import TOYBOX
from .strict_json import Added, Record

POSE, LENS = 16, 24  # where the numbers of a view's matrices end


@dataclass(frozen=True, kw_only=True)
class RegionChange(Record):
    """What a region, of that name or phrase, is to have instead of its own; numbers as text, with commas between."""

    region: str
    field: Literal["phrase", "strength", "start", "until", "description", "colour"]
    value: str


@dataclass(frozen=True, kw_only=True)
class Views(Record):
    """Which views of a scene to capture: each camera by each frame by each prompt, in that order.

    No ``cameras`` are the scene's own, or every one of it with ``all_cameras``; no ``frames`` the one that it stands
    at; no ``prompts`` the scene's own. ``flags`` are settings, as words of a command line. ``scene_name`` is instead of
    the file's active scene, ``layer`` the view layer that an exact capture renders; "" for its own. With ``depth`` an
    OpenEXR file of what each view sees lies beside it: 0.exr, 1.exr … ``in_turn`` goes through the cameras of each
    frame and prompt: each is captured once a TurnPicture of the one before lies beside it (0.turn.json …), is told what
    that shows, and refers to a picture there that is called by its sha256.
    """

    cameras: tuple[str, ...] = ()
    all_cameras: bool = False
    frames: tuple[int, ...] = ()
    prompts: tuple[str, ...] = ()
    regions: tuple[RegionChange, ...] = ()
    flags: tuple[str, ...] = ()
    model: ModelInfo = TOYBOX
    scene_name: Annotated[str, Added("0.2.0")] = ""
    layer: Annotated[str, Added("0.2.0")] = ""
    depth: Annotated[bool, Added("0.2.0")] = False
    in_turn: Annotated[bool, Added("0.2.0")] = False


@dataclass(frozen=True, kw_only=True)
class CapturedView(Record):
    """One view ``of`` so many: its ``blockout``, or the ``problem`` that hinders one; ``prompt`` counts from 0.

    ``pose`` is the camera as it stood, as numbers; none of a view that cannot be captured.
    """

    camera: str
    frame: int
    prompt: int
    of: int
    blockout: Blockout | None = None
    problem: Problem | None = None
    pose: Annotated[tuple[float, ...], Added("0.2.0")] = ()


@dataclass(frozen=True, kw_only=True)
class FrameFile(Record):
    """A picture of what a camera sees at a frame; ``file`` is its path."""

    camera: str
    frame: int
    file: str


@dataclass(frozen=True, kw_only=True)
class TurnPicture(Record):
    """The picture of a view that others wait for: its path, "" where it could not be painted."""

    picture: str


def unmoved(now: Sequence[float], then: Sequence[float]) -> bool:
    """Whether views of these numbers show the same, as far as rounding a small frame to whole pixels allows.

    They are two matrices, row by row: the camera's pose, and its lens. Of the latter what counts is what its first two
    rows do: the third has the clip planes.
    """
    if len(now) != len(then):
        return False
    pairs = list(zip(now, then, strict=True))
    pose, lens = pairs[:POSE], pairs[POSE:LENS]
    same_pose = all(abs(one - other) <= 1e-4 for one, other in pose)
    return same_pose and all(abs(one - other) <= 1e-5 + 1.5e-3 * abs(other) for one, other in lens)
