# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene's current picture, and Image Editors that show it; while one is painted they show its preview.

The scene points at its current picture, and the picture carries the request it came from and the view it shows, so
that both survive saving, undo and the end of the server.
"""

from collections.abc import Iterator
from contextlib import suppress
from math import floor

import bpy
from gpu_extras.presets import draw_texture_2d

from ..overlay.sheet_layout import Bounds, inscribed
from ..pictures.camera_background import follow
from ..pictures.image import CAMERA, PICTURE, REQUEST
from ..pictures.pixels import ImagePixels
from ..runtime.app import app
from ..runtime.windows import EDITOR


def current(scene: bpy.types.Scene) -> bpy.types.Image | None:
    """The scene's latest picture."""
    picture = scene.get(PICTURE)
    return picture if isinstance(picture, bpy.types.Image) else None


def ours(image: bpy.types.Image | None) -> bool:
    """Whether an Image Editor showing this may show our next picture: it is empty, or has an earlier one."""
    return image is None or image.get(REQUEST) is not None


def shows_materials(space: bpy.types.SpaceView3D) -> bool:
    """Whether a view shows materials as they are."""
    return space.shading.type in {"MATERIAL", "RENDERED"}


def take(scene: bpy.types.Scene, image: bpy.types.Image, pixels: ImagePixels) -> None:
    """Make this the scene's current picture."""
    scene[PICTURE] = image
    app().gallery.enlarge(image, pixels)
    follow(scene, image.get(CAMERA), image)
    replace_earlier(scene, image)


def replace_earlier(scene: bpy.types.Scene, image: bpy.types.Image) -> None:
    """Image Editors that show nothing, or an earlier picture of ours, follow; the artist's own images stay, and so do
    those in windows of another scene where some window shows this one."""
    editors = list(following_editors())
    own = [(window, area) for window, area in editors if window.scene == scene]
    has_window = any(window.scene == scene for window in bpy.context.window_manager.windows)
    for window, area in own if has_window else editors:
        show_in(window, area, image)


def following_editors() -> Iterator[tuple[bpy.types.Window, bpy.types.Area]]:
    """The Image Editors that show each new picture of ours."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            space = area.spaces.active
            if area.ui_type != EDITOR or not isinstance(space, bpy.types.SpaceImageEditor):
                continue
            if not space.use_image_pin and ours(space.image):
                yield window, area


def split_off(screen: bpy.types.Screen) -> bpy.types.Area | None:
    """A new Image Editor beside the area in use; None where there is no room, or one editor has the whole window."""
    before = {area.as_pointer() for area in screen.areas}
    with suppress(RuntimeError):  # Blender's word for no
        bpy.ops.screen.area_split(direction="VERTICAL", factor=0.5)
    editor = next((area for area in screen.areas if area.as_pointer() not in before), None)
    if editor is not None:
        editor.ui_type = EDITOR
    return editor


def show_in(window: bpy.types.Window, area: bpy.types.Area, image: bpy.types.Image) -> None:
    """Show the picture in an Image Editor: where the artist looked at one of that size, as that was looked at; else it
    fills the editor. From 5.0 on Blender keeps for each image how it is seen, and a new one starts at a pixel a pixel.
    """
    space = area.spaces.active
    assert isinstance(space, bpy.types.SpaceImageEditor)
    earlier, zoom = space.image, space.zoom[0]
    if bpy.app.background:
        space.image = image
        return
    region = next(region for region in area.regions if region.type == "WINDOW")
    middle = region.view2d.region_to_view(region.width / 2, region.height / 2)
    space.image = image
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.image.view_all(fit_view=True)
        if earlier is not None and tuple(earlier.size) == tuple(image.size):
            bpy.ops.image.view_zoom_ratio(ratio=zoom)
            # in whole pixels: Blender 5 sees half a pixel past an offset, and picture by picture it would creep
            offset = ((across - 0.5) * side for across, side in zip(middle, image.size, strict=True))
            bpy.ops.image.view_pan(offset=[floor(pixels + 0.01) for pixels in offset])


def painted_now() -> str:
    """The job whose preview is shown; "" for none."""
    preview = app().session.preview
    return "" if preview is None else preview.job


def register() -> None:
    """Draw in Image Editors from now on. In the background there are none."""
    if not bpy.app.background:
        app().drawing = bpy.types.SpaceImageEditor.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL")


def unregister() -> None:
    """Draw no more."""
    if app().drawing is not None:
        bpy.types.SpaceImageEditor.draw_handler_remove(app().drawing, "WINDOW")


def _draw() -> None:
    texture, space = app().preview_image.texture, bpy.context.space_data
    if texture is None or bpy.context.area.ui_type != EDITOR or not ours(space.image):
        return
    if space.image is not None and app().finished == (space.image.session_uid, painted_now()):
        return  # the artist asked for this one
    view = bpy.context.region.view2d
    left, bottom = view.view_to_region(0.0, 0.0, clip=False)
    right, top = view.view_to_region(1.0, 1.0, clip=False)
    place = inscribed(Bounds(left, bottom, right, top), texture.width / texture.height)
    draw_texture_2d(texture, (place.left, place.bottom), place.width, place.height)
