# SPDX-License-Identifier: GPL-3.0-or-later
"""Every view that is asked for of the open file, captured without a window; the file is a copy, or nobody's."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import bpy

from ...blender_process import ANNOUNCED, ViewsCommand, settings_of
from ...camera.reader import camera_of
from ...camera.view import numbers
from ...capture.frames import at
from ...capture.scene import capture
from ...capture.scene_settings import read
from ...capture.snapshot import Snapshot, develop
from ...cooperative import Slices, finish
from ...data_blocks import named
from ...exact.capture import exactly
from ...messages.errors import NoCamera, NothingMarked, UserError
from ...projection.depth import depth_picture
from ...projection.projectors import artist_cameras
from ...protocol.answers import Problem
from ...protocol.strict_json import dump, loads
from ...protocol.views import CapturedView, RegionChange, Views
from ...raster.frustum import Frustum
from ...raster.instances import camera_triangles
from ...regions import marks
from ...request.phrases import Mark, said, swapped
from ...request.settings import Settings
from .views_in_turn import check_cameras, take_in, view_request


def write_views(command: ViewsCommand, again: Callable[[], None]) -> None:
    """Every view of the open file into a file of its own; one that cannot be captured hinders no other.

    ``again`` opens it anew. Raises NoCamera, NothingMarked, TooManyViews.
    """
    views = loads(Views, command.views.read_bytes())
    exact = settings_of(views.flags).get("exact")
    views = replace(views, regions=_by_phrase(scene_named(views.scene_name or None), views.regions))
    scene = _prepared(views)
    numbered = list(_views_of(scene, views))
    if views.in_turn:
        numbered.sort(key=lambda one: one[1:])
        check_cameras({name for name, _, _ in numbered})
    for number, (name, frame, index) in enumerate(numbered):
        begins = views.in_turn and numbered[number - 1][1:] != (frame, index)
        if number and (begins or exact):  # what was projected is of another frame; and an exact look renders
            again()
            scene = _prepared(views)
        if views.in_turn:
            scene.frame_set(frame)
        view = CapturedView(camera=name, frame=frame, prompt=index, of=len(numbered))
        try:
            camera = camera_of(scene, object_named(scene, name))
            view = _captured(scene, camera, view, views, command.out / f"{number}.exr")
        except UserError as error:
            view = replace(view, problem=problem_of(error))
        _announce(view, number, command.out)
        if views.in_turn and view.blockout is not None:
            take_in(scene, camera, command.out / f"{number}.turn.json")


def _captured(
    scene: bpy.types.Scene, camera: bpy.types.Object, view: CapturedView, views: Views, depth: Path
) -> CapturedView:
    """A view with its request; what it sees of depth goes into a file, where that is wanted."""
    snapshot = _snapshot(scene, camera, view, views)
    blockout = finish(develop(snapshot))
    if views.in_turn:
        blockout = view_request(scene, camera, snapshot, blockout, depth.parent)
    if views.depth:
        depth.write_bytes(finish(_depth(snapshot)))
    return replace(view, blockout=blockout, pose=tuple(numbers(snapshot.view)))


def _announce(view: CapturedView, number: int, out: Path) -> None:
    """Leave a view in a file of its own, and then say so."""
    part = out / f"{number}.part"
    part.write_text(json.dumps(dump(view)))
    part.replace(out / f"{number}.json")
    sys.stdout.write(f"\n{ANNOUNCED}{number}\n")
    sys.stdout.flush()


def _views_of(scene: bpy.types.Scene, views: Views) -> Iterator[tuple[str, int, int]]:
    """Camera, frame and prompt of each view; a frame may bind a camera of its own. Raises NoCamera."""
    cameras = [item.name_full for item in artist_cameras(scene)] if views.all_cameras else views.cameras
    if views.all_cameras and not cameras:
        raise NoCamera("The scene has no camera.", "Add one.")
    for name in cameras or [""]:
        for frame in views.frames or [scene.frame_current]:
            with at(scene, frame):
                own = name or camera_of(scene, None).name_full
            yield from ((own, frame, index) for index in range(max(1, len(views.prompts))))


def _snapshot(scene: bpy.types.Scene, camera: bpy.types.Object, view: CapturedView, views: Views) -> Snapshot:
    stored, prompt = read(scene), views.prompts[view.prompt] if views.prompts else None
    words = _renamed(scene, stored.prompt if prompt is None else prompt, views.regions)
    changes = {**settings_of(views.flags), "prompt": words}
    settings = replace(Settings(prompt=words, seed=stored.seed), **changes)
    look = partial(exactly, layer=views.layer or None) if settings.exact else None
    return capture(scene, settings, views.model, camera=camera, frame=view.frame, look=look)


def _depth(snapshot: Snapshot) -> Slices[bytes]:
    """What the camera's frame sees, pixel by pixel of the picture."""
    view, frame = snapshot.view, snapshot.canvas.frame
    frustum = Frustum(view.lens, frame.width, frame.height, len(snapshot.marks))
    triangles = yield from camera_triangles(snapshot.parts, view.pose, frustum)
    return (yield from depth_picture(triangles, view.lens, frame.width, frame.height))


