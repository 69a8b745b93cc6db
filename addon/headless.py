# SPDX-License-Identifier: GPL-3.0-or-later
"""Capture, apply and look without a window, for the command line: in Blender's background, or in a Python with bpy.

    blender --background --factory-startup --python-expr BOOT -- capture SCENE.blend OUT.json
    python -c BOOT capture SCENE.blend OUT.json
    python -c BOOT apply SCENE.blend PICTURE.png REQUEST.json ACHIEVED.json OUT.blend
    python -c BOOT look SCENE.blend OUT.png

where BOOT imports this module and calls ``main()``. A scene that cannot be opened or captured leaves a Problem in place
of the result and ends with code 3.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import bpy

from .camera.reader import camera_of, view
from .camera.view import numbers
from .capture.scene import capture, evaluated
from .capture.snapshot import MASKS_UNTIL
from .exact.capture import exactly
from .messages.errors import NoCamera, SecondBlenderFailed, UserError
from .pictures.camera_background import background
from .pictures.image import loaded, settle
from .projection.projectors import project
from .protocol.default_model import TOYBOX
from .protocol.records import Achieved, Blockout, ModelInfo, Problem
from .protocol.strict_json import dump, loads

REFUSED = 3  # server/blender.py knows this code
LOOK_WIDTH = 480


def main() -> None:
    """Runs the errand on the command line."""
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    sys.exit(run(words))


def run(words: Sequence[str]) -> int:
    """Opens the scene and does the errand; 0, or 3 with a Problem in the output file."""
    errand = _parser().parse_args(words)
    try:
        _open(errand)
        errand.do(errand)
    except UserError as error:
        title = "The scene cannot be captured"
        problem = Problem(
            type=error.code, title=title, status=422, detail=error.message, fix=error.fix, path=error.subject
        )
        errand.out.write_text(json.dumps(dump(problem)))
        return REFUSED
    return 0


def _open(errand: argparse.Namespace) -> None:
    try:
        bpy.ops.wm.open_mainfile(filepath=str(errand.scene), use_scripts=bool(errand.scripts))
    except RuntimeError as error:  # Blender's word for a file that is gone, or no .blend
        reason = str(error).strip().splitlines()[-1].removeprefix("Error: ")
        raise SecondBlenderFailed(f"Blender cannot open the scene: {reason}.", "") from error


def _capture(errand: argparse.Namespace) -> None:
    scene = bpy.context.scene if errand.scene_name is None else bpy.data.scenes[errand.scene_name]
    blockout = capture(
        scene,
        _object(scene, errand.camera),
        errand.frame,
        look=partial(exactly, layer=errand.layer) if errand.exact else None,
        model=errand.model,
        prompt=errand.prompt,
        seed=scene.get("maquette_seed", 0) if errand.seed is None else errand.seed,
        steps=errand.steps,
        strength=errand.strength,
        masks_until=errand.masks,
    )
    errand.out.write_text(json.dumps(dump(replace(blockout, negative=errand.negative))))


def _apply(errand: argparse.Namespace) -> None:
    scene = bpy.context.scene
    if errand.frame is not None:
        scene.frame_set(errand.frame)
    camera, request = camera_of(scene, _object(scene, errand.camera)), errand.request.read_text()
    pose = numbers(view(scene, camera, evaluated(scene)))
    achieved = loads(tuple[Achieved, ...], errand.achieved.read_bytes())
    image = loaded(errand.picture, request, achieved, pose, camera)
    settle(scene, image, loads(Blockout, request))
    background(camera, image)
    project(scene, camera, image)
    bpy.ops.wm.save_as_mainfile(filepath=str(errand.out), copy=True, compress=True)


def _look(errand: argparse.Namespace) -> None:
    scene = bpy.context.scene
    if errand.camera is not None:
        scene.camera = _object(scene, errand.camera)
    if errand.frame is not None:
        scene.frame_set(errand.frame)
    blocking_picture(scene, errand.out, LOOK_WIDTH)


def _object(scene: bpy.types.Scene, name: str | None) -> bpy.types.Object | None:
    if name is None:
        return None
    found = scene.objects.get(name)
    if found is None:
        raise NoCamera(f"The scene has no object named {name}.", "Name one of its cameras.")
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="maquette in Blender")
    errands = parser.add_subparsers(required=True)
    capturing = errands.add_parser("capture")
    capturing.set_defaults(do=_capture)
    capturing.add_argument("scene", type=Path)
    capturing.add_argument("out", type=Path)
    capturing.add_argument("--model", type=lambda text: loads(ModelInfo, text), default=TOYBOX)
    capturing.add_argument("--prompt")
    capturing.add_argument("--negative", default="")
    capturing.add_argument("--seed", type=int)
    capturing.add_argument("--steps", type=int)
    capturing.add_argument("--strength", type=float)
    capturing.add_argument("--masks", type=float, default=MASKS_UNTIL)
    capturing.add_argument("--exact", action="store_true", help="as a render shows it")
    capturing.add_argument("--scene-name", help="instead of the file's active scene")
    capturing.add_argument("--layer", help="the view layer to render, with --exact")
    applying = errands.add_parser("apply")
    applying.set_defaults(do=_apply)
    applying.add_argument("scene", type=Path)
    applying.add_argument("picture", type=Path)
    applying.add_argument("request", type=Path)
    applying.add_argument("achieved", type=Path)
    applying.add_argument("out", type=Path)
    looking = errands.add_parser("look")
    looking.set_defaults(do=_look)
    looking.add_argument("scene", type=Path)
    looking.add_argument("out", type=Path)
    for each in (capturing, applying, looking):
        each.add_argument("--camera")
        each.add_argument("--frame", type=int)
        each.add_argument("--scripts", type=int, default=0, help="1 lets the file's own scripts run")
    return parser


def blocking_picture(scene: bpy.types.Scene, picture: Path, width: int, samples: int = 16) -> None:
    """Render the scene's camera to ``picture`` (PNG, ``width`` pixels wide) with Cycles on the CPU.

    Renders a copy of the scene, so that its settings stay; the Render Result is overwritten, so keep this away from an
    artist's session.
    """
    copy = scene.copy()
    render = copy.render
    render.engine = "CYCLES"
    copy.cycles.device, copy.cycles.samples, copy.cycles.use_denoising = "CPU", samples, False
    render.use_compositing = render.use_sequencer = render.use_border = False
    height = round(width * render.resolution_y / render.resolution_x)
    render.resolution_x, render.resolution_y = width, height
    render.resolution_percentage = 100
    render.image_settings.file_format, render.filepath = "PNG", str(picture)
    bpy.ops.render.render(write_still=True, scene=copy.name)
    bpy.data.scenes.remove(copy)
