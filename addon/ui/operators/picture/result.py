# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done with a finished picture: shown, laid behind the camera, projected."""

from collections.abc import Callable

import bpy

from ....camera.view import unmoved
from ....messages import sentences
from ....messages.errors import Displaced, Misfit
from ....pictures.camera_background import background
from ....pictures.image import CAMERA, ENTRY, POSE
from ....pictures.origin import viewpoint
from ....projection.projectors import project
from ....runtime.app import app
from ....runtime.windows import EDITOR
from ...context import Context, view_3d
from ...image_editor import current, show_in, shows_materials, split_off
from ...sheet_views import uncover
from ..status import Status, refuse, refusing, say, settle


class Show(bpy.types.Operator):
    """Show the picture in an Image Editor, beside this view when none is open"""

    bl_idname = "maquette.show"
    bl_label = "Show Picture"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return context.area is not None and current(context.scene) is not None

    def execute(self, context: Context) -> Status:
        screen, image = context.screen, current(context.scene)
        assert image is not None, "as poll says"
        editor = next((area for area in screen.areas if area.ui_type == EDITOR), None) or split_off(screen)
        if editor is None:
            return refuse(self, sentences.no_editor())
        active = app().session.active
        app().finished = (image.session_uid, "" if active is None else active.job.id)
        uncover(editor)
        show_in(context.window, editor, image)
        return {"FINISHED"}


class Background(bpy.types.Operator):
    """Show the picture over the scene when looking through its camera"""

    bl_idname = "maquette.background"
    bl_label = "Camera Background"
    bl_options = {"REGISTER", "UNDO"}

    @refusing
    def execute(self, context: Context) -> Status:
        return _apply(context, lambda scene, camera, image: background(camera, image))


class Project(bpy.types.Operator):
    """Paint the picture onto the regions' objects, as a slide projector in the camera's place would"""

    bl_idname = "maquette.project"
    bl_label = "Project onto Objects"
    bl_options = {"REGISTER", "UNDO"}

    @refusing
    def execute(self, context: Context) -> Status:
        status = _apply(context, project)
        space = view_3d(context)
        if space is not None and not shows_materials(space):
            say(self, sentences.unseen())
        return status


class ShowMaterials(bpy.types.Operator):
    """Have this view show materials, and what is projected onto them"""

    bl_idname = "maquette.show_materials"
    bl_label = "Material Preview"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return view_3d(context) is not None

    def execute(self, context: Context) -> Status:
        space = view_3d(context)
        assert space is not None, "as poll says"
        space.shading.type = "MATERIAL"
        return settle()


def _apply(context: Context, apply: Callable[[bpy.types.Scene, bpy.types.Object, bpy.types.Image], object]) -> Status:
    """Put the scene's picture to use. Raises Misfit where it fits the scene no more, and what ``apply`` raises."""
    image = current(context.scene)
    if image is None:
        raise Misfit("There is no picture yet.", "Press Generate first.")
    apply(context.scene, _camera(context, image), image)
    return {"FINISHED"}


def _camera(context: Context, image: bpy.types.Image) -> bpy.types.Object:
    """The camera that the picture was seen through. Raises Misfit when it no longer stands there."""
    camera = image.get(CAMERA)
    if not isinstance(camera, bpy.types.Object) or camera.type != "CAMERA" or camera.name not in context.scene.objects:
        raise Misfit("The camera of this picture is gone.", "Generate again from another one.")
    pose = viewpoint(context.scene, camera, context.evaluated_depsgraph_get()).pose
    if not unmoved(pose, image[POSE]):
        message, fix = "The camera or its frame has changed since this picture.", "Put it back, or generate again."
        entry = image.get(ENTRY)
        raise Misfit(message, fix) if entry is None else Displaced(message, fix, entry)
    return camera


CLASSES = (Show, Background, Project, ShowMaterials)
