# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows where regions are to be, and where the picture has them, over the camera's view and over the picture.

A timer keeps up with what is in view; Blender's draw calls only draw what it has made ready.
"""

import bpy
from bpy.props import BoolProperty, EnumProperty
from bpy_extras.view3d_utils import location_3d_to_region_2d

from ..runtime.app import app
from ..runtime.timers import guarded
from ..runtime.windows import EDITOR, redraw
from .figure import Figure
from .gpu_drawing import PARTS, Drawing, Rectangle, draw, prepared
from .scene_watcher import Windows, live

QUICK, REST, ASLEEP = 0.001, 0.04, 0.25  # seconds to the next look: at work, with something in view, with nothing


class DrawHandlers:
    """The drawings of everything in view, and the hold on Blender's draw calls."""

    def __init__(self) -> None:
        self.scenes: dict[int, Drawing] = {}
        self.pictures: dict[int, Drawing] = {}
        self.handles = (
            (bpy.types.SpaceView3D, bpy.types.SpaceView3D.draw_handler_add(_draw_view, (), "WINDOW", "POST_PIXEL")),
            (
                bpy.types.SpaceImageEditor,
                bpy.types.SpaceImageEditor.draw_handler_add(_draw_editor, (), "WINDOW", "POST_PIXEL"),
            ),
        )

    def close(self) -> None:
        """Draw no more."""
        for space, handle in self.handles:
            space.draw_handler_remove(handle, "WINDOW")

    def renew(self) -> None:
        """Make batches of the figures that are new."""
        found = live()
        shown = {uid: shown.figure for uid, shown in found.scenes.items()}
        self.scenes = {uid: _kept(self.scenes.get(uid), figure) for uid, figure in shown.items()}
        self.pictures = {uid: _kept(self.pictures.get(uid), figure) for uid, figure in found.pictures.items()}


def _kept(drawing: Drawing | None, figure: Figure) -> Drawing:
    return drawing if drawing is not None and drawing.figure is figure else prepared(figure)


def _sheets() -> DrawHandlers:
    found: DrawHandlers = bpy.types.WindowManager.maquette_sheets
    return found


def _tick() -> float:
    return guarded(_look)


def _look() -> float:
    """Take the work in view a slice further; answers when to look again."""
    manager = bpy.context.window_manager
    found = live()
    if found.relist({window.scene.session_uid: (window.scene, window.view_layer) for window in manager.windows}):
        redraw()
    if not manager.maquette_overlay or _away():
        return ASLEEP
    looked_at, images = _in_view()
    if found.step(looked_at, images):
        _sheets().renew()
        _redraw_views()
    return QUICK if found.working else REST if looked_at else ASLEEP


def _redraw_views() -> None:
    """Have the views drawn again that an overlay lies on."""
    for area in (area for window in bpy.context.window_manager.windows for area in window.screen.areas):
        drawn_on = area.ui_type == EDITOR or (area.type == "VIEW_3D" and _through_camera(area.spaces.active))
        for region in area.regions if drawn_on else ():
            if region.type == "WINDOW":
                region.tag_redraw()


def _away() -> bool:
    """While an animation plays, a render runs or a request is captured and sent, the machine is theirs."""
    playing = any(window.screen.is_animation_playing for window in bpy.context.window_manager.windows)
    session = app().session
    return playing or bpy.app.is_job_running("RENDER") or (session.submissions > 0 and session.link.name == "online")


def _in_view() -> tuple[Windows, dict[int, bpy.types.Image]]:
    """The scenes that some 3D View sees through their camera, and the images that some editor shows."""
    scenes, images = {}, {}
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            space = area.spaces.active
            if area.type == "VIEW_3D" and _through_camera(space):
                scenes[window.scene.session_uid] = (window.scene, window.view_layer)
            elif area.ui_type == EDITOR and space.image is not None:
                images[space.image.session_uid] = space.image
    return scenes, images


def _through_camera(space: bpy.types.SpaceView3D) -> bool:
    return any(view.view_perspective == "CAMERA" for view in (space.region_3d, *space.region_quadviews))


def _draw_view() -> None:
    context = bpy.context
    space, camera = context.space_data, context.space_data.camera
    drawing = _sheets().scenes.get(context.scene.session_uid)
    shown = live().scenes.get(context.scene.session_uid)
    hidden = not space.overlay.show_overlays or context.region_data.view_perspective != "CAMERA"
    if drawing is None or shown is None or hidden or context.screen.is_animation_playing:
        return
    if camera is not None and camera.session_uid == shown.camera:
        draw(drawing, frame_in_view(context, camera))


def _draw_editor() -> None:
    context = bpy.context
    image = context.space_data.image if context.area.ui_type == EDITOR else None
    drawing = _sheets().pictures.get(image.session_uid) if image is not None else None
    if drawing is not None and context.space_data.overlay.show_overlays:
        view = context.region.view2d
        left, bottom = view.view_to_region(0.0, 0.0, clip=False)
        right, top = view.view_to_region(1.0, 1.0, clip=False)
        draw(drawing, (left, top, right, bottom))


def frame_in_view(context: bpy.types.Context, camera: bpy.types.Object) -> Rectangle:
    """Where a view that looks through ``camera`` has its frame, whatever its zoom, offset and lens shift."""
    pose = camera.matrix_world.normalized()
    corners = [
        location_3d_to_region_2d(context.region, context.region_data, pose @ corner)
        for corner in camera.data.view_frame(scene=context.scene)
    ]
    across, down = [corner.x for corner in corners], [corner.y for corner in corners]
    return min(across), max(down), max(across), min(down)


def register() -> None:
    """The switches; in a window the drawing, too."""
    bpy.types.WindowManager.maquette_overlay = BoolProperty(
        name="Overlay",
        description="Show where the regions are to be, and where the picture has them",
        default=True,
    )
    bpy.types.WindowManager.maquette_overlay_parts = EnumProperty(
        name="Overlay Parts",
        description="What the overlay shows",
        items=PARTS,
        options={"ENUM_FLAG"},
        default={"TARGETS", "ACHIEVED", "WORDS"},
    )
    if not bpy.app.background:
        bpy.types.WindowManager.maquette_sheets = DrawHandlers()
        bpy.app.timers.register(_tick, first_interval=REST, persistent=True)


def unregister() -> None:
    """Take everything away again."""
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
        _sheets().close()
        del bpy.types.WindowManager.maquette_sheets
    del bpy.types.WindowManager.maquette_overlay_parts
    del bpy.types.WindowManager.maquette_overlay
