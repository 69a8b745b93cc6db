# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps up with the artist's edits: what the regions are, and where they are in the frame, for panel and overlay.

Handlers set flags and nothing else; ``step``, called from a timer, does the work in slices of BUDGET seconds. What is
kept are values and session ids: Blender's references die on undo and on File > Open.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import bpy
from bpy.app.handlers import persistent

from ..camera.reader import camera_of, view
from ..camera.view import View, numbers, unmoved
from ..capture.scene import parts
from ..messages.errors import UserError
from ..pictures.image import ACHIEVED, PICTURE, POSE, REQUEST
from ..protocol.records import Achieved, Blockout
from ..protocol.strict_json import ContractError, load, loads
from ..raster.instances import Mesh, MeshInstance
from ..regions import marks
from ..regions.listing import Row, rows
from ..regions.palette import colours
from ..regions.render_differences import RenderDifferences
from ..request.phrases import Mark
from .figure import Figure, Finding, figure, findings
from .targets import Target, drawn, requested, targets

BUDGET = 0.01  # seconds that one slice may hold the main thread
LISTING = 0.2  # seconds between two looks at which things are marked
SHARE = 5.0  # times as long as reading the scene took, it is left alone afterwards

Windows = dict[int, tuple[bpy.types.Scene, bpy.types.ViewLayer]]


@dataclass(frozen=True)
class Shown:
    """What an overlay draws in a scene, seen through the camera of that session id."""

    camera: int
    figure: Figure


@dataclass(frozen=True, eq=False)
class Work:
    """A capture under way, of values alone."""

    scene: int
    camera: int
    figures: Iterator[Figure | None]


@dataclass(frozen=True, eq=False)
class Measured:
    """A picture of ours: what it was asked for, and what it shows."""

    targets: tuple[Target, ...]
    found: Mapping[str, Finding]
    aspect: float


class SceneWatcher:
    """All by session id: ``rows`` and ``scenes`` by a scene's, ``pictures`` by an image's."""

    def __init__(self) -> None:
        self.rows: dict[int, tuple[Row, ...]] = {}
        self.unlike = RenderDifferences()
        self.scenes: dict[int, Shown] = {}
        self.pictures: dict[int, Figure] = {}
        self._measured: dict[int, Measured] = {}
        self._based: dict[int, int] = {}  # scene -> the picture that its figure was drawn with
        self._settled: set[int] = set()
        self._listed: set[int] = set()
        self._listed_at = self._read_again = 0.0
        self._meshes: dict[int, Mesh] = {}
        self._half_read = False
        self._work: Work | None = None

    @property
    def working(self) -> bool:
        """Whether a capture is under way."""
        return self._work is not None or self._half_read

    @property
    def resting(self) -> bool:
        """Whether the scene was read so lately, for what that takes, that an edit waits a little."""
        return time.perf_counter() < self._read_again

    def touch(self, scene: int, reshaped: bool) -> None:
        """Something in the scene has changed; ``reshaped`` when it may be a mesh."""
        self._settled.discard(scene)
        self._listed.discard(scene)
        if reshaped:
            self._meshes = {}

    def forget(self) -> None:
        """Everything may have changed: after undo and redo."""
        self._settled, self._listed, self._meshes = set(), set(), {}
        self._half_read, self._work = False, None

    def leave(self) -> None:
        """Session ids are those of another file now: after File > Open."""
        self.forget()
        self.rows, self.scenes, self.pictures, self._measured, self._based = {}, {}, {}, {}, {}

    def relist(self, scenes: Windows) -> bool:
        """Bring the rows up to date, and what a render shows otherwise. Says whether there is something new."""
        if time.monotonic() - self._listed_at < LISTING:
            return False
        before = self.rows
        self.rows = {
            uid: before[uid] if uid in self._listed and _stand(before.get(uid, ())) else rows(scene)
            for uid, (scene, _) in scenes.items()
        }
        self._listed, self._listed_at = set(scenes), time.monotonic()
        return self.unlike.look(scenes, self.rows) or self.rows != before

    def step(self, scenes: Windows, images: Mapping[int, bpy.types.Image]) -> bool:
        """One slice of work for the scenes and pictures in view. Says whether there is something new to draw."""
        before = (dict(self.scenes), set(self.pictures))
        for uid, image in images.items():
            if uid not in self.pictures and REQUEST in image:
                self.pictures[uid] = self._of_picture(image)
        if self._work is None and not self.resting:
            self._begin(scenes)
        self._go_on()
        return before != (self.scenes, set(self.pictures))

    def _begin(self, scenes: Windows) -> None:
        self._half_read = False
        for uid, (scene, layer) in scenes.items():
            picture = scene.get(PICTURE)
            based = 0 if picture is None else picture.session_uid
            if uid in self._settled and self._based.get(uid) == based:
                continue
            self._start(uid, scene, layer, picture)
            return

    def _start(
        self, uid: int, scene: bpy.types.Scene, layer: bpy.types.ViewLayer, picture: bpy.types.Image | None
    ) -> None:
        """Read the scene as it is now; what is drawn from it later touches Blender no more."""
        layer.update()  # another timer may just have removed what the depsgraph still knows
        graph, named = layer.depsgraph, marks.marks(scene)
        try:
            seen = view(scene, camera_of(scene), graph) if named and graph else None
        except UserError:  # no camera, or a panorama: the button that needs it will say so
            seen = None
        read = self._read(scene, graph) if seen else []
        self._half_read = read is None
        if read is None:
            return
        self._settled.add(uid)
        self._based[uid] = 0 if picture is None else picture.session_uid
        if seen is None:
            self.scenes.pop(uid, None)
            return
        found = self._fitting(picture, seen) if picture is not None else {}
        palette = colours(mark.phrase for _, mark in marks.marked(scene))
        self._work = Work(uid, scene.camera.session_uid, _figures(named, read, seen, found, palette))

    def _read(self, scene: bpy.types.Scene, graph: bpy.types.Depsgraph) -> list[MeshInstance] | None:
        """The scene's meshes; None when there was too much to read at once: what was read is kept, so ask again."""
        begun, known, read = time.perf_counter(), len(self._meshes), []
        for _, part in parts(scene, graph, self._meshes):
            read.append(part)
            if len(self._meshes) > known and time.perf_counter() > begun + BUDGET:
                return None
        self._read_again = time.perf_counter() + SHARE * (time.perf_counter() - begun)
        return read

    def _go_on(self) -> None:
        until = time.perf_counter() + BUDGET
        while self._work is not None and time.perf_counter() < until:
            drawing = next(self._work.figures)
            if drawing is not None:
                self.scenes[self._work.scene] = Shown(self._work.camera, drawing)
                self._work = None

    def _measure(self, image: bpy.types.Image) -> Measured:
        uid = image.session_uid
        if uid not in self._measured:
            self._measured[uid] = _measured(image)
        return self._measured[uid]

    def _of_picture(self, image: bpy.types.Image) -> Figure:
        measured = self._measure(image)
        palette = colours(target.phrase for target in measured.targets)
        return figure(measured.targets, measured.found, measured.aspect, palette)

    def _fitting(self, picture: bpy.types.Image, seen: View) -> Mapping[str, Finding]:
        """What the picture shows, as long as the camera stands where it was."""
        return self._measure(picture).found if unmoved(numbers(seen), picture.get(POSE, ())) else {}


