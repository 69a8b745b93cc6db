# SPDX-License-Identifier: MIT
"""The scene of the window's stories: a castle and a rocket of boxes on a plane, seen by the startup file's camera."""

import bpy

FLOOR = (0.25, 0.3, 0.2, 1.0)
SOLIDS = {"castle": (0.5, 0.5, 0.5, 1.0), "rocket": (0.6, 0.25, 0.2, 1.0)}

BOXES = {  # centres and half sizes
    "castle": [
        ((-1.2, 1.2, 1.0), (1.3, 0.5, 1.0)),
        ((-2.3, 1.2, 1.5), (0.4, 0.5, 1.5)),
        ((-0.1, 1.2, 1.5), (0.4, 0.5, 1.5)),
    ],
    "rocket": [
        ((1.8, -0.4, 1.3), (0.4, 0.4, 1.3)),
        ((1.8, -0.4, 2.8), (0.2, 0.2, 0.4)),
        ((1.8, -0.4, 0.3), (0.8, 0.15, 0.3)),
    ],
}


def build() -> None:
    """The scene, with castle and rocket selected."""
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    bpy.ops.mesh.primitive_plane_add(size=30.0)
    paint(bpy.context.object, FLOOR)
    for name, boxes in BOXES.items():
        solid(name, boxes)
    render, camera = bpy.context.scene.render, bpy.context.scene.camera
    render.resolution_x = render.resolution_y = 1080  # square, as the pictures are that Toybox knows best
    camera.location, camera.rotation_euler = (0.0, -11.0, 3.0), (1.4, 0.0, 0.0)
    for thing in bpy.context.scene.objects:
        thing.select_set(thing.name in SOLIDS)


def solid(name: str, boxes: list) -> None:
    """One object of several boxes: centres and half sizes."""
    parts = []
    for centre, half in boxes:
        bpy.ops.mesh.primitive_cube_add(size=2.0, location=centre, scale=half)
        parts.append(bpy.context.object)
    with bpy.context.temp_override(active_object=parts[0], selected_editable_objects=parts):
        bpy.ops.object.join()
    parts[0].name = name
    paint(parts[0], SOLIDS[name])


def paint(thing: bpy.types.Object, colour: tuple) -> None:
    """A plain material."""
    material = bpy.data.materials.new(thing.name)
    material.use_nodes = True
    material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = colour
    material.diffuse_color = colour
    thing.data.materials.append(material)


def boulder(triangles: int) -> None:
    """A dense ball on the floor, unmarked: what makes a capture heavy."""
    side = int((triangles / 2) ** 0.5)
    bpy.ops.mesh.primitive_uv_sphere_add(segments=side, ring_count=side, radius=0.6, location=(0.4, -2.5, 0.6))
    bpy.context.object.select_set(False)


def fingerprint() -> dict:
    """What no job may change: the number of data-blocks, what would be rendered and what was, who listens."""
    scene = bpy.context.scene
    counts = {name: len(getattr(bpy.data, name)) for name in dir(bpy.data) if hasattr(getattr(bpy.data, name), "new")}
    render = {name: str(getattr(scene.render, name)) for name in ("engine", "resolution_x", "resolution_y", "filepath")}
    things = {thing.name: (str(thing.matrix_world), thing.hide_render, thing.select_get()) for thing in scene.objects}
    result = bpy.data.images.get("Render Result")
    return {
        "counts": counts,
        "render": render,
        "things": things,
        "frame": scene.frame_current,
        "camera": scene.camera and scene.camera.name,
        "dirty": bpy.data.is_dirty,
        "rendered": result and (tuple(result.size), result.has_data),
        "handlers": {name: len(held) for name, held in handlers() if isinstance(held, list)},
    }


def handlers() -> list:
    """Blender's lists of callbacks, by name."""
    return [(name, getattr(bpy.app.handlers, name)) for name in dir(bpy.app.handlers)]


def changed(before: dict) -> list:
    """What is not as it was."""
    now = fingerprint()
    return [(name, str(before[name]), str(now[name])) for name in before if before[name] != now[name]]
