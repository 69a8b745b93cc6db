# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows where regions are to be, and where the picture has them, over the camera's view and over the picture.

A timer keeps up with what is in view; Blender's draw calls only draw what it has made ready.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty
from bpy_extras.view3d_utils import location_3d_to_region_2d

from ..camera.reader import camera_data
from ..capture.instance_walk import Meshes
from ..custom_properties import declare
from ..pictures.pixels import ImagePixels
from ..protocol.blockout import Blockout
from ..regions.listing import Row
from ..regions.measures import RegionMeasure
from ..regions.render_differences import SceneLayers
from ..runtime.timers import guarded
from ..runtime.windows import EDITOR, playing, redraw, rendering, tab_open, window_manager
from ..session.state import Session
from .backdrop import Backdrop, prepare
from .edits import listen, listen_again, unlisten
from .figure import Figure
from .gpu_drawing import OVERLAY, OVERLAY_PARTS, PARTS, Drawing, Rectangle, draw, is_enabled, prepared
from .scene_watcher import SceneWatcher

LONG = 0.002  # seconds of a listing after which nothing else is done
QUICK, REST, ASLEEP = 0.001, 0.04, 0.25  # seconds to the next look: at work, with something in view, with nothing


class Overlay:
    """What keeps up with a Blender's scenes, and in a window draws over its views.

    ``session`` says what the application is at. Drawings go by the session ids of scenes, and of images.
    """

    def __init__(self, session: Callable[[], Session]) -> None:
        self.watcher = SceneWatcher()
        self._session = session
        self._scenes: dict[int, Drawing] = {}
        self._pictures: dict[int, Drawing] = {}
        self._backdrop: Backdrop | None = None
        self._prepared = False
        self.paused = False  # while the machine is to be another's
        self._listeners = listen(self.watcher)
        self._draw_handles: tuple[tuple[Any, object], ...] = ()
        self._timer = self._tick  # kept, for Blender knows a timer by its identity
        if not bpy.app.background:
            self._show()

    @property
    def rows(self) -> Mapping[int, tuple[Row, ...]]:
        """The regions of each scene in a window, by its session id."""
        return self.watcher.rows

    @property
    def meshes(self) -> Meshes:
        """What was read of meshes, kept until any geometry changes."""
        self._listen_again()
        return self.watcher.meshes

    @property
    def differences(self) -> Mapping[int, tuple[str, ...]]:
        """What a render may show otherwise of a region, by its session id."""
        return self.watcher.differences.words

    @property
    def in_sets(self) -> Mapping[int, tuple[str, ...]]:
        """The names of what is marked in a background scene, and so no region, by a scene's session id."""
        return self.watcher.in_sets

    @property
    def measures(self) -> Mapping[int, Mapping[str, RegionMeasure]]:
        """The numbers of each scene's regions, by its session id, then by phrase."""
        return {uid: scene.measures for uid, scene in self.watcher.scenes.items()}

    def request(self, picture: bpy.types.Image) -> Blockout | None:
        """What a picture was asked for; None of one that was not read yet, or cannot be."""
        return self.watcher.request(picture)

    def lay(self, scene: int, camera: int, pixels: ImagePixels) -> None:
        """Draw a picture over what a camera sees, instead of any before; both by their session ids."""
        self._backdrop = Backdrop(scene, camera, pixels)
        redraw_views()

    def lift(self) -> None:
        """Draw none any more."""
        self._backdrop = None
        redraw_views()

    def close(self) -> None:
        """Listen and draw no more."""
        if bpy.app.timers.is_registered(self._timer):
            bpy.app.timers.unregister(self._timer)
        for space, handle in self._draw_handles:
            space.draw_handler_remove(handle, "WINDOW")
        unlisten(self._listeners)

    def look(self) -> float:
        """Take the work in view a slice further; answers when to look again."""
        manager, watcher, begun = window_manager(), self.watcher, time.perf_counter()
        self._listen_again()
        if watcher.relist({window.scene.session_uid: (window.scene, window.view_layer) for window in manager.windows}):
            redraw()
        if self._is_away():
            return ASLEEP
        if time.perf_counter() - begun > LONG:
            return QUICK
        scenes, images = _in_view(is_enabled(manager))
        before = self.measures
        if watcher.step(scenes, images):
            self._renew()
            redraw_views()
        if self.measures != before:
            redraw()
        return QUICK if watcher.working else REST if scenes else ASLEEP

    def _listen_again(self) -> None:
        """Where a script has taken our handlers from Blender, what is known may be of long ago."""
        if listen_again(self._listeners):
            self.watcher.forget()

    def _tick(self) -> float:
        return guarded(self.look)

    def _show(self) -> None:
        view, editor = bpy.types.SpaceView3D, bpy.types.SpaceImageEditor
        self._draw_handles = (
            (view, view.draw_handler_add(self._draw_view, (), "WINDOW", "POST_PIXEL")),
            (editor, editor.draw_handler_add(self._draw_editor, (), "WINDOW", "POST_PIXEL")),
        )
        bpy.app.timers.register(self._timer, first_interval=REST, persistent=True)

    def _renew(self) -> None:
        """Make batches of the figures that are new."""
        figures = {uid: scene.figure for uid, scene in self.watcher.scenes.items()}
        self._scenes = {uid: _drawing(self._scenes.get(uid), figure) for uid, figure in figures.items()}
        pictures = self.watcher.pictures
        self._pictures = {uid: _drawing(self._pictures.get(uid), figure) for uid, figure in pictures.items()}

    def _is_away(self) -> bool:
        """While an animation plays, a render runs or a request is captured and sent, the machine is theirs."""
        session = self._session()
        return self.paused or playing() or rendering() or (session.submissions > 0 and session.link.name == "online")

    def _draw_view(self) -> None:
        context = bpy.context
        space, uid = context.space_data, context.scene.session_uid
        assert isinstance(space, bpy.types.SpaceView3D), "Blender draws with it where it was added"
        if not self._prepared:
            self._prepared = True
            prepare()
        through = space.camera if context.region_data.view_perspective == "CAMERA" else None
        if through is None or context.screen.is_animation_playing:
            return
        backdrop, drawing, scene = self._backdrop, self._scenes.get(uid), self.watcher.scenes.get(uid)
        if backdrop is not None and (backdrop.scene, backdrop.camera) == (uid, through.session_uid):
            backdrop.draw(frame_in_view(context, through))
        if drawing is None or scene is None or not space.overlay.show_overlays:
            return
        if through.session_uid == scene.camera:
            draw(drawing, frame_in_view(context, through))

    def _draw_editor(self) -> None:
        context = bpy.context
        space = context.space_data
        assert isinstance(space, bpy.types.SpaceImageEditor), "Blender draws with it where it was added"
        image = space.image if context.area.ui_type == EDITOR else None
        drawing = self._pictures.get(image.session_uid) if image is not None else None
        if drawing is not None and space.overlay.show_overlays:
            view = context.region.view2d
            left, bottom = view.view_to_region(0.0, 0.0, clip=False)
            right, top = view.view_to_region(1.0, 1.0, clip=False)
            draw(drawing, (left, top, right, bottom))