def _by_phrase(scene: bpy.types.Scene, changes: Sequence[RegionChange]) -> tuple[RegionChange, ...]:
    """The changes, with regions that are to have another phrase called by the one that they have, which is what the
    prompt says. Raises NothingMarked for a region that the scene has not."""
    by_phrase: dict[RegionChange, None] = {}
    for change in changes:
        matching = _matching(scene, change.region)
        called = [replace(change, region=mark.phrase) for _, mark in matching] if change.field == "phrase" else [change]
        by_phrase |= dict.fromkeys(called)
    return tuple(by_phrase)


def _change_regions(scene: bpy.types.Scene, changes: Sequence[RegionChange]) -> None:
    """Raises NothingMarked for a region that the scene has not."""
    matching = [(change, item) for change in changes for item, _ in _matching(scene, change.region)]
    for change, item in matching:
        marks.set_text(item, change.field, change.value)


def _matching(scene: bpy.types.Scene, name: str) -> list[tuple[marks.Marked, Mark]]:
    """The regions of that name or phrase. Raises NothingMarked where there is none."""
    regions = list(marks.marked(scene))
    matching = [(item, mark) for item, mark in regions if name in (mark.name, item.name, mark.phrase)]
    if not matching:
        names = ", ".join(mark.name for _, mark in regions) or "none"
        raise NothingMarked(f"The scene has no region “{name}”; it has {names}.", "Name one of them.")
    return matching


def _renamed(scene: bpy.types.Scene, prompt: str, changes: Sequence[RegionChange]) -> str:
    """The prompt with the new phrases of regions where it says the old ones only."""
    for change in changes:
        if change.field == "phrase" and said(change.value, prompt) is None:
            prompt = swapped(prompt, change.region, change.value)
    return prompt


def _prepared(views: Views) -> bpy.types.Scene:
    """The scene, with what its regions are to have instead of their own."""
    scene = scene_named(views.scene_name or None)
    _change_regions(scene, views.regions)
    return scene


def scene_named(name: str | None = None) -> bpy.types.Scene:
    """The scene of that name, else the file's active one."""
    scene = bpy.context.scene if name is None else named(bpy.data.scenes, name)
    assert scene is not None, "a file that is open has a scene"
    return scene


def object_named(scene: bpy.types.Scene, name: str | None) -> bpy.types.Object | None:
    """A camera of the scene, or another object of that name; None for none. Raises NoCamera."""
    if name is None:
        return None
    cameras = [item for item in scene.objects if item.type == "CAMERA"]
    item = named(cameras, name) or named(scene.objects, name)
    if item is None:
        raise NoCamera(f"The scene has no object named {name}.", "Name one of its cameras.")
    return item


def problem_of(error: UserError) -> Problem:
    """What goes wrong, for another process."""
    title = "The scene cannot be captured"
    return Problem(type=error.code, title=title, status=422, detail=error.message, fix=error.fix, path=error.subject)
