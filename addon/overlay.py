# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws where regions are to be, and where the picture has them, over the camera's view and over the picture.

Drawing only draws: figures are made into batches by the timer, and lie in fractions of the frame, so that zooming and
panning a view is one matrix.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import blf
import bpy
import gpu
import numpy as np
from bpy.props import BoolProperty, EnumProperty
from bpy_extras.view3d_utils import location_3d_to_region_2d
from gpu_extras.batch import batch_for_shader

from .figures import Figure, Stroke, Words
from .live import Windows, live
from .pump import desk, guarded, redraw

QUICK, REST, ASLEEP = 0.001, 0.04, 0.25  # seconds to the next look: at work, with something in view, with nothing
DARK = (0.0, 0.0, 0.0, 0.6)
EDGE = 2.5  # pixels that the dark under a line is wider than the line
PLATE = (0.0, 0.0, 0.0, 0.55)
PALE = 0.55  # of white in the letters of a colour
LETTERS, MARGIN = 11.0, 4.0  # size of letters and space around them in pixels, before the interface's scale

Colour = tuple[float, float, float, float]
Rectangle = tuple[float, float, float, float]  # left, top, right, bottom in a region's pixels


@dataclass(frozen=True)
class Line:
    """A stroke on the graphics card."""

    batch: gpu.types.GPUBatch
    colour: Colour
    width: float


@dataclass(frozen=True)
class Drawing:
    """A figure, ready to be drawn."""

    figure: Figure
    targets: tuple[Line, ...]
    achieved: tuple[Line, ...]
    words: tuple[tuple[Words, Colour], ...]
    plate: gpu.types.GPUBatch


class Sheets:
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


def prepared(figure: Figure) -> Drawing:
    """A figure as batches in the colours of the artist's theme."""
    theme = bpy.context.preferences.themes[0].collection_color
    colours = [(*theme[place].color, 1.0) for place in figure.colours]
    return Drawing(
        figure,
        tuple(_line(stroke, colours[stroke.region]) for stroke in figure.targets),
        tuple(_line(stroke, colours[stroke.region]) for stroke in figure.achieved),
        tuple((words, _paler(colours[words.region])) for words in figure.words),
        batch_for_shader(
            gpu.shader.from_builtin("UNIFORM_COLOR"), "TRI_STRIP", {"pos": ((0, 0), (1, 0), (0, 1), (1, 1))}
        ),
    )


def _paler(colour: Colour) -> Colour:
    red, green, blue = (PALE + (1.0 - PALE) * part for part in colour[:3])
    return red, green, blue, 1.0


