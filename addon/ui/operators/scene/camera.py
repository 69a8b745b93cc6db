# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that give the scene a camera, or make its camera one that a capture can use."""

from dataclasses import replace

import bpy
from mathutils import Matrix, Vector

from ....camera.framing import frame_view
from ....camera.placement import hold, placed, seen_from
from ....camera.reader import camera_of
from ....capture.scene import owned
from ....messages.errors import UserError
from ....messages.notice import Notice, notice
from ....raster.zbuffer import NOTHING
from ..status import Status, refuse, settle


class AddCamera(bpy.types.Operator):
    """Add a camera that sees what this view shows, and make it the scene's"""

    bl_idname = "maquette.add_camera"
    bl_label = "Camera from View"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        # the sidebar, where the button is, has no region_data; its view does
        return context.area is not None and context.area.type == "VIEW_3D"

    def execute(self, context: bpy.types.Context) -> Status:
        eye = bpy.data.cameras.new("Camera")
        camera = bpy.data.objects.new("Camera", eye)
        camera.matrix_world = frame_view(eye, context.scene, context.space_data, context.space_data.region_3d)
        context.scene.collection.objects.link(camera)
        context.scene.camera = camera
        return settle()


MARGIN = 1.1  # a fitted camera leaves this much room around the regions


class FlattenCamera(bpy.types.Operator):
    """Make the scene's camera an ordinary perspective one"""

    bl_idname = "maquette.flatten_camera"
    bl_label = "Make It Perspective"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Status:
        try:
            camera = camera_of(context.scene)
            hold(camera, replace(seen_from(camera), type="PERSP"), context.view_layer)
        except UserError as error:
            return refuse(self, notice(error))
        return settle()


class FitCamera(bpy.types.Operator):
    """Move the scene's camera, without turning it, until it sees every region"""

    bl_idname = "maquette.fit_camera"
    bl_label = "Fit Camera"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Status:
        shot, graph = context.scene, context.evaluated_depsgraph_get()
        corners = _corners(shot, graph)
        if not corners:
            fix = "Select objects and press Add Selected, or show those that are hidden."
            return refuse(self, Notice(message="There is no region in the view.", fix=fix, code="nothing-marked"))
        middle = sum(corners, Vector()) / len(corners)
        roomy = [middle + (corner - middle) * MARGIN for corner in corners]
        try:
            camera = camera_of(shot)
            place, scale = camera.camera_fit_coords(graph, [number for corner in roomy for number in corner])
            fit = Matrix.Translation(place) @ camera.matrix_world.to_3x3().to_4x4()
            hold(camera, placed(seen_from(camera), fit, scale), context.view_layer)
        except UserError as error:
            return refuse(self, notice(error))
        return settle()


def _corners(shot: bpy.types.Scene, graph: bpy.types.Depsgraph) -> list[Vector]:
    """Of the boxes around everything that belongs to a region."""
    return [
        instance.matrix_world @ Vector(corner)
        for instance, _, owner in owned(shot, graph)
        if owner != NOTHING and instance.object.type == "MESH"
        for corner in instance.object.bound_box
    ]


CLASSES = (AddCamera, FlattenCamera, FitCamera)
