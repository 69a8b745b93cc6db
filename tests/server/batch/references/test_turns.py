# SPDX-License-Identifier: MIT
"""``--in-turn``, as it is typed: each camera's picture is projected in a real Blender, and the next is told of it."""

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from addon.protocol.blockout import Blockout, mask_rows
from addon.protocol.strict_json import loads
from server.batch.manifest import read_rows
from server.batch.plan import BatchPlan, WrongPlan
from server.cli.main import main
from tests.server.batch.batches import MEADOW, jobs, pictures

pytest.importorskip("bpy", reason="bpy is not installed")

SECOND = """
import bpy
bpy.ops.wm.open_mainfile(filepath={source!r})
scene = bpy.context.scene
other = scene.camera.copy()
other.name = "Side"
other.location.x += 1.0
scene.collection.objects.link(other)
bpy.ops.wm.save_as_mainfile(filepath={path!r}, compress=False)
"""
PROJECTED = """
import bpy, json, sys
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
print(json.dumps(sum("maquette_projector" in item for item in bpy.data.objects)))
for name in ("Camera", "Side"):
    print([one.image.filepath for one in bpy.data.objects[name].data.background_images])
"""


@pytest.fixture
def here(served, monkeypatch):
    """The running server is this person's."""
    monkeypatch.setenv("MAQUETTE_HOME", str(served.home))
    return served


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Path:
    """The meadow with a second camera beside its own."""
    path = tmp_path_factory.mktemp("scene") / "meadow.blend"
    run(SECOND.format(source=str(MEADOW), path=str(path)))
    return path


def run(code: str, *words: object) -> str:
    """What a Python with bpy prints."""
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=100).stdout


def request(out: Path, name: str) -> Blockout:
    return loads(Blockout, (out / f"{name}.blockout.json").read_bytes())


def test_each_camera_goes_on_with_what_the_others_show(scene, tmp_path, here, capsys):
    out = tmp_path / "out"
    words = [
        "batch",
        str(scene),
        "--cameras",
        "Camera,Side",
        "--seeds",
        "3-4",
        "--set",
        "steps=1",
        "--in-turn",
        "--scenes",
    ]
    words += ["--out", str(out)]
    assert main(words) == 0
    for seed in (3, 4):
        assert request(out, f"meadow/Camera/seed000{seed}/0001").reference is None
        asked = request(out, f"meadow/Side/seed000{seed}/0001")
        assert asked.seed == seed and asked.reference is not None and asked.reference.shown is not None
        shown = np.asarray(mask_rows(asked.reference.shown)) == 255
        assert 0.02 < shown.mean() < 0.9
        (beside,) = (out / f"meadow/Side/seed000{seed}").glob("reference-*.png")
        assert sha256(beside.read_bytes()).hexdigest() == asked.reference.picture
        told = np.asarray(Image.open(beside).resize(shown.shape[::-1]).convert("RGB"))[shown]
        assert np.abs(told - np.array([seed, 0, 2])).max() <= 1  # the other's colour, for the engine paints its seed
    projected, *behind = run(PROJECTED, out / "meadow" / "scene.blend").splitlines()[-3:]
    assert projected == "2" and [name in line for name, line in zip(("Camera", "Side"), behind, strict=True)] == [1, 1]
    first, before = pictures(out), len(jobs(here))
    capsys.readouterr()
    assert main([word for word in words if word != "--scenes"]) == 0
    assert "4 of 4: 0 painted, 4 there, 0 failed" in capsys.readouterr().err
    assert pictures(out) == first and len(jobs(here)) == before


def test_a_view_that_fails_is_left_out_of_what_the_next_is_told(scene, tmp_path, here, capsys):
    prompts, out = tmp_path / "prompts", tmp_path / "out"
    prompts.write_text("a castle and a rocket to raise\na castle and a rocket in the rain\n")
    words = ["--cameras", "all", "--prompts", str(prompts), "--set", "steps=5", "--in-turn", "--out", str(out)]
    assert main(["batch", str(scene), *words]) == 1
    seed = next(iter(read_rows(out))).split("/")[2].partition("-")[0]
    assert set(read_rows(out)) == {f"meadow/{camera}/{seed}-prompt2/0001" for camera in ("Camera", "Side")}
    assert request(out, f"meadow/Camera/{seed}-prompt2/0001").reference is None
    assert request(out, f"meadow/Side/{seed}-prompt2/0001").reference is not None
    assert capsys.readouterr().err.count("prompt1/0001: ") >= 2


def test_more_cameras_than_are_projected_are_refused(tmp_path, here, capsys):
    cameras = ",".join(f"Camera {number}" for number in range(9))
    assert main(["batch", str(MEADOW), "--cameras", cameras, "--in-turn", "--out", str(tmp_path / "out")]) == 1
    assert "cameras are more than 8 views" in capsys.readouterr().err


@pytest.mark.parametrize("other", [{"best": 2}, {"keep_look": "first"}, {"settings": {"exact": True}}])
def test_what_does_not_go_together_is_refused(other):
    with pytest.raises(WrongPlan, match=r"goes without (--best|--keep-look|exact)"):
        BatchPlan(scenes=(MEADOW,), in_turn=True, **other)


def test_the_news_are_lines_of_json_as_ever(scene, tmp_path, here, capsys):
    words = ["--cameras", "all", "--set", "steps=1", "--in-turn", "--json", "--out", str(tmp_path / "out")]
    assert main(["batch", str(scene), *words]) == 0
    events = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert [event for event in events if event in ("asked", "saved")] == ["asked", "saved", "asked", "saved"]
