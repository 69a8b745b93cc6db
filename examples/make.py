# SPDX-License-Identifier: MIT
"""Make the example scenes: `python examples/make.py` writes three .blend files beside this script.

Each is what an artist blocks out in five minutes: things of a few boxes, balls and cones in collections marked as
regions, an unmarked ground, a sun, a camera and a prompt.
"""

from collections.abc import Callable
from math import pi
from pathlib import Path

import bpy  # first: it brings the others with it

# isort: split
import bmesh
from mathutils import Euler, Matrix, Vector

from addon.regions.marks import mark
from addon.request.settings import PROMPT

HERE = Path(__file__).parent

Triple = tuple[float, float, float]
Collection = bpy.types.Collection

STONE, BRICK, WHITE, RED = (0.45, 0.44, 0.42), (0.5, 0.2, 0.13), (0.8, 0.8, 0.8), (0.6, 0.05, 0.04)
STEEL, DARK, WOOD, BLUE = (0.35, 0.4, 0.45), (0.05, 0.05, 0.06), (0.3, 0.15, 0.06), (0.1, 0.2, 0.4)
GRASS, SAND, SEA = (0.1, 0.25, 0.05), (0.55, 0.38, 0.18), (0.03, 0.15, 0.25)


def part(home: Collection, shape: str, place: Triple, size: Triple, colour: Triple, turn: Triple = (0, 0, 0)) -> None:
    """Add a box, ball, pipe or cone to ``home``: its middle, its whole size and its rotation (radians)."""
    body = bmesh.new()
    if shape == "box":
        bmesh.ops.create_cube(body, size=1.0)
    elif shape == "ball":
        bmesh.ops.create_uvsphere(body, u_segments=32, v_segments=16, radius=0.5)
    else:
        top = {"pipe": 0.5, "cone": 0.0}[shape]
        bmesh.ops.create_cone(body, cap_ends=True, segments=32, radius1=0.5, radius2=top, depth=1.0)
    bmesh.ops.transform(body, matrix=Matrix.Diagonal((*size, 1.0)), verts=body.verts)
    for face in body.faces:
        face.smooth = shape == "ball"
    mesh = bpy.data.meshes.new(shape)
    body.to_mesh(mesh)
    body.free()
    mesh.materials.append(paint(colour))
    thing = bpy.data.objects.new(f"{home.name} {shape}", mesh)
    thing.location, thing.rotation_euler = place, turn
    home.objects.link(thing)


def paint(colour: Triple) -> bpy.types.Material:
    """The plain material of a colour."""
    name = "plain " + " ".join(f"{part:.2f}" for part in colour)
    made = bpy.data.materials.get(name) or bpy.data.materials.new(name)
    if made.node_tree is None:
        made.use_nodes = True
    made.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (*colour, 1.0)
    made.diffuse_color = (*colour, 1.0)
    return made


def castle(home: Collection) -> None:
    """Four metres wide, three and a half high."""
    part(home, "box", (0, 0, 0.85), (2.6, 1.6, 1.7), STONE)
    part(home, "box", (0, -0.82, 0.5), (0.7, 0.1, 1.0), DARK)
    part(home, "box", (0, 0.3, 1.6), (1.1, 1.0, 3.2), STONE)
    part(home, "cone", (0, 0.3, 3.7), (1.5, 1.4, 1.0), BRICK)
    for x in (-1.5, 1.5):
        part(home, "pipe", (x, -0.3, 1.25), (1.0, 1.0, 2.5), STONE)
        part(home, "cone", (x, -0.3, 3.0), (1.3, 1.3, 1.0), BRICK)
    for x in (-0.85, 0.85):
        part(home, "box", (x, -0.65, 1.8), (0.25, 0.25, 0.3), STONE)


def rocket(home: Collection) -> None:
    """Four and a half metres high."""
    part(home, "pipe", (0, 0, 2.0), (1.5, 1.5, 2.6), WHITE)
    part(home, "cone", (0, 0, 4.0), (1.5, 1.5, 1.4), RED)
    part(home, "ball", (0, -0.65, 2.6), (0.7, 0.4, 0.7), BLUE)
    part(home, "cone", (0, 0, 0.5), (1.1, 1.1, 0.8), DARK)
    for x in (-1, 1):
        part(home, "box", (0.9 * x, 0, 0.8), (0.8, 0.2, 1.4), RED, (0, 0.35 * x, 0))


def whale(home: Collection) -> None:
    """Five metres long, afloat."""
    part(home, "ball", (-0.4, 0, 0.7), (4.0, 2.0, 2.2), BLUE)
    part(home, "ball", (-0.9, -0.2, 0.3), (2.8, 1.8, 1.3), WHITE)
    part(home, "cone", (1.8, 0, 1.2), (1.1, 0.9, 2.2), BLUE, (0, 1.0, 0))
    for y in (-1, 1):
        part(home, "ball", (2.8, 0.5 * y, 2.0), (0.9, 1.1, 0.3), BLUE, (0, -0.6, 0.6 * y))
    part(home, "ball", (-1.6, -0.85, 0.9), (0.25, 0.2, 0.25), DARK)


