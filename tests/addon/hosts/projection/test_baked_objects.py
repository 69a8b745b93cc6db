# SPDX-License-Identifier: MIT
"""Baked objects show what was projected, in Blender and in a glTF file; other UVs and shared meshes stay."""

import json
import struct

import bpy
import numpy as np

from addon.capture.scene import evaluated
from addon.cooperative import finish
from addon.projection.baked_objects import LAYER, SIDE, apply_bakes, baking
from addon.projection.projectors import project
from tests.addon.hosts.projection.sample_projection import gradient, psnr, regions, staged
from tests.addon.hosts.sample_scenes import paint, put, render


def test_baked_it_looks_the_same_and_exports(tmp_path):
    scene = staged()
    box = scene.objects["box"]
    box.data.uv_layers.new(name="own")
    shared = box.data
    twin = put("twin", shared, (50, 0, 0))
    inside = regions(scene, tmp_path / "plain.png")
    picture = bpy.data.images.load(str(paint(tmp_path / "p.png", gradient(180, 320))))
    project(scene, scene.camera, picture)
    before = render(scene, tmp_path / "before.png", samples=16)[:, :, :3]
    apply_bakes(finish(baking(scene, evaluated(scene))))
    after = render(scene, tmp_path / "after.png", samples=16)[:, :, :3]
    print("psnr", psnr(after[inside], before[inside]))
    assert psnr(after[inside], before[inside]) > 35
    assert twin.data == shared and [layer.name for layer in shared.uv_layers] == ["own"]
    assert box.data != shared and [layer.name for layer in box.data.uv_layers] == ["own", LAYER]
    assert box.data.uv_layers.active.name == "own"
    assert bpy.data.images["box Bake"].packed_file is not None
    _exported(tmp_path / "scene.glb")


def _exported(path):
    bpy.ops.export_scene.gltf(filepath=str(path))
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
