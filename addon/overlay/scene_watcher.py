# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps up with the artist's edits: what the regions are, and where they are in the frame, for panel and overlay.

Handlers set flags and nothing else; ``step``, called from a timer, does the work in slices of BUDGET seconds. What is
kept are values and session ids: Blender's references die on undo and on File > Open.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import bpy

from ..camera.reader import camera_of
from ..camera.reader import view as camera_view
from ..camera.view import View, numbers
from ..capture.gathering import unread
from ..capture.instance_walk import Meshes
from ..capture.scene import parts, with_hidden
from ..messages.errors import UserError
from ..pictures.image import PICTURE, POSE, regions_of
from ..protocol.blockout import Blockout
from ..protocol.views import unmoved
from ..raster.instances import MeshInstances
from ..raster.zbuffer import NOTHING
from ..regions import marks
from ..regions.listing import ObjectKey, Row, marked_in_sets, palette_of, rows
from ..regions.measures import RegionMeasure
from ..regions.render_differences import RenderDifferences, SceneLayers
from ..request.phrases import Mark
from .figure import Figure, Finding, figure
from .measured import matched
from .picture_figures import ColouredRegions, PictureFigures
from .region_measures import region_measures, screens
from .targets import drawn, targets

BUDGET = 0.004  # seconds after which a slice begins nothing more
LISTING = 0.2  # seconds between two looks at what is marked
UNHEARD, PAUSE = 0.5, 50.0  # seconds, and times as long as it takes, between two looks that no edit asked for
SHARE = 5.0  # times as long as reading the scene took, it is left alone afterwards


@dataclass(frozen=True)
class SceneFigure:
    """What an overlay draws in a scene, seen through the camera of that session id; and of its regions, by phrase, the
    measures, and what stands before each."""

    camera: int
    figure: Figure
    measures: Mapping[str, RegionMeasure]
    screens: Mapping[str, frozenset[ObjectKey]]


@dataclass(frozen=True, eq=False)
class FrameParts:
    """What the camera's view holds: ``parts``, whose owners index ``names``, the marks' first, and ``objects``; and of
    the ``regions`` without a surface, by index, where they are hidden."""

    regions: Sequence[Mark]
    parts: Sequence[MeshInstances]
    names: Sequence[str]
    objects: Sequence[frozenset[ObjectKey]]
    bare: Mapping[int, str]
    view: View


@dataclass(frozen=True, eq=False)
class Work:
    """A capture under way, of values alone."""

    scene: int
    figures: Iterator[SceneFigure | None]


