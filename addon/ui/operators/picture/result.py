# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done with a finished picture: shown, laid behind the camera, projected."""

from collections.abc import Callable

import bpy

from ....camera.view import unmoved
from ....messages.errors import Displaced, Misfit, UserError
from ....messages.notice import Notice, notice
from ....pictures.camera_background import background
from ....pictures.image import CAMERA, ENTRY, POSE
from ....pictures.origin import viewpoint
from ....projection.projectors import project
from ....runtime.app import app
from ....runtime.windows import EDITOR
from ....session.reducer import notice_changed
from ...image_editor import _place, _shows, _split, current
from ..status import Status, refuse, settle


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
        return _put(self, context, lambda shot, camera, image: background(camera, image))


class Project(bpy.types.Operator):
    """Paint the picture onto the regions' objects, as a slide projector in the camera's place would"""

    bl_idname = "maquette.project"
    bl_label = "Project onto Objects"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Status:
        done = _put(self, context, project)
        if "FINISHED" in done and context.area and context.area.type == "VIEW_3D" and not _shows(context.space_data):
            message, fix = "This view shows no materials, and so no projection.", "Material Preview does."
            app().dispatcher.apply(notice_changed, Notice(message=message, fix=fix, code="unseen", warning=True))
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


def _put(
    operator: bpy.types.Operator,
    context: bpy.types.Context,
    put: Callable[[bpy.types.Scene, bpy.types.Object, bpy.types.Image], None],
) -> Status:
    """Put the scene's picture somewhere, unless it does not fit any more."""
    image = current(context.scene)
    try:
        put(context.scene, _camera(context, image), image)
    except UserError as error:
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


CLASSES = (Show, Background, Project, ShowMaterials)
