# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scene shows of the pictures: the camera's background, and the projected views, newest on top."""

import bpy

from ...pictures.camera_background import FOLLOW, has_background, shows_background
from ...pictures.image import ENTRY
from ...projection.keys import PROJECTOR
from ...projection.projectors import is_lit, is_on, projectors
from ...projection.view_transform import altering
from ...runtime.app import app
from ..context import Context
from ..image_editor import current
from .messages import section_notice
from .widgets import Tab, paragraph


class MAQUETTE_PT_views(Tab, bpy.types.Panel):
    """What the scene shows of the pictures, and how each comes off."""

    bl_label = "In the Scene"
    bl_parent_id = "MAQUETTE_PT_main"

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Once there is a picture, in the scene or behind a camera; an older Maquette's projection is known by nothing
        else."""
        scene = context.scene
        return current(scene) is not None or bool(projectors(scene)) or shows_background(scene)

    def draw(self, context: Context) -> None:
        """The button that takes everything away, the background, a row for each view; what can be done with them."""
        scene, column = context.scene, self.layout.column(align=True)
        column.operator("maquette.remove_results", icon="TRASH")
        if has_background(scene.camera):
            row = column.row(align=True)
            row.label(text="Background", icon="CAMERA_DATA")
            row.prop(scene, FOLLOW, toggle=True)
            row.operator("maquette.remove_background", text="", icon="X")
        for projector in reversed(projectors(scene)):
            self._row(column.row(align=True), projector)
        if projectors(scene):
            lit = is_lit(scene)
            self.layout.operator("maquette.light_projections", icon="LIGHT_SUN" if lit else "LIGHT", depress=lit)
            self.layout.operator("maquette.generate", text="Paint the Rest from Here", icon="BRUSH_DATA").match = True
        self.layout.operator("maquette.paint_views", icon="OUTLINER_OB_CAMERA")
        if projectors(scene):
            self._bake()
        self._colours(context)
        section_notice(self, "views", context)

    def _bake(self) -> None:
        """The button, or that it is under way and the one that stops it."""
        row = self.layout.row(align=True)
        if app().is_baking:
            row.label(text="Baking", icon="RENDER_STILL")
            row.operator("maquette.stop_bake", text="", icon="CANCEL")
        else:
            row.operator("maquette.bake", icon="RENDER_STILL")

    def _colours(self, context: Context) -> None:
        """Why projected pictures look otherwise than in the Image Editor, and the button that mends it."""
        why = altering(context.scene)
        if why and any(is_on(projector) for projector in projectors(context.scene)):
            column = self.layout.column(align=True)
            paragraph(column, f"The view shows their colours through {why}, the Image Editor as they are.", context)
            column.operator("maquette.show_colours", icon="COLOR")

    def _row(self, row: bpy.types.UILayout, projector: bpy.types.Object) -> None:
        uid, on = str(projector.session_uid), is_on(projector)
        row.operator("maquette.switch_view", text="", icon="HIDE_OFF" if on else "HIDE_ON", emboss=False).uid = uid
        named = row.row(align=True)
        named.active = on
        picture = projector[PROJECTOR]["picture"]
        icon = app().gallery.icon(picture.get(ENTRY, "")) if picture is not None else 0
        if not icon and picture is not None and picture.preview is not None:
            icon = picture.preview.icon_id
        if icon:
            named.label(text="", icon_value=icon)
        named.prop(projector, "name", text="")
        row.operator("maquette.look_through", text="", icon="VIEW_CAMERA").uid = uid
        row.operator("maquette.remove_view", text="", icon="X").uid = uid
