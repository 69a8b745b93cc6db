# SPDX-License-Identifier: MIT
"""Back faces are seen through where the engine that renders culls them, and hide where it does not."""

import bpy
import pytest

from addon.messages.errors import RegionBehind
from addon.regions.marks import mark
from tests.addon.hosts.sample_scenes import box, captured, fresh, mesh, put

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


def test_workbench_culls_all_or_nothing():
    scene = house("BLENDER_WORKBENCH", (False,))
    with pytest.raises(RegionBehind):
        captured(scene, "a duck")
    scene.display.shading.show_backface_culling = True
    assert captured(scene, "a duck")["duck"].visible > 0.99
