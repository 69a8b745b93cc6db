# SPDX-License-Identifier: MIT
"""Back faces are seen through where the engine that renders culls them, and hide where it does not."""

import bpy
import pytest

from addon.exact.capture import exactly
from addon.messages.errors import RegionBehind
from addon.protocol.default_model import TOYBOX
from addon.regions.marks import mark, marks
from tests.addon.hosts.sample_scenes import box, captured, fresh, instance, mesh, put

EEVEE = "BLENDER_EEVEE" if bpy.app.version >= (5, 0) else "BLENDER_EEVEE_NEXT"


def house(engine, culled=(True,), mirrored=False, turned=False):
    """A duck in a room whose near wall, of two halves, shows its back, or its front where it is ``turned``."""
    scene = fresh(256, 256)
    mark(box("duck", (0, 0, 0), (2, 2, 2)))
    points = [(x, 0, z) for z in (-5, 5) for x in (-5, 0, 5)]
    faces = [(3, 4, 1, 0), (4, 5, 2, 1)]
    wall = put("wall", mesh(points, [face[::-1] for face in faces] if turned else faces, "wall"), (0, -4, 0))
    wall.data.materials.clear()
    for cull in culled:
        material = bpy.data.materials.new("wall")
        material.use_backface_culling = cull
        wall.data.materials.append(material)
    wall.data.polygons[1].material_index = len(culled) - 1
    wall.scale = (-1 if mirrored else 1, 1, 1)
    scene.render.engine = engine
    bpy.context.view_layer.update()
    return scene


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("mirrored", [False, True])
def test_eevee_sees_through_a_culled_wall(exact, mirrored):
    assert captured(house(EEVEE, mirrored=mirrored), "a duck", exact=exact)["duck"].visible > 0.99


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(
    ("engine", "options"),
    [("CYCLES", {}), (EEVEE, {"culled": (False,)}), (EEVEE, {"turned": True}), (EEVEE, {"culled": ()})],
)
def test_what_is_not_culled_hides(exact, engine, options):
    with pytest.raises(RegionBehind):
        captured(house(engine, **options), "a duck", exact=exact)


@pytest.mark.parametrize("exact", [False, True])
def test_each_material_says_so_for_its_own_faces(exact):
    region = captured(house(EEVEE, (True, False)), "a duck", exact=exact)["duck"]
    assert region.visible == pytest.approx(0.5, abs=0.05)
    assert region.centroid[0] < 0.45


def test_a_render_s_depths_leave_culled_faces_out_too():
    scene = house(EEVEE)
    visible = exactly(scene, scene.camera, marks(scene), TOYBOX)
    assert {part.culled for part in visible.parts} == {(), (True,)}


def test_workbench_culls_all_or_nothing():
    scene = house("BLENDER_WORKBENCH", (False,))
    with pytest.raises(RegionBehind):
        captured(scene, "a duck")
    scene.display.shading.show_backface_culling = True
    assert captured(scene, "a duck")["duck"].visible > 0.99


def by_nodes(scene, wall, material):
    """Geometry Nodes give the wall its material."""
    tree = bpy.data.node_groups.new("paint", "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    kinds = ("NodeGroupInput", "GeometryNodeSetMaterial", "NodeGroupOutput")
    source, give, out = (tree.nodes.new(kind) for kind in kinds)
    give.inputs["Material"].default_value = material
    tree.links.new(source.outputs[0], give.inputs[0])
    tree.links.new(give.outputs[0], out.inputs[0])
    wall.modifiers.new("paint", "NODES").node_group = tree


def by_object(scene, wall, material):
    """The slot is the object's own, not its mesh's."""
    wall.data.materials.append(None)
    wall.material_slots[0].link, wall.material_slots[0].material = "OBJECT", material


def by_layer(scene, wall, material):
    """The view layer gives everything one material."""
    scene.view_layers[0].material_override = material


def mirrored(scene, wall, material):
    """An instance that is mirrored."""
    wall.data.materials.append(material)
    holder = bpy.data.collections.new("walls")
    scene.collection.objects.unlink(wall)
    holder.objects.link(wall)
    instance("walls", holder, (0, 0, 0)).scale.x = -1


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("way", [by_nodes, by_object, by_layer, mirrored])
def test_wherever_the_material_comes_from(way, exact):
    scene = house(EEVEE, ())
    material = bpy.data.materials.new("culled")
    material.use_backface_culling = True
    scene.objects["wall"].data.materials.clear()
    way(scene, scene.objects["wall"], material)
    bpy.context.view_layer.update()
    assert captured(scene, "a duck", exact=exact)["duck"].visible > 0.99
