# SPDX-License-Identifier: MIT
"""A file of the time before views could be stacked: its projection opens, comes off, and gives way to a view."""

from pathlib import Path

import bpy

from addon.pictures.image import remove
from addon.projection.projectors import project
from tests.addon.hosts.projection.sample_projection import flat

OLD = Path(__file__).parent / "single_view.blend"
RED = (1.0, 0.0, 0.0)


def test_an_older_maquettes_projection_opens_and_comes_off():
    bpy.ops.wm.open_mainfile(filepath=str(OLD))
    scene = bpy.context.scene
    painted, bare = bpy.data.objects["painted"], bpy.data.objects["bare"]
    assert painted.material_slots[0].material.name == "painted Maquette"
    remove(scene)
    assert [slot.material.name for slot in painted.material_slots] == ["painted"]
    assert painted.material_slots[0].link == "DATA"
    assert not bare.material_slots
    assert not scene.camera.data.background_images
    left = [item for kind in (bpy.data.materials, bpy.data.node_groups, bpy.data.images) for item in kind]
    assert [item.name for item in left if "maquette_result" in item] == []
    project(scene, scene.camera, flat(RED))
    remove(scene)
    assert not bare.material_slots


def test_a_view_over_an_older_maquettes_projection_takes_its_place():
    bpy.ops.wm.open_mainfile(filepath=str(OLD))
    scene = bpy.context.scene
    project(scene, scene.camera, flat(RED))
    groups = [item for item in bpy.data.node_groups if "maquette_result" in item]
    assert len(groups) == 5  # the stack, and a view of four
    remove(scene)
    assert [slot.material.name for slot in bpy.data.objects["painted"].material_slots] == ["painted"]
