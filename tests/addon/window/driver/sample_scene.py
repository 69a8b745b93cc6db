# SPDX-License-Identifier: MIT
"""The scene of the window's scenarios: the examples' castle and rocket, each one object, seen by a square camera."""

import gc
from collections.abc import Callable

import bpy
from mathutils import Euler, Matrix, Vector

from examples import make
from tests.addon.hosts import sample_scenes

FLOOR = (0.1, 0.25, 0.05, 1.0)
SOLIDS = ("castle", "rocket")


def build() -> None:
    """The scene, with castle and rocket selected."""
    scene = bpy.context.scene
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    bpy.ops.mesh.primitive_plane_add(size=60.0)
    paint(bpy.context.object, FLOOR)
    solid(make.castle, (-1.7, 1.2, 0.0), 0.2, 1.0)
    solid(make.rocket, (2.3, -0.2, 0.0), 0.2, 0.9)
    scene.render.resolution_x = scene.render.resolution_y = 1080  # square, as the pictures are that Toybox knows best
    scene.view_settings.view_transform = "Standard"  # AgX would repaint a projected picture
    scene.camera.location, scene.camera.rotation_euler = (0.0, -12.0, 3.0), (1.42, 0.0, 0.0)
    for obj in scene.objects:
        obj.select_set(obj.name in SOLIDS)


def solid(shape: Callable, location: tuple, turn: float, size: float) -> None:
    """One object of all the parts that an example's thing has."""
    collection = bpy.context.collection
    before = set(collection.objects)
    shape(collection)
    bpy.context.view_layer.update()
    parts = [obj for obj in collection.objects if obj not in before]
    pose = Matrix.LocRotScale(Vector(location), Euler((0.0, 0.0, turn)), Vector((size, size, size)))
    for obj in parts:
        obj.matrix_world = pose @ obj.matrix_world
    with bpy.context.temp_override(active_object=parts[0], selected_editable_objects=parts):
        bpy.ops.object.join()
    parts[0].name = shape.__name__


def paint(obj: bpy.types.Object, colour: tuple) -> None:
    """A plain material."""
    material = bpy.data.materials.new(obj.name)
    material.use_nodes = True
    material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = colour
    material.diffuse_color = colour
    obj.data.materials.append(material)


def boulder(triangles: int) -> None:
    """A dense ball on the floor, unmarked: what makes a capture heavy."""
    side = int((triangles / 2) ** 0.5)
    bpy.ops.mesh.primitive_uv_sphere_add(segments=side, ring_count=side, radius=0.6, location=(0.4, -2.5, 0.6))
    bpy.context.object.select_set(False)


def handlers() -> list:
    """Blender's lists of callbacks, by name."""
    return [(name, getattr(bpy.app.handlers, name)) for name in dir(bpy.app.handlers)]


def fingerprint() -> dict:
    """Everything in the file; what taking it leaves behind is cleared away, or it would be in the add-on's time."""
    bpy.context.view_layer.update()  # after an undo some of it is as it was only then
    state = sample_scenes.fingerprint()
    gc.collect()
    return state


def changed(before: dict) -> list:
    """What is not as it was, each cut short."""
    now = fingerprint()
    keys = (key for key in before | now if before.get(key) != now.get(key))
    return [(str(key), str(before.get(key))[:80], str(now.get(key))[:80]) for key in keys]
