# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that give the scene a camera, or make its camera one that a capture can use."""

from dataclasses import replace

import bpy
from mathutils import Matrix, Vector

from ....camera.framing import frame_view
from ....camera.placement import hold, moved, pose_of
from ....camera.reader import camera_data, camera_of
from ....capture.reach import reach_behind
from ....capture.scene import owned
from ....messages.errors import LockedObject, NothingMarked
from ....raster.zbuffer import NOTHING
from ...context import Context, view_3d
from ..status import Status, refusing, settle

MARGIN = 1.1  # a fitted camera leaves this much room around the regions


class AddCamera(bpy.types.Operator):
    """Add a camera that sees what this view shows, make it the scene's, and look through it"""

    bl_idname = "maquette.add_camera"
    bl_label = "Camera from View"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        return view_3d(context) is not None

    def execute(self, context: Context) -> Status:
        space, scene = view_3d(context), context.scene
        assert space is not None and space.region_3d is not None, "poll lets no other area through"
        camera_data = bpy.data.cameras.new("Camera")
        camera = bpy.data.objects.new("Camera", camera_data)
        view, graph = space.region_3d, context.evaluated_depsgraph_get()
        behind = 0.0 if view.is_perspective else reach_behind(scene, graph, view.view_matrix)
        camera.matrix_world = frame_view(camera_data, scene, space, view, behind)
        scene.collection.objects.link(camera)
        scene.camera = camera
        space.region_3d.view_perspective = "CAMERA"
        return settle()


class FlattenCamera(bpy.types.Operator):
    """Make the scene's camera an ordinary perspective one"""

    bl_idname = "maquette.flatten_camera"
    bl_label = "Make It Perspective"
    bl_options = {"REGISTER", "UNDO"}

    @refusing
    def execute(self, context: Context) -> Status:
        camera = camera_of(context.scene)
        hold(camera, replace(pose_of(camera), type="PERSP"), context.view_layer)
        return settle()


class FitCamera(bpy.types.Operator):
    """Move the scene's camera, without turning it, until it sees every region"""

    bl_idname = "maquette.fit_camera"
    bl_label = "Fit Camera"
    bl_options = {"REGISTER", "UNDO"}

    @refusing
    def execute(self, context: Context) -> Status:
        depsgraph = context.evaluated_depsgraph_get()
        corners = _corners(context.scene, depsgraph)
        if not corners:
            fix = "Select objects and press Add Selected, or show those that are hidden."
            raise NothingMarked("There is no region in the view.", fix)
        middle = sum(corners, Vector()) / len(corners)
        roomy = [(middle + (corner - middle) * MARGIN).to_tuple() for corner in corners]
        camera = camera_of(context.scene)
        location, scale = camera.camera_fit_coords(depsgraph, [number for corner in roomy for number in corner])
        pose = Matrix.Translation(location) @ camera.matrix_world.to_3x3().to_4x4()
        hold(camera, moved(pose_of(camera), pose, scale), context.view_layer)
        return settle()


class ExtendClip(bpy.types.Operator):
    """Move the camera's Clip Start and Clip End, until every region that it looks at lies between them"""

    bl_idname = "maquette.extend_clip"
    bl_label = "Extend Clip"
    bl_options = {"REGISTER", "UNDO"}

    @refusing
    def execute(self, context: Context) -> Status:
        camera = camera_of(context.scene)
        if not camera.data.is_editable:
            raise LockedObject(f"{camera.name} belongs to another file.", "Make it local first.", camera.name)
        inverse, data = camera.matrix_world.normalized().inverted(), camera_data(camera)
        depths = [-(inverse @ corner).z for corner in _corners(context.scene, context.evaluated_depsgraph_get())]
        data.clip_end = max([data.clip_end, *(MARGIN * depth for depth in depths)])
        data.clip_start = min([data.clip_start, *(depth / MARGIN for depth in depths if depth > 0.0)])
        return settle()


def _corners(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> list[Vector]:
    """Of the boxes around everything that belongs to a region."""
    return [
        instance.matrix_world @ Vector(corner)
        for instance, _, owner in owned(scene, depsgraph)
        if owner != NOTHING and instance.object.type == "MESH"
        for corner in instance.object.bound_box
    ]


CLASSES = (AddCamera, FlattenCamera, FitCamera, ExtendClip)