def _line(stroke: Stroke, colour: Colour) -> Line:
    points = np.zeros((stroke.segments.size // 2, 3), dtype=np.float32)
    points[:, :2] = stroke.segments.reshape(-1, 2)
    return Line(batch_for_shader(_shader(), "LINES", {"pos": points}), colour, stroke.width)


def _shader() -> gpu.types.GPUShader:
    return gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")


def _sheets() -> Sheets:
    found: Sheets = bpy.types.WindowManager.maquette_sheets
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
        drawn_on = area.type == "IMAGE_EDITOR" or (area.type == "VIEW_3D" and _through_camera(area.spaces.active))
        for region in area.regions if drawn_on else ():
            if region.type == "WINDOW":
                region.tag_redraw()


def _away() -> bool:
    """While an animation plays, a render runs or a request is captured and sent, the machine is theirs."""
    playing = any(window.screen.is_animation_playing for window in bpy.context.window_manager.windows)
    return playing or bpy.app.is_job_running("RENDER") or desk().session.sending > 0


def _in_view() -> tuple[Windows, dict[int, bpy.types.Image]]:
    """The scenes that some 3D View sees through their camera, and the images that some editor shows."""
    scenes, images = {}, {}
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            space = area.spaces.active
            if area.type == "VIEW_3D" and _through_camera(space):
                scenes[window.scene.session_uid] = (window.scene, window.view_layer)
            elif area.type == "IMAGE_EDITOR" and space.image is not None:
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
        _draw(drawing, frame_in_view(context, camera))


def _draw_editor() -> None:
    context = bpy.context
    image = context.space_data.image
    drawing = _sheets().pictures.get(image.session_uid) if image is not None else None
    if drawing is not None and context.space_data.overlay.show_overlays:
        view = context.region.view2d
        left, bottom = view.view_to_region(0.0, 0.0, clip=False)
        right, top = view.view_to_region(1.0, 1.0, clip=False)
        _draw(drawing, (left, top, right, bottom))


def frame_in_view(context: bpy.types.Context, camera: bpy.types.Object) -> Rectangle:
    """Where a view that looks through ``camera`` has its frame, whatever its zoom, offset and lens shift."""
    pose = camera.matrix_world.normalized()
    corners = [
        location_3d_to_region_2d(context.region, context.region_data, pose @ corner)
        for corner in camera.data.view_frame(scene=context.scene)
    ]
    across, down = [corner.x for corner in corners], [corner.y for corner in corners]
    return min(across), max(down), max(across), min(down)


def _draw(drawing: Drawing, frame: Rectangle) -> None:
    manager = bpy.context.window_manager
    if not manager.maquette_overlay:
        return
    parts, scale = manager.maquette_overlay_parts, bpy.context.preferences.system.ui_scale
    lines = [*(drawing.targets if "TARGETS" in parts else ()), *(drawing.achieved if "ACHIEVED" in parts else ())]
    left, top, right, bottom = frame
    gpu.state.blend_set("ALPHA")
    with gpu.matrix.push_pop():
        gpu.matrix.translate((left, top))
        gpu.matrix.scale((right - left, bottom - top))
        for line in lines:
            _stroke(line, DARK, (line.width + EDGE) * scale)
        for line in lines:
            _stroke(line, line.colour, line.width * scale)
    if "WORDS" in parts:
        _write(drawing, frame, scale)
    gpu.state.blend_set("NONE")


def _stroke(line: Line, colour: Colour, width: float) -> None:
    shader, viewport = _shader(), gpu.state.viewport_get()
    shader.bind()
    shader.uniform_float("viewportSize", viewport[2:])
    shader.uniform_float("lineWidth", width)
    shader.uniform_float("color", colour)
    line.batch.draw(shader)


def _write(drawing: Drawing, frame: Rectangle, scale: float) -> None:
    """Labels on dark plates, each under its region's middle; one that would lie on another moves down."""
    blf.size(0, LETTERS * scale)
    plates: list[Rectangle] = []
    for words, colour in drawing.words:
        plates.append(_plate(words, frame, scale, plates))
        left, top, right, bottom = plates[-1]
        with gpu.matrix.push_pop():
            gpu.matrix.translate((left, bottom))
            gpu.matrix.scale((right - left, top - bottom))
            _fill(drawing.plate, PLATE)
        blf.color(0, *colour)
        blf.position(0, left + MARGIN * scale, bottom + MARGIN * scale, 0.0)
        blf.draw(0, words.text)


def _plate(words: Words, frame: Rectangle, scale: float, taken: Sequence[Rectangle]) -> Rectangle:
    left, top, right, bottom = frame
    wide, high = (side / 2 + MARGIN * scale for side in (blf.dimensions(0, words.text)[0], LETTERS * scale * 0.75))
    x, y = left + words.place[0] * (right - left), top + words.place[1] * (bottom - top)
    x = max(left + wide, min(x, right - wide))
    for other in sorted(taken, key=lambda plate: -plate[1]):
        beside = other[0] > x + wide or other[2] < x - wide
        if not beside and other[3] < y + high and y - high < other[1]:
            y = other[3] - high - 1.0
    return x - wide, y + high, x + wide, y - high


def _fill(batch: gpu.types.GPUBatch, colour: Colour) -> None:
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    shader.bind()
    shader.uniform_float("color", colour)
    batch.draw(shader)


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
        items=[
            ("TARGETS", "Targets", "Outlines and middles of the blocks", 1),
            ("ACHIEVED", "Achieved", "Dashed, what the picture shows", 2),
            ("WORDS", "Offsets", "Names, and how far the picture is off, in per cent of the frame's diagonal", 4),
        ],
        options={"ENUM_FLAG"},
        default={"TARGETS", "ACHIEVED", "WORDS"},
    )
    if not bpy.app.background:
        bpy.types.WindowManager.maquette_sheets = Sheets()
        bpy.app.timers.register(_tick, first_interval=REST, persistent=True)


def unregister() -> None:
    """Take everything away again."""
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
        _sheets().close()
        del bpy.types.WindowManager.maquette_sheets
    del bpy.types.WindowManager.maquette_overlay_parts
    del bpy.types.WindowManager.maquette_overlay
