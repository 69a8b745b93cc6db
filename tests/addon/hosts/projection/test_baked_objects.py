# SPDX-License-Identifier: MIT
"""Baked objects show what was projected, in Blender and in a glTF file; other UVs and shared meshes stay."""

import json
import math
import struct
import subprocess
import sys

import bpy
import numpy as np
import pytest

from addon.cooperative import finish
from addon.messages.errors import Unbakeable
from addon.projection.baked_objects import LAYER, SIDE, apply_bakes, bakeable, baking
from addon.projection.projectors import project
from addon.regions.marks import mark
from tests.addon.hosts.projection.sample_projection import gradient, psnr, regions, staged
from tests.addon.hosts.sample_scenes import ball, box, fingerprint, fresh, paint, put, render


def projected(scene, tmp_path):
    picture = bpy.data.images.load(str(paint(tmp_path / "p.png", gradient(180, 320))))
    project(scene, scene.camera, picture)


def layers(item):
    return [layer.name for layer in item.data.uv_layers]


def test_baked_it_looks_the_same_and_exports(tmp_path, record_property):
    scene = staged()
    box = scene.objects["box"]
    box.data.uv_layers.new(name="own")  # every face over the whole image
    shared = box.data
    twin = put("twin", shared, (50, 0, 0))
    inside = regions(scene, tmp_path / "plain.png")
    projected(scene, tmp_path)
    before = render(scene, tmp_path / "before.png", samples=16)[:, :, :3]
    apply_bakes(finish(baking(scene)))
    after = render(scene, tmp_path / "after.png", samples=16)[:, :, :3]
    record_property("psnr", float(psnr(after[inside], before[inside])))
    assert psnr(after[inside], before[inside]) > 35
    assert twin.data == shared and [layer.name for layer in shared.uv_layers] == ["own"]
    assert box.data != shared and layers(box) == ["own", LAYER]
    assert box.data.uv_layers.active.name == "own"
    assert bpy.data.images["box Bake"].packed_file is not None
    _exported(tmp_path / "scene.glb")


# Once the exporter ran, bpy 4.2 crashes as it is closed: hence a process of its own, that is not closed but ended.
_EXPORT = """
import os, sys
import bpy
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
bpy.ops.export_scene.gltf(filepath=sys.argv[2])
os._exit(0)
"""


def _exported(path):
    blend = str(path.with_suffix(".blend"))
    bpy.ops.wm.save_as_mainfile(filepath=blend, copy=True)
    subprocess.run([sys.executable, "-c", _EXPORT, blend, str(path)], check=True)
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    record, content = json.loads(data[20 : 20 + length]), data[28 + length :]
    baked = next(one for one in record["materials"] if one["name"] == "box Bake")
    texture = record["textures"][baked["emissiveTexture"]["index"]]
    lent = record["bufferViews"][record["images"][texture["source"]]["bufferView"]]
    png = content[lent.get("byteOffset", 0) :][: lent["byteLength"]]
    assert struct.unpack_from(">II", png, 16) == (SIDE, SIDE)
    mesh = next(
        one for one in record["meshes"] if one["primitives"][0].get("material") == record["materials"].index(baked)
    )
    assert f"TEXCOORD_{baked['emissiveTexture'].get('texCoord', 0)}" in mesh["primitives"][0]["attributes"]
    assert np.allclose(baked["emissiveFactor"], 1.0)


def test_uvs_that_will_do_are_painted_over_with_modifiers_and_shared_meshes_as_they_are(tmp_path, record_property):
    scene = staged()
    bpy.ops.mesh.primitive_uv_sphere_add(location=(-3.4, 0, 0.6))
    globe = bpy.context.object
    globe.name = "globe"
    globe.modifiers.new("finer", "SUBSURF").render_levels = 1
    mark(globe)
    bpy.ops.object.material_slot_add()
    globe.material_slots[0].material = bpy.data.objects["box"].material_slots[0].material
    twin = put("twin", globe.data, (50, 0, 0))
    inside = regions(scene, tmp_path / "plain.png")
    projected(scene, tmp_path)
    before = render(scene, tmp_path / "before.png", samples=16)[:, :, :3]
    apply_bakes(finish(baking(scene)))
    after = render(scene, tmp_path / "after.png", samples=16)[:, :, :3]
    record_property("psnr", float(psnr(after[inside], before[inside])))
    assert psnr(after[inside], before[inside]) > 35
    assert globe.data == twin.data and layers(globe) == ["UVMap"]
    assert globe.material_slots[0].material.name == "globe Bake"
    assert twin.material_slots[0].material.name == "box"


