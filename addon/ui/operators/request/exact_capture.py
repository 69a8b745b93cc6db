# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy the open file for an exact capture; nothing of the artist's changes by that."""

import json
import shutil
import tempfile
from pathlib import Path

import bpy

from ....capture.canvas import scaled
from ....exact.second_blender import ExactCapture, program
from ....messages.errors import SecondBlenderFailed
from ....protocol.strict_json import dump
from ....request.styles import avoided, styled
from ...properties import chosen, style


def exposure(context: bpy.types.Context) -> ExactCapture:
    """The open file, as it stands, in a folder of its own. Raises ExposureFailed when it cannot be written."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="maquette-", dir=bpy.app.tempdir))
    except OSError as error:
        raise _uncopied(error) from error
    made = ExactCapture(folder, program(bpy.app.binary_path), _flags(context))
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(made.copy), copy=True, compress=False)
    except RuntimeError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise _uncopied(error) from error
    return made


def _uncopied(error: Exception) -> SecondBlenderFailed:
    return SecondBlenderFailed(f"The file cannot be copied: {error}", "Make room on the disk, or turn Exact off.")


def _flags(context: bpy.types.Context) -> dict[str, object]:
    """What the second Blender is to capture, in the words of ``headless``."""
    shot, worn = context.scene, style(context.scene)
    return {
        "scene-name": shot.name,
        "layer": context.view_layer.name,
        "camera": shot.camera.name,
        "prompt": styled(shot.maquette_prompt, worn),
        "negative": avoided(shot.maquette_negative, worn),
        "model": json.dumps(dump(scaled(chosen(shot), shot.maquette_size))),
        "seed": shot.maquette_seed,
        "steps": shot.maquette_steps,
        "strength": shot.maquette_strength,
        "scripts": int(context.preferences.filepaths.use_scripts_auto_execute),
    }
