# SPDX-License-Identifier: MIT
"""What was baked to disk counts in a copy of the file: cloth, particles, and Geometry Nodes; and stays as it was."""

import shutil
import subprocess
from pathlib import Path

import bpy
import numpy as np
import pytest

from addon.blender_process import ApplyCommand, CaptureCommand, SceneFile, program
from addon.exact import baked_files
from addon.protocol.blockout import Blockout
from addon.protocol.strict_json import loads
from addon.regions.marks import mark
from tests.addon.hosts.sample_scenes import box, captured, fresh, paint

FRAME = 22


def stored(folder, build):
    """A scene whose flag is elsewhere at FRAME by what ``build`` bakes beside it; the region as it is seen there."""
    scene = fresh(256, 256)
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
    flag = box("flag", (0, 0, 1.5), (2.5, 0.2, 1.5))
    mark(flag)
    scene["maquette_prompt"] = "a flag"
    scene.frame_end = 40
    build(scene, flag)
    scene.frame_set(FRAME)
    bpy.context.view_layer.update()
    bpy.ops.wm.save_mainfile()
    return captured(scene, "a flag")["flag"]


def cloth(scene, flag):
    """Falls by a simulation whose point cache is on disk."""
    cache = flag.modifiers.new("Cloth", "CLOTH").point_cache
    cache.use_disk_cache, cache.frame_start, cache.frame_end = True, 1, 40
    with bpy.context.temp_override(scene=scene, active_object=flag, object=flag, point_cache=cache):
        bpy.ops.ptcache.bake(bake=True)


def nodes(scene, flag):
    """Falls by a simulation of Geometry Nodes, baked into a folder of its own."""
    tree = bpy.data.node_groups.new("fall", "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    kinds = ("NodeGroupInput", "GeometryNodeSimulationInput", "GeometryNodeSimulationOutput", "NodeGroupOutput")
    source, begin, end, out = (tree.nodes.new(kind) for kind in kinds)
    move = tree.nodes.new("GeometryNodeSetPosition")
    move.inputs["Offset"].default_value = (0, 0, -0.08)
    begin.pair_with_output(end)
    tree.links.new(source.outputs[0], begin.inputs[0])
    tree.links.new(begin.outputs["Geometry"], move.inputs["Geometry"])
    tree.links.new(move.outputs[0], end.inputs["Geometry"])
    tree.links.new(end.outputs["Geometry"], out.inputs[0])
    modifier = flag.modifiers.new("Fall", "NODES")
    modifier.node_group = tree
    modifier.bake_directory = "//bakes/fall"
    bpy.context.view_layer.update()
    bake = modifier.bakes[0]
    if hasattr(bake, "bake_target"):
        bake.bake_target = "DISK"
    with bpy.context.temp_override(active_object=flag, object=flag, selected_objects=[flag]):
        bpy.ops.object.geometry_node_bake_single(
            session_uid=flag.session_uid, modifier_name=modifier.name, bake_id=bake.bake_id
        )
    move.inputs["Offset"].default_value = (0, 0, 0)  # only the bake knows of the fall


def run(command):
    subprocess.run([*program(""), *command.words()], check=True, capture_output=True, cwd=Path(__file__).parents[4])


@pytest.mark.parametrize("build", [cloth, nodes])
def test_a_copy_is_captured_as_it_was_baked(build, tmp_path):
    home, away = tmp_path / "home", tmp_path / "away" / "deep"
    home.mkdir()
    away.mkdir(parents=True)
    seen = stored(home, build)
    before = {file: file.read_bytes() for file in home.rglob("*") if file.is_file()}
    copy = away / "copy.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(copy), copy=True, compress=False)
    out = away / "out.json"
    command = CaptureCommand(source=SceneFile(path=copy, origin=home / "shot.blend"), out=out, settings={"exact": True})
    run(command)
    region = loads(Blockout, out.read_bytes()).regions[0]
    assert region.centroid == pytest.approx(seen.centroid, abs=0.01)
    assert abs(seen.centroid[1] - 0.29) > 0.05  # it did fall
    assert {file: file.read_bytes() for file in home.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("build", [cloth, nodes])
def test_the_scene_that_a_render_leaves_is_as_it_was_baked(build, tmp_path):
    home, away = tmp_path / "home", tmp_path / "away" / "deep"
    home.mkdir()
    away.mkdir(parents=True)
    seen = stored(home, build)
    request, achieved, out = (away / name for name in ("request.json", "achieved.json", "scene.blend"))
    source = SceneFile(path=home / "shot.blend")
    run(CaptureCommand(source=source, out=request))
    achieved.write_text("[]")
    picture = paint(away / "picture.png", np.zeros((8, 8, 3)))
    run(ApplyCommand(source=source, picture=picture, request=request, achieved=achieved, out=out))
    run(CaptureCommand(source=SceneFile(path=out), out=request))
    assert loads(Blockout, request.read_bytes()).regions[0].centroid == pytest.approx(seen.centroid, abs=0.01)


@pytest.mark.parametrize("limit", [0, baked_files.COPIED])
def test_large_caches_are_linked_and_small_ones_copied(limit, tmp_path, monkeypatch):
    monkeypatch.setattr(baked_files, "COPIED", limit)
    (tmp_path / "blendcache_shot" / "inner").mkdir(parents=True)
    original = tmp_path / "blendcache_shot" / "inner" / "a_000001_00.bphys"
    original.write_bytes(b"baked")
    away = tmp_path / "away"
    away.mkdir()
    for _ in range(2):  # a second render into the same folder
        baked_files.bring_point_caches(tmp_path / "shot.blend", away / "copy.blend")
    there = away / "blendcache_copy" / "inner" / original.name
    assert there.is_symlink() == (limit == 0)
    assert there.read_bytes() == b"baked"
    shutil.rmtree(away)
    assert original.read_bytes() == b"baked"