class SceneWatcher:
    """All by session id: ``rows`` and ``scenes`` by a scene's, ``pictures`` by an image's."""

    def __init__(self) -> None:
        self.rows: dict[int, tuple[Row, ...]] = {}
        self.in_sets: dict[int, tuple[str, ...]] = {}  # names of what is marked in a background scene, by a scene's
        self.palette: dict[int, int] = {}  # colours by a region's session id
        self.differences = RenderDifferences()
        self.scenes: dict[int, SceneFigure] = {}
        self._pictures = PictureFigures()
        self._drawn_with: dict[int, int] = {}  # scene -> the picture that its figure was drawn with
        self._settled: set[int] = set()
        self._listed: set[int] = set()
        self._listed_at = self._stale_at = self._rests_until = 0.0
        self.meshes = Meshes()  # shared with whoever captures
        self._read_seconds = 0.0  # of the scene that is being read
        self._half_read = self._busy = False
        self._work: Work | None = None

    @property
    def pictures(self) -> Mapping[int, Figure]:
        """What is drawn over each picture that was in view."""
        return self._pictures.figures

    @property
    def working(self) -> bool:
        """Whether a capture is under way."""
        return self._work is not None or self._half_read or self._busy

    @property
    def resting(self) -> bool:
        """Whether the scene was read so lately, for what that takes, that an edit waits a little."""
        return time.perf_counter() < self._rests_until

    def request(self, picture: bpy.types.Image) -> Blockout | None:
        """What a picture was asked for; None of one that was not read yet, or cannot be."""
        return self._pictures.measured(picture).request

    def touch(self, scene: int, reshaped: bool, moved: frozenset[int] | None = None) -> None:
        """Something in the scene has changed; ``reshaped`` when it may be a mesh, and no more than that objects have
        ``moved`` where these are given."""
        self._settled.discard(scene)
        self._listed.discard(scene)
        self.meshes.touch(moved)
        if reshaped:
            self.meshes.clear()

    def forget(self) -> None:
        """Everything may have changed: after undo and redo."""
        self._settled, self._listed = set(), set()
        self.meshes.clear()
        self._half_read, self._work = False, None

    def leave(self) -> None:
        """Session ids are those of another file now: after File > Open."""
        self.forget()
        self.rows, self.scenes, self._pictures, self._drawn_with = {}, {}, PictureFigures(), {}
        self.palette = {}  # or it would keep the colours of what is gone from this file's regions

    def relist(self, scenes: SceneLayers) -> bool:
        """Bring the rows up to date, and what a render shows otherwise. Says whether there is something new."""
        if time.monotonic() - self._listed_at < LISTING:
            return False
        if time.monotonic() > self._stale_at:  # a script's marks are no news to the depsgraph
            self._listed = set()
        before, begun = self.rows, time.monotonic()
        self.rows = {
            uid: before[uid] if uid in self._listed and _all_exist(before.get(uid, ())) else self._rows(scene)
            for uid, (scene, _) in scenes.items()
        }
        if not self._listed:
            self._stale_at = time.monotonic() + max(UNHEARD, PAUSE * (time.monotonic() - begun))
        in_sets, self.in_sets = (
            self.in_sets,
            {
                uid: self.in_sets[uid] if uid in self._listed and uid in self.in_sets else marked_in_sets(scene)
                for uid, (scene, _) in scenes.items()
            },
        )
        self._listed, self._listed_at = set(scenes), time.monotonic()
        before_regions = {uid: scene.screens for uid, scene in self.scenes.items()}
        is_other = self.differences.look(scenes, self.rows, before_regions)
        return is_other or self.rows != before or self.in_sets != in_sets

    def _rows(self, scene: bpy.types.Scene) -> tuple[Row, ...]:
        self.palette |= palette_of(scene, self.palette)
        return rows(scene, self.palette)

    def step(self, scenes: SceneLayers, images: Mapping[int, bpy.types.Image]) -> bool:
        """One slice of work for the scenes and pictures in view. Says whether there is something new to draw."""
        before = (dict(self.scenes), set(self.pictures))
        self._busy = self._prepare(scenes, images)
        if not self._busy:
            if self._work is None and not self.resting:
                self._begin(scenes)
            else:
                self._go_on()
        return before != (self.scenes, set(self.pictures))

    def _prepare(self, scenes: SceneLayers, images: Mapping[int, bpy.types.Image]) -> bool:
        """A slice of reading what a picture in view shows, or of drawing it; whether there was one."""
        own = [scene for scene, _ in scenes.values()]

        def coloured() -> ColouredRegions:
            for scene in own:
                self.palette |= palette_of(scene, self.palette)
            return [(item.session_uid, mark) for scene in own for item, mark in marks.marked(scene)], self.palette

        return self._pictures.go_on([scene.get(PICTURE) for scene in own], images, coloured)

    def _begin(self, scenes: SceneLayers) -> None:
        self._half_read = False
        for uid, (scene, layer) in scenes.items():
            picture = scene.get(PICTURE)
            if uid in self._settled and self._drawn_with.get(uid) == _uid_of(picture):
                continue
            self._start(uid, scene, layer, picture)
            return

    def _start(
        self, uid: int, scene: bpy.types.Scene, layer: bpy.types.ViewLayer, picture: bpy.types.Image | None
    ) -> None:
        """Read the scene as it is now; what is drawn from it later touches Blender no more."""
        layer.update()  # another timer may just have removed what the depsgraph still knows
        graph, regions = layer.depsgraph, marks.marks(scene)
        view = _view(scene, graph) if regions else None
        parts = self._read(scene, graph, regions, view) if view is not None and graph is not None else None
        self._half_read = parts is None and view is not None
        if self._half_read:
            return
        self._settled.add(uid)
        self._drawn_with[uid] = _uid_of(picture)
        if parts is None:
            self.scenes.pop(uid, None)
            return
        findings = self._matched(scene, picture) if picture is not None else {}
        same = picture is not None and unmoved(numbers(parts.view), picture.get(POSE, ()))
        palette = self._by_phrase(scene)
        self._work = Work(uid, _figures(scene.camera.session_uid, parts, findings, same, palette))

    def _read(
        self, scene: bpy.types.Scene, graph: bpy.types.Depsgraph, regions: Sequence[Mark], view: View
    ) -> FrameParts | None:
        """The scene's meshes; None when there was too much to read at once: what was read is kept, so ask again."""
        begun, instances = time.perf_counter(), []
        names = [mark.name for mark in regions]
        objects: list[dict[int, ObjectKey]] = [{} for _ in regions]
        others: dict[int, int] = {}  # owners of what is no region, by the object's session id
        for item, part in parts(scene, graph, self.meshes, BUDGET):
            owner, uid = part.owner, item.session_uid
            if owner == NOTHING:
                owner = others.setdefault(uid, len(names))
                names += [item.name] if owner == len(names) else []
                objects += [{}] if owner == len(objects) else []
            if uid not in objects[owner]:
                objects[owner][uid] = ObjectKey.of(item)
            instances.append(replace(part, owner=owner))
        self._read_seconds += time.perf_counter() - begun
        if unread(instances):
            return None
        present = {part.owner for part in instances}
        absent = [(index, mark) for index, mark in enumerate(regions) if index not in present]
        hidden = {index: with_hidden(scene, graph, mark, self.meshes).hidden for index, mark in absent}
        self._rests_until, self._read_seconds = time.perf_counter() + SHARE * self._read_seconds, 0.0
        return FrameParts(regions, instances, names, [frozenset(one.values()) for one in objects], hidden, view)

    def _go_on(self) -> None:
        until = time.perf_counter() + BUDGET
        while self._work is not None and time.perf_counter() < until:
            drawing = next(self._work.figures)
            if drawing is not None:
                self.scenes[self._work.scene] = drawing
                self._work = None

    def _matched(self, scene: bpy.types.Scene, picture: bpy.types.Image) -> Mapping[str, Finding]:
        """What the picture shows, by the phrases of the scene's regions."""
        regions = ((item.session_uid, mark) for item, mark in marks.marked(scene))
        return matched(self._pictures.measured(picture), regions_of(picture), regions)

    def _by_phrase(self, scene: bpy.types.Scene) -> dict[str, int]:
        """The colours of the scene's regions, by phrase."""
        own = palette_of(scene, self.palette)
        self.palette |= own
        return {mark.phrase.casefold(): own[item.session_uid] for item, mark in marks.marked(scene)}


