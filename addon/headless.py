# SPDX-License-Identifier: GPL-3.0-or-later
"""Captures, applies and looks without a window, as ``blender_process`` asks: in Blender's background, or a Python with
bpy."""

import json
import os
import select
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Never

import bpy

from .blender_process import (
    LEASH,
    ApplyCommand,
    CaptureCommand,
    Command,
    FootageCommand,
    LookCommand,
    SceneFile,
    ViewsCommand,
    parse,
    refuse,
)
from .camera.reader import camera_of, view
from .camera.view import numbers
from .capture.frames import bound_camera
from .capture.scene import capture, evaluated
from .capture.scene_settings import read
from .capture.snapshot import develop
from .compat import is_rewritten, render_path
from .cooperative import finish
from .exact.baked_files import bring_point_caches, find_bakes
from .exact.capture import exactly, use_engine
from .messages.errors import NoCamera, SecondBlenderFailed, UserError
from .pictures.camera_background import background
from .pictures.image import load_picture, make_current
from .pictures.sequences.footage import behind_cameras, cameras_named
from .pictures.sequences.frame_files import CONSECUTIVE
from .pictures.sequences.scene_views import object_named, problem_of, scene_named, write_views
from .pictures.sequences.views_in_turn import project_first
from .projection.projectors import project
from .protocol.answers import Achieved
from .protocol.blockout import Blockout
from .protocol.strict_json import dump, loads
from .protocol.views import FrameFile
from .request.settings import Settings
from .session.sequence import SequenceFrame, by_camera

LOOK_WIDTH = 480


def main() -> None:
    """Does what the command line asks, and ends the program."""
    if LEASH in os.environ:
        end_with_parent()
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    end(run(words))


def end(code: int) -> Never:
    """End this process.

    As a module Blender puts its libraries away after Python, and once in some thousand times one of them waits there
    for ever for a thread of its own (seen in 4.5). So it is not let to.
    """
    if bpy.app.binary_path:
        sys.exit(code)
    sys.stdout.flush()
    sys.stderr.flush()
    shutil.rmtree(bpy.app.tempdir, ignore_errors=True)
    os._exit(code)


def end_with_parent() -> None:
    """End this process once standard input ends: whoever held its other end is gone, however that came.

    Without a thread, which Blender's Python has none of: the kernel sends SIGIO, which ends a process, be it amid a
    render. Windows knows neither; there a killed command leaves its Blender to finish.
    """
    if sys.platform == "win32":
        return
    import fcntl

    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([0], [], [], 0)[0]:  # it ended before
        sys.exit(1)


def run(words: Sequence[str]) -> int:
    """Opens the scene and does what the command asks; 0, or REFUSED with a Problem in the output file."""
    command = parse(words)
    try:
        _check_paths(command)
        _open(command.source)
        match command:
            case CaptureCommand():
                _capture(command)
            case ApplyCommand():
                _apply(command)
            case LookCommand():
                _look(command)
            case ViewsCommand():
                write_views(command, lambda: _open(command.source))
            case FootageCommand():
                _footage(command)
    except UserError as error:
        return refuse(problem_of(error), command.problem_file if isinstance(command, ViewsCommand) else command.out)
    return 0


def _check_paths(command: Command) -> None:
    """Raises SecondBlenderFailed for a file that Blender itself would look for elsewhere."""
    paths = [command.source.path]
    match command:
        case ApplyCommand():
            paths += [command.picture, command.out]
        case LookCommand() | FootageCommand():
            paths += [command.out]
    for path in filter(is_rewritten, paths):
        words = f"Blender takes a backslash for a slash, and finds no {path}."
        raise SecondBlenderFailed(words, "Rename what has one in its name, or name another folder.")


def _open(source: SceneFile) -> None:
    if source.origin is not None:
        bring_point_caches(source.origin, source.path)
    _load(source)
    if source.origin is not None and find_bakes(source.origin):
        bpy.ops.wm.save_mainfile()
        _load(source)  # anew, for what was missing is not looked for twice


def _load(source: SceneFile) -> None:
    try:
        bpy.ops.wm.open_mainfile(filepath=str(source.path), use_scripts=source.scripts)
    except RuntimeError as error:  # Blender's word for a file that is gone, or no .blend
        reason = str(error).strip().splitlines()[-1].removeprefix("Error: ")
        raise SecondBlenderFailed(f"Blender cannot open the scene: {reason}.", "") from error
    if bpy.data.version[:2] > bpy.app.version[:2]:  # what this Blender does not know it would leave out, silently
        newer, own = (".".join(map(str, version[:2])) for version in (bpy.data.version, bpy.app.version))
        fix = f"Name a Blender {newer} or newer with --blender, or save the scene for an older one."
        raise SecondBlenderFailed(f"The scene was saved by Blender {newer}, and this is {own}.", fix)


