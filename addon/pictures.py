# SPDX-License-Identifier: GPL-3.0-or-later
"""Results in the scene: the picture as an image of the .blend, and the operators that put it to use or take it away.

The scene points at its current picture, and the picture carries the request it came from and the view it shows, so
that both survive saving, undo and the end of the server.
"""

from collections.abc import Callable
from math import floor

import bpy

from . import apply
from .apply import CAMERA, ENTRY, PICTURE, POSE, REQUEST
from .courier import notice
from .faults import CaptureError
from .notices import Notice
from .operators.answers import Status, refuse, settle
from .operators.picture import viewpoint
from .projectors import project
from .pump import desk
from .scene import unmoved
from .session import noticed

EDITOR = "IMAGE_EDITOR"  # as a ui_type; of the areas of that type, some are UV Editors


class Misfit(CaptureError):
    """The picture does not fit the scene as it stands."""

    code = "misfit"


class Displaced(Misfit):
    """The picture's camera stands elsewhere now."""

    code = "displaced"


class Show(bpy.types.Operator):
    """Show the picture in an Image Editor, beside this view when none is open"""

    bl_idname = "maquette.show"
    bl_label = "Show Picture"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and current(context.scene) is not None

    def execute(self, context: bpy.types.Context) -> Status:
        editor = next((area for area in context.screen.areas if area.ui_type == EDITOR), None) or _split(context.screen)
        if editor is None:
            fix = "Leave the maximised view (Ctrl Space) or make it larger, and try again."
            return refuse(self, Notice(message="An Image Editor has no room here.", fix=fix, code="no-editor"))
        _place(context.window, editor, current(context.scene))
        return {"FINISHED"}


class Background(bpy.types.Operator):
    """Show the picture over the scene when looking through its camera"""

    bl_idname = "maquette.background"
    bl_label = "Camera Background"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Status:
        return _put(self, context, lambda shot, camera, image: apply.background(camera, image))


class Project(bpy.types.Operator):
    """Paint the picture onto the regions' objects, as a slide projector in the camera's place would"""

    bl_idname = "maquette.project"
    bl_label = "Project onto Objects"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Status:
        done = _put(self, context, project)
        if "FINISHED" in done and context.area and context.area.type == "VIEW_3D" and not _shows(context.space_data):
            message, fix = "This view shows no materials, and so no projection.", "Material Preview does."
            desk().courier.move(noticed, Notice(message=message, fix=fix, code="unseen", warning=True))
        return done


class ShowMaterials(bpy.types.Operator):
    """Have this view show materials, and what is projected onto them"""

    bl_idname = "maquette.show_materials"
    bl_label = "Material Preview"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and context.area.type == "VIEW_3D"

    def execute(self, context: bpy.types.Context) -> Status:
        context.space_data.shading.type = "MATERIAL"
        return settle()


def current(scene: bpy.types.Scene) -> bpy.types.Image | None:
    """The scene's latest picture."""
    return scene.get(PICTURE)


def ours(image: bpy.types.Image | None) -> bool:
    """Whether an Image Editor showing this may show our next picture: it is empty, or has an earlier one."""
    return image is None or REQUEST in image


def outlived(notice: Notice, space: bpy.types.SpaceView3D) -> bool:
    """Whether it says of a view what is not so any more."""
    return notice.code == "unseen" and _shows(space)


def _shows(space: bpy.types.SpaceView3D) -> bool:
    """Whether a view shows materials as they are."""
    return space.shading.type in {"MATERIAL", "RENDERED"}


def take(scene: bpy.types.Scene, image: bpy.types.Image) -> None:
    """Make this the scene's current picture."""
    scene[PICTURE] = image
    apply.follow(scene, image.get(CAMERA), image)
    _show_where_ours_was(image)


def _show_where_ours_was(image: bpy.types.Image) -> None:
    """Image Editors that show nothing, or an earlier picture of ours, follow; the artist's own images stay."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            space = area.spaces.active
            if area.ui_type == EDITOR and not space.use_image_pin and ours(space.image):
                _place(window, area, image)


def _split(screen: bpy.types.Screen) -> bpy.types.Area | None:
    """A new Image Editor beside the area in use; None where there is no room, or one editor has the whole window."""
    before = {area.as_pointer() for area in screen.areas}
    if bpy.ops.screen.area_split.poll():
        bpy.ops.screen.area_split(direction="VERTICAL", factor=0.5)
    editor = next((area for area in screen.areas if area.as_pointer() not in before), None)
    if editor is not None:
        editor.ui_type = EDITOR
    return editor


def _place(window: bpy.types.Window, area: bpy.types.Area, image: bpy.types.Image) -> None:
    """Show the picture there: where the artist looked at one of that size, it is seen as that was; else it fills the
    editor. From 5.0 on Blender keeps for each image how it is seen, and a new one starts at a pixel a pixel.
    """
    space = area.spaces.active
    shown, zoom = space.image, space.zoom[0]
    if bpy.app.background:
        space.image = image
        return
    region = next(region for region in area.regions if region.type == "WINDOW")
    middle = region.view2d.region_to_view(region.width / 2, region.height / 2)
    space.image = image
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.image.view_all(fit_view=True)
        if shown is not None and tuple(shown.size) == tuple(image.size):
            bpy.ops.image.view_zoom_ratio(ratio=zoom)
            # in whole pixels: Blender 5 sees half a pixel past an offset, and picture by picture it would creep
            aside = ((place - 0.5) * side for place, side in zip(middle, image.size, strict=True))
            bpy.ops.image.view_pan(offset=[floor(pixels + 0.01) for pixels in aside])


def _put(
    operator: bpy.types.Operator,
    context: bpy.types.Context,
    put: Callable[[bpy.types.Scene, bpy.types.Object, bpy.types.Image], None],
) -> Status:
    """Put the scene's picture somewhere, unless it does not fit any more."""
    image = current(context.scene)
    try:
        put(context.scene, _camera(context, image), image)
    except CaptureError as error:
        return refuse(operator, notice(error))
    return {"FINISHED"}


def _camera(context: bpy.types.Context, image: bpy.types.Image | None) -> bpy.types.Object:
    """The camera the picture was seen through. Raises Misfit when it no longer stands there."""
    if image is None:
        raise Misfit("There is no picture yet.", "Press Generate first.")
    camera = image.get(CAMERA)
    if camera is None or camera.type != "CAMERA" or camera.name not in context.scene.objects:
        raise Misfit("The camera of this picture is gone.", "Generate again from another one.")
    now = viewpoint(context.scene, camera, context.evaluated_depsgraph_get()).pose
    if not unmoved(now, image[POSE]):
        message, fix = "The camera or its frame has changed since this picture.", "Put it back, or generate again."
        raise Displaced(message, fix, image[ENTRY]) if ENTRY in image else Misfit(message, fix)
    return camera


register, unregister = bpy.utils.register_classes_factory((Show, Background, Project, ShowMaterials))
