# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Views panel does: views on and off, looked through and taken away; the camera's background too."""

import bpy
from bpy.props import StringProperty

from ....camera.framing import half_frame
from ....camera.placement import carried, hold, moved, pose_of
from ....camera.reader import camera_data, camera_of
from ....messages.errors import ViewGone
from ....pictures import image
from ....pictures.camera_background import has_background, remove_background, shows_background
from ....projection.projectors import copy_lens, is_lit, is_on, light, projectors, remove_projectors, switch
from ....projection.view_transform import altering, show_as_is
from ...context import Context, view_3d
from ..status import Status, call, refusing, settle

SENSOR = 36.0  # millimetres of the viewport's imagined sensor, half of what it shows
MARGIN = 1.05  # of the viewport around a view's frame


class SwitchView(bpy.types.Operator):
    """Show or hide what this view projects; the views under it show instead"""

    bl_idname = "maquette.switch_view"
    bl_label = "Show View"
    bl_options = {"REGISTER", "UNDO"}

    uid: StringProperty(options={"HIDDEN"})

    @refusing
    def execute(self, context: Context) -> Status:
        projector = _projector(context, self.uid)
        switch(projector, not is_on(projector))
        return {"FINISHED"}


class RemoveView(bpy.types.Operator):
    """Take this view's projection away; the views under it show again, and at the bottom the objects' own materials"""

    bl_idname = "maquette.remove_view"
    bl_label = "Remove View"
    bl_options = {"REGISTER", "UNDO"}

    uid: StringProperty(options={"HIDDEN"})

    @refusing
    def execute(self, context: Context) -> Status:
        remove_projectors([_projector(context, self.uid)])
        return {"FINISHED"}


class LookThrough(bpy.types.Operator):
    """Look from where this was projected; the scene's camera stays. Ctrl-click brings the camera along"""

    bl_idname = "maquette.look_through"
    bl_label = "Look Through"

    uid: StringProperty(options={"HIDDEN"})

    @classmethod
    def poll(cls, context: Context) -> bool:
        return view_3d(context) is not None

    def invoke(self, context: Context, event: bpy.types.Event) -> Status:
        if event.ctrl:
            return call(BringCamera.bl_idname, "INVOKE_DEFAULT", True, uid=self.uid)
        return self.execute(context)

    @refusing
    def execute(self, context: Context) -> Status:
        projector, space = _projector(context, self.uid), view_3d(context)
        assert space is not None and space.region_3d is not None and context.area is not None, "as poll says"
        reach, view = _reach(projector, context.scene, context.area), space.region_3d
        if projector.data.type == "ORTHO":
            view.view_perspective, view.view_distance = "ORTHO", reach * space.lens / SENSOR
        else:
            view.view_perspective, space.lens = "PERSP", SENSOR / reach
        view.view_matrix = carried(projector).inverted()
        return {"FINISHED"}


class BringCamera(bpy.types.Operator):
    """Put the scene's camera where this view was projected from"""

    bl_idname = "maquette.bring_camera"
    bl_label = "Bring Camera"
    bl_options = {"REGISTER", "UNDO"}

    uid: StringProperty(options={"HIDDEN"})

    @refusing
    def execute(self, context: Context) -> Status:
        projector = _projector(context, self.uid)
        camera = camera_of(context.scene)
        hold(camera, moved(pose_of(projector), carried(projector)), context.view_layer)
        copy_lens(camera_data(projector), camera_data(camera))
        space = view_3d(context)
        if space is not None:
            space.region_3d.view_perspective = "CAMERA"
        return {"FINISHED"}


class LightProjections(bpy.types.Operator):
    """Have the scene's lights shine on what is projected, as a surface of those colours; or have it shine by itself,
    and look as the picture does"""

    bl_idname = "maquette.light_projections"
    bl_label = "Lit by the Scene"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        return bool(projectors(context.scene))

    def execute(self, context: Context) -> Status:
        light(context.scene, not is_lit(context.scene))
        return settle()


class ShowColours(bpy.types.Operator):
    """Set the scene's View Transform to Standard, under which projected pictures look as they do in the Image Editor"""

    bl_idname = "maquette.show_colours"
    bl_label = "Show Colours as They Are"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        return bool(altering(context.scene))

    def execute(self, context: Context) -> Status:
        show_as_is(context.scene)
        return settle()


class RemoveBackground(bpy.types.Operator):
    """Take the picture out of the camera's view; what is projected stays"""

    bl_idname = "maquette.remove_background"
    bl_label = "Remove Background"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        return has_background(context.scene.camera)

    def execute(self, context: Context) -> Status:
        assert context.scene.camera is not None, "it has a background, poll says"
        remove_background(context.scene.camera)
        return {"FINISHED"}


class RemoveResults(bpy.types.Operator):
    """Take the camera background and every view away; every object gets its own materials back"""

    bl_idname = "maquette.remove_results"
    bl_label = "Remove All"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        return shows_background(context.scene) or bool(projectors(context.scene))

    def execute(self, context: Context) -> Status:
        image.remove(context.scene)
        return settle()


def _projector(context: Context, uid: str) -> bpy.types.Object:
    """The scene's projector of that session id. Raises ViewGone."""
    projector = next((one for one in projectors(context.scene) if str(one.session_uid) == uid), None)
    if projector is None:
        raise ViewGone()
    return projector


def _reach(projector: bpy.types.Object, scene: bpy.types.Scene, area: bpy.types.Area) -> float:
    """How far the longer side of a viewport reaches from its middle, at a distance of 1 (orthographic: anywhere), when
    the projector's frame just fits between what may lie on it."""
    half = half_frame(camera_data(projector), scene)
    viewport = next(region for region in area.regions if region.type == "WINDOW")
    sidebar = max(region.width for region in area.regions if region.type == "UI")  # it may lie on the viewport
    width = max(viewport.width - 2 * sidebar, viewport.width / 3)
    return max(half.x / width, half.y / viewport.height) * max(viewport.width, viewport.height) * MARGIN


CLASSES = (
    SwitchView,
    RemoveView,
    LookThrough,
    BringCamera,
    LightProjections,
    ShowColours,
    RemoveBackground,
    RemoveResults,
)