def sailboat(home: Collection) -> None:
    """Five metres high."""
    part(home, "ball", (0, 0, 0.4), (3.6, 1.3, 1.3), WOOD)
    part(home, "pipe", (0, 0, 2.7), (0.15, 0.15, 4.6), WOOD)
    part(home, "cone", (0.85, 0, 2.75), (2.3, 0.1, 3.6), WHITE, (0, 0.15, 0))
    part(home, "cone", (-0.7, 0, 2.4), (1.7, 0.1, 2.8), RED, (0, -0.1, 0))


def robot(home: Collection) -> None:
    """Three and a half metres high."""
    part(home, "box", (0, 0, 1.7), (1.5, 0.9, 1.5), STEEL)
    part(home, "box", (0, 0, 2.95), (1.1, 0.9, 0.8), STEEL)
    part(home, "pipe", (0, 0, 3.55), (0.12, 0.12, 0.5), DARK)
    part(home, "ball", (0, 0, 3.8), (0.25, 0.25, 0.25), RED)
    for x in (-1, 1):
        part(home, "ball", (0.25 * x, -0.45, 3.0), (0.25, 0.15, 0.25), BLUE)
        part(home, "box", (1.0 * x, 0, 1.7), (0.35, 0.4, 1.5), STEEL, (0, -0.15 * x, 0))
        part(home, "box", (0.4 * x, 0, 0.5), (0.5, 0.6, 1.0), STEEL)


def placed(
    scene: bpy.types.Scene, build: Callable[[Collection], None], place: Triple, turn: float, size: float
) -> None:
    """Build a thing in a collection of its own, marked as the region of its name, and set it down."""
    home = bpy.data.collections.new(build.__name__)
    scene.collection.children.link(home)
    build(home)
    mark(home)
    pose = Matrix.LocRotScale(Vector(place), Euler((0, 0, turn)), Vector((size, size, size)))
    for thing in home.objects:
        thing.matrix_world = pose @ Matrix.LocRotScale(thing.location, thing.rotation_euler, thing.scale)


def stage(width: int, height: int, prompt: str, ground: Triple) -> bpy.types.Scene:
    """An empty file with a ground, a sun, a sky, a prompt, and a camera that looks along +y from a little above."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = width, height
    scene.view_settings.view_transform = "Standard"  # AgX would repaint a projected picture
    scene[PROMPT] = prompt
    part(scene.collection, "box", (0, 40, -0.5), (200, 200, 1), ground)
    sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    sun.data.energy, sun.rotation_euler = 3.0, (0.7, 0.2, -0.5)
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.location, camera.rotation_euler = (0, -15, 3.2), (pi / 2 - 0.08, 0, 0)
    for thing in (sun, camera):
        scene.collection.objects.link(thing)
    scene.camera, scene.world = camera, sky()
    return scene


def sky() -> bpy.types.World:
    """A pale, even light from above."""
    world = bpy.data.worlds.new("Sky")
    if world.node_tree is None:
        world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.5, 0.65, 0.85, 1.0)
    return world


def save(name: str) -> None:
    """Write the file, opening on the camera's view."""
    for screen in bpy.data.screens:
        for area in (area for area in screen.areas if area.type == "VIEW_3D"):
            area.spaces.active.region_3d.view_perspective = "CAMERA"
    bpy.context.preferences.filepaths.save_version = 0  # no .blend1 beside it
    bpy.ops.wm.save_as_mainfile(filepath=str(HERE / name), compress=True)


def meadow() -> None:
    """16:9: a castle and a rocket on a meadow."""
    scene = stage(1920, 1080, "a castle and a rocket on a meadow", GRASS)
    placed(scene, castle, (-2.3, 1.0, 0), 0.25, 1.15)
    placed(scene, rocket, (2.9, 0, 0), 0.2, 1.05)
    save("meadow.blend")


def sea() -> None:
    """Square: a whale and a sailboat on the sea."""
    scene = stage(1080, 1080, "a whale and a sailboat on the sea", SEA)
    placed(scene, sailboat, (2.0, 2.5, 0), -0.2, 1.45)
    placed(scene, whale, (-1.5, -3.0, 0), 0.1, 1.1)
    save("sea.blend")


def desert() -> None:
    """Portrait: a rocket and a robot in the desert."""
    scene = stage(1080, 1920, "a rocket and a robot in the desert", SAND)
    scene.camera.location.z, scene.camera.rotation_euler.x = 3.8, pi / 2 - 0.05
    placed(scene, rocket, (-1.35, 3.0, 0), 0.1, 1.35)
    placed(scene, robot, (1.15, -0.5, 0), -0.25, 1.1)
    save("desert.blend")


if __name__ == "__main__":
    for make in (meadow, sea, desert):
        make()