def _view(scene: bpy.types.Scene, graph: bpy.types.Depsgraph | None) -> View | None:
    """What the scene's camera sees; None without one, or with a panorama: the button that needs it will say so."""
    try:
        return camera_view(scene, camera_of(scene), graph) if graph is not None else None
    except UserError:
        return None


def _uid_of(picture: bpy.types.Image | None) -> int:
    return 0 if picture is None else picture.session_uid


def _figures(
    camera: int, frame: FrameParts, findings: Mapping[str, Finding], unmoved: bool, palette: Mapping[str, int]
) -> Iterator[SceneFigure | None]:
    """The figure of a scene, last, with the picture's findings unless the camera has moved since; None for each slice
    of work before it."""
    regions, aspect = frame.regions, frame.view.aspect
    raster = yield from drawn(frame.parts, frame.view.pose, frame.view.lens, aspect, len(regions))
    wanted = targets(regions, raster)
    yield None
    drawing = yield from figure(wanted, findings if unmoved else {}, aspect, palette)
    measures = yield from region_measures(regions, raster, frame.names, frame.bare, wanted, findings, unmoved, aspect)
    before = yield from screens(regions, raster, frame.objects)
    yield SceneFigure(camera, drawing, measures, before)


def _all_exist(listed: Sequence[Row]) -> bool:
    return all(row.find(bpy.data) is not None for row in listed)
