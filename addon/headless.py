# SPDX-License-Identifier: GPL-3.0-or-later
"""Captures, applies and looks without a window, as ``blender_process`` asks: in Blender's background, or a Python with
bpy."""

import json
import os
import select
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Never

import bpy

from .blender_process import (
    ANNOUNCED,
    LEASH,
    ApplyCommand,
    CaptureCommand,
    CapturedView,
    LookCommand,
    RegionChange,
    SceneFile,
    Views,
    ViewsCommand,
    parse,
    refuse,
    settings_of,
)
from .camera.reader import camera_of, view
from .camera.view import numbers
from .capture.frames import at
from .capture.scene import capture, evaluated
from .capture.scene_settings import read
from .capture.snapshot import develop
from .compat import render_path
from .cooperative import finish
from .data_blocks import named
from .exact.baked_files import bring_point_caches, find_bakes
from .exact.capture import exactly, use_engine
from .messages.errors import NoCamera, NothingMarked, SecondBlenderFailed, UserError
from .pictures.camera_background import background
from .pictures.image import load_picture, make_current
from .projection.projectors import project
from .protocol.answers import Achieved, Problem
from .protocol.blockout import Blockout
from .protocol.strict_json import dump, loads
from .regions import marks
from .request.phrases import said, swapped
from .request.settings import Settings

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
        _open(command.source)
        match command:
            case CaptureCommand():
                _capture(command)
            case ApplyCommand():
                _apply(command)
            case LookCommand():
                _look(command)
            case ViewsCommand():
                _views(command)
    except UserError as error:
        return refuse(_problem(error), command.problem_file if isinstance(command, ViewsCommand) else command.out)
    return 0


def _problem(error: UserError) -> Problem:
    title = "The scene cannot be captured"
    return Problem(type=error.code, title=title, status=422, detail=error.message, fix=error.fix, path=error.subject)


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
    scene = _scene(command.scene_name)
    stored = read(scene)
    settings = replace(Settings(prompt=stored.prompt, seed=stored.seed), **command.settings)
    snapshot = capture(
        scene,
        settings,
        command.model,
        camera=_object(scene, command.source.camera),
        frame=command.source.frame,
        look=partial(exactly, layer=command.layer) if settings.exact else None,
    )
    command.out.write_text(json.dumps(dump(finish(develop(snapshot)))))


def _views(command: ViewsCommand) -> None:
    """Every view into a file of its own; one that cannot be captured hinders no other."""
    views = loads(Views, command.views.read_bytes())
    changes = settings_of(views.flags)
    _change_regions(_scene(), views.regions)
    wanted = list(_wanted(_scene(), views))
    for number, (camera, frame, index) in enumerate(wanted):
        if number and changes.get("exact"):  # which renders, and leaves the scene otherwise
            _open(command.source)
            _change_regions(_scene(), views.regions)
        scene = _scene()
        prompt = views.prompts[index] if views.prompts else None
        view = CapturedView(camera=camera, frame=frame, prompt=index, of=len(wanted))
        try:
            view = replace(view, blockout=_captured(scene, view, views, changes, prompt))
        except UserError as error:
            view = replace(view, problem=_problem(error))
        part = command.out / f"{number}.part"
        part.write_text(json.dumps(dump(view)))
        part.replace(command.out / f"{number}.json")
        sys.stdout.write(f"\n{ANNOUNCED}{number}\n")
        sys.stdout.flush()


def _wanted(scene: bpy.types.Scene, views: Views) -> Iterator[tuple[str, int, int]]:
    """Camera, frame and prompt of each view; a frame may bind a camera of its own. Raises NoCamera."""
    cameras = [item.name for item in scene.objects if item.type == "CAMERA"] if views.all_cameras else views.cameras
    if views.all_cameras and not cameras:
        raise NoCamera("The scene has no camera.", "Add one.")
    for name in cameras or [""]:
        for frame in views.frames or [scene.frame_current]:
            with at(scene, frame):
                own = name or camera_of(scene, None).name
            yield from ((own, frame, index) for index in range(max(1, len(views.prompts))))


def _captured(
    scene: bpy.types.Scene, view: CapturedView, views: Views, changes: Mapping[str, Any], prompt: str | None
) -> Blockout:
    stored = read(scene)
    words = _renamed(scene, stored.prompt if prompt is None else prompt, views.regions)
    settings = replace(Settings(prompt=words, seed=stored.seed), **{**changes, "prompt": words})
    camera = _object(scene, view.camera)
    look = exactly if settings.exact else None
    return finish(develop(capture(scene, settings, views.model, camera=camera, frame=view.frame, look=look)))


def _change_regions(scene: bpy.types.Scene, changes: Sequence[RegionChange]) -> None:
    """Raises NothingMarked for a region that the scene has not."""
    regions = list(marks.marked(scene))
    for change in changes:
        items = [item for item, mark in regions if change.region in (mark.name, mark.phrase)]
        if not items:
            names = ", ".join(mark.name for _, mark in regions) or "none"
            raise NothingMarked(f"The scene has no region “{change.region}”; it has {names}.", "Name one of them.")
        for item in items:
            marks.set_text(item, change.field, change.value)


def _renamed(scene: bpy.types.Scene, prompt: str, changes: Sequence[RegionChange]) -> str:
    """The prompt with the new phrases of regions where it says the old ones only."""
    for change in changes:
        if change.field == "phrase" and said(change.value, prompt) is None:
            prompt = swapped(prompt, change.region, change.value)
    return prompt


def _apply(command: ApplyCommand) -> None:
    scene = _scene()
    if command.source.frame is not None:
        scene.frame_set(command.source.frame)
    camera, request = camera_of(scene, _object(scene, command.source.camera)), command.request.read_text()
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
    scene, source = _scene(), command.source
    if source.camera is not None:
        scene.camera = _object(scene, source.camera)
    if source.frame is not None:
        scene.frame_set(source.frame)
    blocking_picture(scene, command.out, LOOK_WIDTH)


def _scene(name: str | None = None) -> bpy.types.Scene:
    scene = bpy.context.scene if name is None else named(bpy.data.scenes, name)
    assert scene is not None, "a file that is open has a scene"
    return scene


def _object(scene: bpy.types.Scene, name: str | None) -> bpy.types.Object | None:
    if name is None:
        return None
    cameras = [item for item in scene.objects if item.type == "CAMERA"]
    item = named(cameras, name) or named(scene.objects, name)
    if item is None:
        raise NoCamera(f"The scene has no object named {name}.", "Name one of its cameras.")
    return item


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
