# SPDX-License-Identifier: MIT
"""``maquette batch`` and ``capture``, as they are typed: a real server, a real Blender module, files on disk."""

import json
import shutil
import subprocess
import sys

import pytest

from addon.protocol.blockout import Blockout
from addon.protocol.strict_json import loads
from server.cli.main import main
from tests.server.batch.batches import MEADOW, pictures

pytest.importorskip("bpy", reason="bpy is not installed")

SECOND = """
import bpy
bpy.ops.wm.open_mainfile(filepath={source!r})
scene = bpy.context.scene
other = scene.camera.copy()
other.name = "Camera 2"
other.location.x += 0.5
scene.collection.objects.link(other)
scene.camera.keyframe_insert("location", frame=1)
scene.camera.location.x += 0.3
scene.camera.keyframe_insert("location", frame=2)
bpy.ops.wm.save_as_mainfile(filepath={path!r}, compress=False)
"""

RENAMED = """
import bpy
bpy.ops.wm.open_mainfile(filepath={source!r})
castle = bpy.data.collections["castle"]
castle.name, castle["maquette_phrase"] = "Cube", "castle"
bpy.ops.wm.save_as_mainfile(filepath={path!r}, compress=False)
"""


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """The meadow with a second camera, whose own moves."""
    path = tmp_path_factory.mktemp("scene") / "meadow.blend"
    words = [sys.executable, "-c", SECOND.format(source=str(MEADOW), path=str(path))]
    subprocess.run(words, check=True, capture_output=True)
    return path


@pytest.fixture
def here(served, monkeypatch):
    """The running server is this person's."""
    monkeypatch.setenv("MAQUETTE_HOME", str(served.home))
    return served


def request(out, name):
    return loads(Blockout, (out / f"{name}.blockout.json").read_bytes())


def test_every_combination(scene, tmp_path, here, capsys, monkeypatch):
    prompts = tmp_path / "prompts"
    prompts.write_text("a castle and a rocket\na ruin and a rocket at sunset\n")
    blenders = []
    from server.batch import capture as module

    real = module.blender_words
    monkeypatch.setattr(module, "blender_words", lambda blender: blenders.append(1) or real(blender))
    words = ["batch", str(scene), "--frames", "1-2", "--cameras", "all", "--seeds", "0-1", "--prompts", str(prompts)]
    words += ["--set", "strength=0.6", "--set", "castle.phrase=ruin", "--out", str(tmp_path / "out")]
    assert main(words) == 0
    assert len(blenders) == 1
    names = [path for path in pictures(tmp_path / "out") if path.endswith(".png")]
    assert len(names) == 2 * 2 * 2 * 2
    first = request(tmp_path / "out", "meadow/Camera/seed0001-prompt1/0001")
    assert (first.prompt, first.seed, first.strength) == ("a ruin and a rocket", 1, 0.6)
    assert [region.phrase for region in first.regions] == ["ruin", "rocket"]
    moved = request(tmp_path / "out", "meadow/Camera/seed0001-prompt2/0002")
    assert moved.prompt == "a ruin and a rocket at sunset"
    assert moved.regions[0].centroid != first.regions[0].centroid
    capsys.readouterr()
    assert main(words) == 0
    assert "16 of 16: 0 painted, 16 there, 0 failed" in capsys.readouterr().err


def test_a_region_called_by_its_object_s_name_gets_its_phrase_changed_in_the_prompt_too(tmp_path):
    path = tmp_path / "meadow.blend"
    code = RENAMED.format(source=str(MEADOW), path=str(path))
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    words = ["capture", str(path), "--set", "Cube.phrase=ruin", "--set", "Cube.strength=0.5"]
    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    (file,) = (tmp_path / "out").rglob("*.blockout.json")
    asked = loads(Blockout, file.read_bytes())
    assert "ruin" in asked.prompt and "castle" not in asked.prompt
    assert [region.strength for region in asked.regions if region.phrase == "ruin"] == [0.5]


