# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy the open file for an exact capture; nothing of the artist's changes by that."""

import shutil
import tempfile
from pathlib import Path

import bpy

from ....blender_process import CaptureCommand, SceneFile, program
from ....compat import temporary_folder
from ....exact.second_blender import ExactCapture
from ....messages.errors import SecondBlenderFailed
from ....protocol.answers import ModelInfo
from ....request.settings import FLAGS, Settings, part
from ...context import Context

COPY = "copy.blend"


def exact_capture(context: Context, settings: Settings, model: ModelInfo) -> ExactCapture:
    """The open file, as it stands, in a folder of its own. Raises SecondBlenderFailed when it cannot be written."""
    folder = copied_file()
    return ExactCapture(program(bpy.app.binary_path), _command(context, folder, settings, model))


def copied_file() -> Path:
    """A folder with a copy of the open file in it, as it stands. Raises SecondBlenderFailed."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="maquette-", dir=temporary_folder(bpy.app.tempdir)))
    except OSError as error:
        raise _uncopied(error) from error
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(folder / COPY), copy=True, compress=False)
    except RuntimeError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise _uncopied(error) from error
    return folder


def copy_of(context: Context, folder: Path, camera: str | None) -> SceneFile:
    """The copy in a folder, as what a second Blender opens."""
    return SceneFile(
        path=folder / COPY,
        camera=camera,
        scripts=bool(context.preferences.filepaths.use_scripts_auto_execute),
        origin=Path(bpy.data.filepath) if bpy.data.filepath else None,
    )


def _uncopied(error: Exception) -> SecondBlenderFailed:
    return SecondBlenderFailed(f"The file cannot be copied: {error}", "Make room on the disk, or turn Exact off.")


def _command(context: Context, folder: Path, settings: Settings, model: ModelInfo) -> CaptureCommand:
    """What the second Blender is to capture."""
    return CaptureCommand(
        source=copy_of(context, folder, context.scene.camera.name_full),
        out=folder / "blockout.json",
        model=model,
        settings=part(settings, FLAGS),
        scene_name=context.scene.name_full,
        layer=context.view_layer.name,
    )
