# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Views panel does: views on and off, looked through and taken away; the camera's background too."""

import bpy
from bpy.props import StringProperty

from ....camera.framing import half_frame
from ....camera.placement import hold, placed, seen_from
from ....camera.reader import camera_of
from ....messages.errors import UserError
from ....messages.notice import Notice, notice
from ....pictures import image
from ....pictures.camera_background import has_background, remove_background
from ....projection.projectors import copy_lens, is_on, projectors, switch, take_down
from ..status import Status, refuse

SENSOR = 36.0  # millimetres of the viewport's imagined sensor, half of what it shows
MARGIN = 1.05  # of the viewport around a view's frame
GONE = Notice(
    message="There is no such view in this scene any more.",
    fix="The list shows those that there are.",
    code="view-gone",
)


class SwitchView(bpy.types.Operator):
    """Show or hide what this view projects; the views under it show instead"""

    bl_idname = "maquette.switch_view"
    bl_label = "Show View"
    bl_options = {"REGISTER", "UNDO"}

    uid: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        projector = _projector(context, self.uid)
        if projector is None:
            return refuse(self, GONE)
        switch(projector, not is_on(projector))
        return {"FINISHED"}


class RemoveView(bpy.types.Operator):
    """Take this view's projection away; the views under it show again, and at the bottom the objects' own materials"""

    bl_idname = "maquette.remove_view"
    bl_label = "Remove View"
    bl_options = {"REGISTER", "UNDO"}

    uid: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        projector = _projector(context, self.uid)
        if projector is None:
            return refuse(self, GONE)
        take_down(projector)
        return {"FINISHED"}


class LookThrough(bpy.types.Operator):
    """Look from where this was projected; the scene's camera stays. Ctrl-click brings the camera along"""

    bl_idname = "maquette.look_through"
    bl_label = "Look Through"

    uid: StringProperty(options={"HIDDEN"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and context.area.type == "VIEW_3D"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        if event.ctrl:
            return bpy.ops.maquette.bring_camera("INVOKE_DEFAULT", True, uid=self.uid)
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> Status:
        projector, space = _projector(context, self.uid), context.space_data
        if projector is None:
            return refuse(self, GONE)
        region = next(region for region in context.area.regions if region.type == "WINDOW")
        half = half_frame(projector.data, context.scene)
        beside = max(other.width for other in context.area.regions if other.type == "UI")  # it may lie on the view
        across = max(region.width - 2 * beside, region.width / 3)
        reach = max(half.x / across, half.y / region.height) * max(region.width, region.height) * MARGIN
        look = space.region_3d
        if projector.data.type == "ORTHO":
            look.view_perspective, look.view_distance = "ORTHO", reach * space.lens / SENSOR
        else:
            look.view_perspective, space.lens = "PERSP", SENSOR / reach
        look.view_matrix = projector.matrix_basis.inverted()
        return {"FINISHED"}


class BringCamera(bpy.types.Operator):
    """Put the scene's camera where this view was projected from"""

    bl_idname = "maquette.bring_camera"
    bl_label = "Bring Camera"
    bl_options = {"REGISTER", "UNDO"}

    uid: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        projector = _projector(context, self.uid)
        if projector is None:
            return refuse(self, GONE)
        try:
            camera = camera_of(context.scene)
            hold(camera, placed(seen_from(projector), projector.matrix_basis), context.view_layer)
        except UserError as error:
            return refuse(self, notice(error))
        copy_lens(projector.data, camera.data)
        if context.area is not None and context.area.type == "VIEW_3D":
            context.space_data.region_3d.view_perspective = "CAMERA"
        return {"FINISHED"}


class RemoveBackground(bpy.types.Operator):
    """Take the picture out of the camera's view; what is projected stays"""

    bl_idname = "maquette.remove_background"
    bl_label = "Remove Background"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Status:
        remove_background(context.scene.camera)
        return {"FINISHED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_background(context.scene.camera)


class RemoveResults(bpy.types.Operator):
    """Take the camera background and every view away; every object gets its own materials back"""

    bl_idname = "maquette.remove_results"
    bl_label = "Remove All"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_background(context.scene.camera) or bool(projectors(context.scene))

    def execute(self, context: bpy.types.Context) -> Status:
        image.remove(context.scene)
        return {"FINISHED"}


def _projector(context: bpy.types.Context, uid: str) -> bpy.types.Object | None:
    return next((projector for projector in projectors(context.scene) if str(projector.session_uid) == uid), None)


CLASSES = (SwitchView, RemoveView, LookThrough, BringCamera, RemoveBackground, RemoveResults)
