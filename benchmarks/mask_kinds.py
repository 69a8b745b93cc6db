# SPDX-License-Identifier: MIT
"""What the view and Exact make of kinds of scene that a rasteriser of meshes knows little of: fog, hair, displacement,
moving objects, scattered instances. The reference is the alpha of a Cycles render of the region alone, without fog and
with motion blur off."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import bpy
import numpy as np
from PIL import Image

from addon.capture.masks import region_mask
from addon.capture.scene import Look, capture
from addon.capture.snapshot import develop
from addon.compat import ensure_nodes
from addon.cooperative import finish
from addon.exact.capture import exactly, render_layers
from addon.regions.listing import palette_of, rows
from addon.regions.marks import mark
from addon.regions.render_differences import RenderDifferences
from addon.request.settings import Settings
from benchmarks.sheet import Coverage, grid, mask_image
from benchmarks.stress import sphere

SIDE, SAMPLES, RINGS = 256, 256, 48
BALL = "ball"


@dataclass(frozen=True)
class KindAgreement:
    """Overlaps of the ``view``'s capture and of Exact's with the reference; and what the panel says of the view."""

    view: float
    exact: float
    words: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class KindMasks:
    """The masks themselves, the ``reference`` first, and the words."""

    reference: Coverage
    view: Coverage
    exact: Coverage
    words: tuple[str, ...]

    def agreement(self) -> KindAgreement:
        """How far they agree."""
        return KindAgreement(_overlap(self.view, self.reference), _overlap(self.exact, self.reference), self.words)


def plain() -> bpy.types.Scene:
    """A ball that is a region, and a wall that hides a part of it."""
    scene = sphere(RINGS, 1.5)
    scene.render.resolution_x = scene.render.resolution_y = SIDE
    mark(scene.objects[BALL])
    return scene


def fog() -> bpy.types.Scene:
    """A world full of it."""
    scene = plain()
    scene.world = world = bpy.data.worlds.new("fog")
    if world.node_tree is None:
        world.use_nodes = True
    tree = world.node_tree
    assert tree is not None, "it has nodes"
    _volume(tree, "ShaderNodeOutputWorld", 0.1)
    return scene


def mist() -> bpy.types.Scene:
    """A box of it around everything."""
    scene = plain()
    material = _material("mist")
    assert material.node_tree is not None, "it has nodes"
    for node in [node for node in material.node_tree.nodes if node.bl_idname != "ShaderNodeOutputMaterial"]:
        material.node_tree.nodes.remove(node)
    _volume(material.node_tree, "ShaderNodeOutputMaterial", 0.1)
    data = bpy.data.meshes.new("mist")
    corners = [(x, y, z) for x in (-30, 30) for y in (-30, 30) for z in (-30, 30)]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    data.from_pydata(corners, [], faces)
    data.materials.append(material)
    _link(scene, "mist", data)
    return scene


def hair() -> bpy.types.Scene:
    """A ball with hair as long as half of it."""
    scene = plain()
    ball = scene.objects[BALL]
    ball.modifiers.new("Hair", "PARTICLE_SYSTEM")
    settings = ball.particle_systems[0].settings
    settings.type, settings.count, settings.hair_length = "HAIR", 4000, 0.7
    return scene


def displacement() -> bpy.types.Scene:
    """A ball whose surface a material moves outwards."""
    scene, material = plain(), _material("displaced")
    tree = material.node_tree
    assert tree is not None, "it has nodes"
    material.displacement_method = "DISPLACEMENT"
    node, noise = tree.nodes.new("ShaderNodeDisplacement"), tree.nodes.new("ShaderNodeTexNoise")
    _set(node, Scale=1.5, Midlevel=0.0)
    tree.links.new(noise.outputs[0], node.inputs["Height"])
    tree.links.new(node.outputs[0], tree.nodes["Material Output"].inputs["Displacement"])
    scene.objects[BALL].data.materials.append(material)
    return scene


def motion_blur() -> bpy.types.Scene:
    """A ball that flies through the frame, blurred in renders."""
    scene = plain()
    ball = scene.objects[BALL]
    for frame, x in ((1, -2.0), (3, 2.0)):
        ball.location.x = x
        ball.keyframe_insert("location", frame=frame)
    scene.frame_set(2)
    scene.render.use_motion_blur = True
    return scene


def instances() -> bpy.types.Scene:
    """The ball before fifty thousand specks."""
    scene = plain()
    points = [(i % 250 * 0.03 - 3.75, 2.0 + i // 250 * 0.02, -1.0) for i in range(50_000)]
    data, speck = bpy.data.meshes.new("field"), bpy.data.meshes.new("speck")
    data.from_pydata(points, [], [])
    speck.from_pydata([(0, 0, 0), (0.02, 0, 0), (0, 0, 0.1)], [], [(0, 1, 2)])
    field = _link(scene, "field", data)
    field.instance_type = "VERTS"
    _link(scene, "speck", speck).parent = field
    return scene


KINDS: Mapping[str, Callable[[], bpy.types.Scene]] = MappingProxyType(
    {
        "plain": plain,
        "fog": fog,
        "mist": mist,
        "hair": hair,
        "displacement": displacement,
        "motion blur": motion_blur,
        "instances": instances,
    }
)


def masked(build: Callable[[], bpy.types.Scene]) -> KindMasks:
    """What view and Exact make of a kind; each on a scene of its own, for Exact changes it."""
    words = _words(build())
    view, exact = _captured(build(), None), _captured(build(), exactly)
    return KindMasks(reference(build()), view, exact, words)


def pictured(kinds: Mapping[str, KindMasks]) -> Image.Image:
    """A column a kind: the reference, the view's mask and Exact's."""
    size = (SIDE // 2, SIDE // 2)
    columns = [(masks.reference, masks.view, masks.exact) for masks in kinds.values()]
    return grid([[mask_image(mask, size) for mask in row] for row in zip(*columns, strict=True)], list(kinds))


def reference(scene: bpy.types.Scene) -> Coverage:
    """The alpha of the ball alone, (height, width) in 0..1; the world without its volume."""
    scene.render.film_transparent, scene.world = True, None
    for item in scene.objects:
        item.hide_render = item.name != BALL and item.type != "CAMERA"
    for layer in render_layers(scene, SAMPLES):
        for name, values in layer.channels.items():
            if name.endswith("Combined.A"):
                return values.astype(np.float32)
    raise AssertionError("a render has an alpha")


def _captured(scene: bpy.types.Scene, look: Look | None) -> Coverage:
    bpy.context.view_layer.update()
    (region,) = finish(develop(capture(scene, Settings(prompt=f"a {BALL}"), look=look))).regions
    return region_mask(region) / np.float32(255.0)


def _words(scene: bpy.types.Scene) -> tuple[str, ...]:
    """What the panel says that a render may show otherwise."""
    differences = RenderDifferences()
    layers = {scene.session_uid: (scene, scene.view_layers[0])}
    listed = {scene.session_uid: rows(scene, palette_of(scene, {}))}
    for _ in range(3):
        differences.look(layers, listed)
    return tuple(word for words in differences.words.values() for word in words)


def _overlap(one: Coverage, other: Coverage) -> float:
    return float(np.minimum(one, other).sum() / np.maximum(one, other).sum())


def _material(name: str) -> bpy.types.Material:
    material = bpy.data.materials.new(name)
    ensure_nodes(material)
    return material


def _volume(tree: bpy.types.NodeTree, output: str, density: float) -> None:
    node = tree.nodes.new("ShaderNodeVolumeScatter")
    _set(node, Density=density)
    end = next(node for node in tree.nodes if node.bl_idname == output)
    tree.links.new(node.outputs[0], end.inputs["Volume"])


def _set(node: bpy.types.Node, **values: float) -> None:
    for name, value in values.items():
        socket: Any = node.inputs[name]  # only the many classes of sockets that have a value know it
        socket.default_value = value


def _link(scene: bpy.types.Scene, name: str, data: bpy.types.Mesh) -> bpy.types.Object:
    item = bpy.data.objects.new(name, data)
    scene.collection.objects.link(item)
    return item