def test_past_a_bad_scene(scene, tmp_path, here, capsys):
    bad = tmp_path / "bad.blend"
    bad.write_bytes(b"no scene")
    out = tmp_path / "out"
    assert main(["batch", str(bad), str(scene), "--cameras", "Camera,Nobody", "--out", str(out)]) == 1
    said = capsys.readouterr().err
    assert "bad: Blender cannot open the scene" in said
    assert "meadow/Nobody/0001: The scene has no object named Nobody." in said
    assert "2 of 2: 1 painted, 0 there, 1 failed, 0:00:00 left" in said
    assert [path for path in pictures(out) if path.endswith(".png")] == ["meadow/Camera/seed0000/0001.png"]


def test_capture_and_paint_are_its_halves(scene, tmp_path, here):
    flags = ["--frames", "1-2", "--seeds", "5"]
    assert main(["batch", str(scene), *flags, "--out", str(tmp_path / "whole")]) == 0
    assert main(["capture", str(scene), *flags, "--out", str(tmp_path / "halves")]) == 0
    assert main(["capture", str(scene), *flags, "--out", str(tmp_path / "halves")]) == 0  # nothing changed
    assert main(["paint", str(tmp_path / "halves"), "--out", str(tmp_path / "halves")]) == 0
    whole, halves = pictures(tmp_path / "whole"), pictures(tmp_path / "halves")
    differ = {name for name in whole if name.endswith(".png") and whole[name] != halves[name]}
    assert whole.keys() == halves.keys() and not differ


def test_capture_overwrites_nothing_in_silence(scene, tmp_path, capsys):
    """Each view for itself: those that are not there yet are written."""
    words = ["capture", str(scene), "--out", str(tmp_path / "out"), "--frames"]
    assert main([*words, "1"]) == 0
    words.append("1-2")
    assert main([*words, "--set", "steps=3"]) == 1
    said = capsys.readouterr().err
    assert "is there already, of a scene or settings that were otherwise" in said
    assert "2 of 2: 1 painted, 0 there, 1 failed" in said
    assert (request(tmp_path / "out", "meadow/Camera/seed0000/0002")).steps == 3
    assert main([*words, "--set", "steps=3", "--overwrite"]) == 0


def test_capture_needs_neither_server_nor_torch(scene, tmp_path):
    code = "import sys; from server.cli.main import main; code = main(sys.argv[1:]); "
    code += "sys.exit(code or ('torch' in sys.modules) * 9)"
    words = [sys.executable, "-c", code, "capture", str(scene), "--out", str(tmp_path / "out")]
    assert subprocess.run(words, capture_output=True).returncode == 0


def test_a_scene_of_a_newer_blender(scene, tmp_path, here, capsys):
    """Its first bytes say which Blender wrote it."""
    newer = tmp_path / "newer.blend"
    content = scene.read_bytes()
    assert content.startswith((b"BLENDER-v4", b"BLENDER17-01v"))
    newer.write_bytes(content.replace(content[:12], content[:9] + b"409", 1))
    before = newer.read_bytes()
    assert main(["batch", str(newer), "--out", str(tmp_path / "out")]) == 1
    assert "The scene was saved by Blender 4.9, and this is" in capsys.readouterr().err
    assert newer.read_bytes() == before


def test_two_batches_in_one_folder(scene, tmp_path, here, capsys):
    from addon.protocol import home_lock

    with home_lock.hold(tmp_path):
        assert main(["batch", str(scene), "--out", str(tmp_path)]) == 1
    assert "Another batch fills" in capsys.readouterr().err


def test_the_manifest_says_what_is_where(scene, tmp_path, here):
    assert main(["batch", str(scene), "--out", str(tmp_path / "out")]) == 0
    (line,) = (tmp_path / "out" / "manifest.jsonl").read_text().splitlines()
    row = json.loads(line)
    assert row["name"] == "meadow/Camera/seed0000/0001"
    assert [region["name"] for region in row["regions"]] == ["castle", "rocket"]
    shutil.rmtree(tmp_path / "out" / "meadow")
    assert main(["batch", str(scene), "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "meadow/Camera/seed0000/0001.png").exists()