def _drawing(earlier: Drawing | None, figure: Figure) -> Drawing:
    return earlier if earlier is not None and earlier.figure is figure else prepared(figure)


def redraw_views() -> None:
    """Have the views drawn again that an overlay lies on."""
    for area in (area for window in bpy.context.window_manager.windows for area in window.screen.areas):
        for region in area.regions if area.ui_type == EDITOR or through_camera(area) else ():
            if region.type == "WINDOW":
                region.tag_redraw()


def _in_view(overlay: bool) -> tuple[SceneLayers, Mapping[int, bpy.types.Image]]:
    """The scenes whose regions our tab lists, and with an ``overlay`` those that some 3D View sees through their
    camera, and the images that some editor shows."""
    scenes, images = {}, {}
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            space = area.spaces.active
            if tab_open(area) or (overlay and through_camera(area)):
                scenes[window.scene.session_uid] = (window.scene, window.view_layer)
            if overlay and area.ui_type == EDITOR and isinstance(space, bpy.types.SpaceImageEditor) and space.image:
                images[space.image.session_uid] = space.image
    return scenes, images


def through_camera(area: bpy.types.Area) -> bool:
    """Whether it is a 3D View that looks through its camera, in one of its quarters at least."""
    space = area.spaces.active
    if not isinstance(space, bpy.types.SpaceView3D):
        return False
    return any(view.view_perspective == "CAMERA" for view in (space.region_3d, *space.region_quadviews))


def frame_in_view(context: bpy.types.Context, camera: bpy.types.Object) -> Rectangle:
    """Where a view that looks through ``camera`` has its frame, whatever its zoom, offset and lens shift."""
    pose, region, view = camera.matrix_world.normalized(), context.region, context.region_data
    assert region is not None and view is not None
    corners = [
        location_3d_to_region_2d(region, view, pose @ corner)
        for corner in camera_data(camera).view_frame(scene=context.scene)
    ]
    across, down = [corner.x for corner in corners], [corner.y for corner in corners]
    return min(across), max(down), max(across), min(down)


def register() -> None:
    """The artist's switches."""
    declare(
        bpy.types.WindowManager,
        OVERLAY,
        lambda: BoolProperty(
            name="Overlay",
            description="Show where the regions are to be, and where the picture has them",
            default=True,
        ),
    )
    declare(
        bpy.types.WindowManager,
        OVERLAY_PARTS,
        lambda: EnumProperty(
            name="Overlay Parts",
            description="What the overlay shows",
            items=PARTS,
            options={"ENUM_FLAG"},
            default={"TARGETS", "ACHIEVED", "WORDS"},
        ),
    )


def unregister() -> None:
    """Take them away again."""
    delattr(bpy.types.WindowManager, OVERLAY_PARTS)
    delattr(bpy.types.WindowManager, OVERLAY)