def _capture(command: CaptureCommand) -> None:
    scene = scene_named(command.scene_name)
    stored = read(scene)
    settings = replace(Settings(prompt=stored.prompt, seed=stored.seed), **command.settings)
    snapshot = capture(
        scene,
        settings,
        command.model,
        camera=object_named(scene, command.source.camera),
        frame=_frame(scene, command.source),
        look=partial(exactly, layer=command.layer) if settings.exact else None,
    )
    command.out.write_text(json.dumps(dump(finish(develop(snapshot)))))


def _frame(scene: bpy.types.Scene, source: SceneFile) -> int | None:
    """The frame to go to: the file's own too, for a render of it looks through the camera that a marker binds."""
    if source.frame is None and source.camera is None and scene.frame_subframe == 0.0:
        return int(scene.frame_current)
    return source.frame


def _footage(command: FootageCommand) -> None:
    scene, frames = scene_named(), loads(tuple[FrameFile, ...], command.frames.read_bytes())
    pictures = [SequenceFrame(camera=one.camera, frame=one.frame, file=one.file) for one in frames]
    by_name = by_camera(pictures)
    for camera in cameras_named(scene, by_name).values():
        if camera.is_editable and camera.data.users > 1:  # or all would show one's pictures; this is a copy of the file
            camera.data = camera.data.copy()
    for name in behind_cameras(scene, by_name, Path()):
        raise NoCamera(f"The scene has no camera {name}.", "Capture the scene anew.")
    if command.project:
        project_first(scene, frames)
    for image in bpy.data.images:
        if image.filepath in {one.file for one in frames} or Path(image.filepath).parent.name == CONSECUTIVE:
            image.filepath = bpy.path.relpath(image.filepath)  # from here; from there once it is saved
    find_bakes(command.source.path, leaving=True)
    bring_point_caches(command.source.path, command.out)
    bpy.ops.wm.save_as_mainfile(filepath=str(command.out), copy=True, compress=True)


def _apply(command: ApplyCommand) -> None:
    scene = scene_named()
    if command.source.frame is not None:
        scene.frame_set(command.source.frame)
    elif command.source.camera is None:
        scene.camera = bound_camera(scene) or scene.camera
    camera, request = camera_of(scene, object_named(scene, command.source.camera)), command.request.read_text()
    pose = numbers(view(scene, camera, evaluated(scene)))
    achieved = loads(tuple[Achieved, ...], command.achieved.read_bytes())
    image = load_picture(command.picture, request, achieved, pose, camera)
    make_current(scene, image, loads(Blockout, request))
    background(camera, image)
    project(scene, camera, image)
    find_bakes(command.source.path, leaving=True)
    bring_point_caches(command.source.path, command.out)
    bpy.ops.wm.save_as_mainfile(filepath=str(command.out), copy=True, compress=True)


def _look(command: LookCommand) -> None:
    scene, source = scene_named(), command.source
    if source.camera is not None:
        scene.camera = object_named(scene, source.camera)
    if source.frame is not None:
        scene.frame_set(source.frame)
    blocking_picture(scene, command.out, LOOK_WIDTH)


def blocking_picture(scene: bpy.types.Scene, picture: Path, width: int, samples: int = 16) -> None:
    """Render the scene's camera to ``picture`` (PNG, ``width`` pixels wide) with Cycles on the CPU.

    Renders a copy of the scene, so that its settings stay; the Render Result is overwritten, so keep this away from an
    artist's session.
    """
    copy = scene.copy()
    render = copy.render
    use_engine(render, "CYCLES")
    copy.cycles.device, copy.cycles.samples, copy.cycles.use_denoising = "CPU", samples, False
    render.use_compositing = render.use_sequencer = render.use_border = False
    height = round(width * render.resolution_y / render.resolution_x)
    render.resolution_x, render.resolution_y = width, height
    render.resolution_percentage = 100
    render.image_settings.file_format, render.filepath = "PNG", render_path(picture)
    bpy.ops.render.render(write_still=True, scene=copy.name)
    bpy.data.scenes.remove(copy)