def test_what_cannot_be_baked_is_said_and_changes_nothing(tmp_path):
    scene = staged()
    with pytest.raises(Unbakeable, match="Nothing is projected"):
        bakeable(scene)
    projected(scene, tmp_path)
    scene.objects["box"].modifiers.new("more", "BEVEL").width = 0.2
    bpy.context.view_layer.update()
    before = fingerprint()
    with pytest.raises(Unbakeable, match="A modifier gives box other faces"):
        finish(baking(scene))
    assert fingerprint() == before


def test_a_mesh_with_all_the_uv_maps_it_can_have_is_named_and_stays_projected(tmp_path):
    scene = staged()
    projected(scene, tmp_path)
    bakes, box = finish(baking(scene)), scene.objects["box"]
    while len(box.data.uv_layers) < 8:
        box.data.uv_layers.new()  # every face over the whole image
    bpy.context.view_layer.update()
    before = layers(box), [slot.material for slot in box.material_slots], set(bpy.data.images)
    with pytest.raises(Unbakeable, match="box has 8 UV maps"):
        finish(baking(scene))
    with pytest.raises(Unbakeable, match="have changed since"):
        apply_bakes(bakes)
    after = layers(box), [slot.material for slot in box.material_slots], set(bpy.data.images)
    assert after == before and "maquette_thrown" in box


def test_what_was_undone_or_reshaped_meanwhile_is_not_baked(tmp_path):
    scene = staged()
    projected(scene, tmp_path)
    work = baking(scene)
    for _ in range(20):
        next(work)
    bpy.data.objects.remove(scene.objects["ball"])
    with pytest.raises(Unbakeable, match="have changed since"):
        apply_bakes(finish(work))


def test_what_is_in_edit_mode_is_not_baked_and_stays_projected(tmp_path):
    scene = fresh(320, 180)
    thing = ball("ball", (0, 0, 0), 2.0, 12)
    mark(thing)
    bpy.context.view_layer.update()
    projected(scene, tmp_path)
    bakes = finish(baking(scene))
    bpy.context.view_layer.objects.active = thing
    bpy.ops.object.mode_set(mode="EDIT")
    for begin in (lambda: apply_bakes(bakes), lambda: bakeable(scene)):
        with pytest.raises(Unbakeable, match="ball is in Edit Mode"):
            begin()
    assert "maquette_thrown" in thing
    bpy.ops.object.mode_set(mode="OBJECT")
    apply_bakes(bakes)
    assert layers(thing) == [LAYER] and "maquette_thrown" not in thing


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e30])
def test_points_that_are_no_numbers_cost_their_faces_alone(value, tmp_path):
    scene = fresh(320, 180)
    thing = ball("ball", (0, 0, 0), 2.0, 12)
    mark(thing)
    projected(scene, tmp_path)
    thing.data.vertices[len(thing.data.vertices) // 2].co.x = value
    bpy.context.view_layer.update()
    (bake,) = finish(baking(scene))
    apply_bakes([bake])
    used = np.array([corner.uv[:] for corner in thing.data.uv_layers[LAYER].data])
    assert np.isfinite(used).all() and used.min() >= 0.0 and used.max() <= 1.0
    assert np.ptp(used, axis=0).min() > 0.5  # the image is in use


def test_an_object_that_is_scaled_flat_is_baked(tmp_path):
    scene = fresh(320, 180)
    thing = box("card", (0, 0, 0), (4, 1, 4))
    thing.scale.y = 0.0
    mark(thing)
    bpy.context.view_layer.update()
    projected(scene, tmp_path)
    apply_bakes(finish(baking(scene)))
    assert layers(thing) == [LAYER]