def _measured(image: bpy.types.Image) -> Measured:
    try:
        blockout = loads(Blockout, image.get(REQUEST, ""))
        achieved = load(tuple[Achieved, ...], json.loads(image.get(ACHIEVED, "[]")))
    except ContractError:  # written by another version of us: the picture stays a picture
        return Measured((), {}, 1.0)
    aspect = blockout.frame.width / blockout.frame.height
    return Measured(tuple(requested(blockout)), findings(achieved, blockout), aspect)


def _figures(
    named: Sequence[Mark],
    read: Sequence[MeshInstance],
    seen: View,
    found: Mapping[str, Finding],
    palette: Mapping[str, int],
) -> Iterator[Figure | None]:
    """The figure of a scene, last; None for each slice of work before it."""
    picture = yield from drawn(read, seen.pose, seen.lens, seen.aspect)
    yield figure(targets(named, picture), found, seen.aspect, palette)


def _stand(listed: Sequence[Row]) -> bool:
    return all(row.find(bpy.data) is not None for row in listed)


def live() -> SceneWatcher:
    """The one of this Blender."""
    found: SceneWatcher = bpy.types.WindowManager.maquette_live
    return found


@persistent
def _changed(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    live().touch(scene.session_uid, any(update.is_updated_geometry for update in depsgraph.updates))


@persistent
def _replaced(*_: object) -> None:
    live().forget()


@persistent
def _opened(*_: object) -> None:
    live().leave()


HANDLERS = (
    ("depsgraph_update_post", _changed),
    ("frame_change_post", _changed),
    ("undo_post", _replaced),
    ("redo_post", _replaced),
    ("load_post", _opened),
)


def register() -> None:
    """Start to listen to edits."""
    bpy.types.WindowManager.maquette_live = SceneWatcher()
    for moment, handler in HANDLERS:
        getattr(bpy.app.handlers, moment).append(handler)


def unregister() -> None:
    """Stop listening."""
    for moment, handler in HANDLERS:
        getattr(bpy.app.handlers, moment).remove(handler)
    del bpy.types.WindowManager.maquette_live
