# SPDX-License-Identifier: MIT
"""A sequence of the meadow, and what captures it."""

import asyncio
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from addon.blender_process import SceneFile, ViewsCommand, program
from addon.exact.views_capture import ViewsCapture
from addon.pictures.sequences.frame_files import new_folder
from addon.pictures.sequences.painting import SequencePainter
from addon.protocol.blockout import Blockout
from addon.protocol.default_model import TOYBOX
from addon.protocol.strict_json import dump
from addon.protocol.views import CapturedView, Views
from addon.request.settings import DEFAULTS
from addon.session.dispatcher import Dispatcher
from addon.session.reducer import sequence_begun
from addon.session.sequence import PictureSequence
from addon.session.task import Origin, Viewpoint

MEADOW = Path(__file__).parents[4] / "examples" / "meadow.blend"
VIEW = Viewpoint(scene=1, camera=0, pose=(), origin=Origin(file="meadow.blend", scene="Scene"))


def capture_of(folder: Path, frames: Sequence[int], steps: int = 2, **changes) -> ViewsCapture:
    """Of a copy of the meadow in that folder."""
    (folder / "views").mkdir(parents=True)
    shutil.copyfile(MEADOW, folder / "copy.blend")
    views = Views(frames=tuple(frames), flags=(f"--steps={steps}",), scene_name="Scene", **changes)
    (folder / "views.json").write_text(json.dumps(dump(views)))
    command = ViewsCommand(
        source=SceneFile(path=folder / "copy.blend"), views=folder / "views.json", out=folder / "views"
    )
    return ViewsCapture(program(""), command, asyncio.Lock())


def sequence_of(root: Path, size: int, name: str = "s") -> PictureSequence:
    """A sequence of so many views, in a folder of its own."""
    return PictureSequence(id=name, title="Frames", view=VIEW, folder=new_folder(root, "meadow"), size=size)


def painter(dispatcher: Dispatcher, sequence: PictureSequence) -> SequencePainter:
    """What paints it, once the session knows it."""
    dispatcher.apply(sequence_begun, sequence)
    return SequencePainter(dispatcher, sequence, TOYBOX, DEFAULTS, as_captured)


def as_captured(view: CapturedView) -> Blockout:
    """What was captured, as it is."""
    assert view.blockout is not None
    return view.blockout
