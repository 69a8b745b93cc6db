# SPDX-License-Identifier: MIT
"""``maquette render``, as it is typed: a real server, a real Blender module, files on disk."""

import json
import math
import os
import subprocess
import sys

import pytest
from PIL import Image

from addon.protocol.blockout import Blockout, Frame
from addon.protocol.default_model import TOYBOX
from addon.protocol.strict_json import dump, loads
from addon.request.settings import MASKS, NOISE
from server.cli.main import main
from tests.server.serving import blockout, environment

MAKE = """
import bpy
from addon.regions import marks
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
bpy.ops.mesh.primitive_cube_add(location=(0, 0, 0))
bpy.context.object.name = "castle"
marks.mark(bpy.context.object, "castle")
bpy.ops.object.camera_add(location=(0, -9, 0), rotation=(1.5708, 0, 0))
scene.camera = bpy.context.object
scene.render.resolution_x, scene.render.resolution_y = 160, 90
scene["maquette_prompt"], scene["maquette_seed"] = "a castle", 3
bpy.ops.wm.save_as_mainfile(filepath={path!r})
"""

LOOK = """
import bpy
bpy.ops.wm.open_mainfile(filepath={path!r})
shown = bpy.context.scene.camera.data.background_images
print([(one.image.size[:], one.image.packed_file is not None) for one in shown])
"""

REOPEN = """
import bpy, json
from addon.ui.operators.picture import result
from addon.ui.image_editor import current
bpy.ops.wm.open_mainfile(filepath={path!r})
scene = bpy.context.scene
picture = scene["maquette_picture"]
told = {{key: scene[f"maquette_{{key}}"] for key in ("prompt", "seed", "steps", "strength")}}
told |= {{key: picture[f"maquette_{{key}}"] for key in ("request", "achieved")}}
told["camera"] = picture["maquette_camera"].name
told["fits"] = result._camera(scene, bpy.context.evaluated_depsgraph_get(), current(scene)).name
told["panel"] = current(bpy.context.scene) is not None
print(json.dumps(told))
"""


@pytest.fixture
def request_file(tmp_path):
    path = tmp_path / "cat.blockout.json"
    path.write_text(json.dumps(dump(blockout())))
    return path


@pytest.fixture
def here(served, monkeypatch):
    """The running server is this person's."""
    monkeypatch.setenv("MAQUETTE_HOME", str(served.home))


def test_a_blockout_file(request_file, tmp_path, here, capsys):
    out = tmp_path / "out"
    changes = ["--seed", "9", "--prompt", "a red cat", "--masks", "0.4", "--noise", "2", "--scheduler", "euler a"]
    changes += ["--leakage", "0.5", "--confined", "--region", "cat: until=0.6"]
    changes += ["--region", "cat: strength=0.5; description = fluffy fur ; colour=0.5,0,1"]
    changes += ["--variation", "0.25", "--variation-seed", "4", "--enlarge", "2", "--denoising", "0.2"]
    assert main(["render", str(request_file), "--out", str(out), *changes]) == 0
    painted = loads(Blockout, (out / "blockout.json").read_bytes())
    assert (painted.seed, painted.prompt, painted.masks) == (9, "a red cat", 0.4)
    assert painted.scheduler == "euler a"
    assert (painted.noise, painted.leakage, painted.confined) == (2, 0.5, True)
    assert (painted.variation, painted.variation_seed) == (0.25, 4)
    assert (painted.width, painted.height, painted.enlargement, painted.denoising) == (128, 96, 2.0, 0.2)
    (cat,) = painted.regions
    assert (cat.strength, cat.start, cat.until, cat.description) == (0.5, 0.0, 0.6, "fluffy fur")
    assert cat.colour == (0.5, 0.0, 1.0)
    with Image.open(out / "picture.png") as picture:
        assert (picture.size, picture.getpixel((0, 0))) == ((128, 72), (9, 0, 1))
    told = capsys.readouterr()
    said = told.out.splitlines()
    assert told.err.splitlines()[-1] == "painting: 6 of 6"
    assert "\r" not in told.err, "a log would hold progress bars in pieces"
    assert said[0] == "cat: 8.7% off, 50.0% of the frame where 50.0% was asked for, says the judge"  # 6.4 of 73.4 px
    assert said[1:] == [str(out / "picture.png"), str(out / "blockout.json")]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
@pytest.mark.parametrize("times", [1.1, 1.5, 2.0, 3.7])
def test_it_is_enlarged_to_what_its_model_paints(tmp_path, here, times):
    """The frame goes along to where it was; and as small again, it is the request of before."""
    frame = Frame(left=5, top=0, width=341, height=192)
    asked, out = blockout(width=352, height=192, frame=frame), tmp_path / "out"
    (tmp_path / "wide.blockout.json").write_text(json.dumps(dump(asked)))
    words = ["render", str(tmp_path / "wide.blockout.json"), "--out", str(out)]
    assert main([*words, "--enlarge", str(times)]) == 0
    large = loads(Blockout, (out / "blockout.json").read_bytes())
    assert (large.width % TOYBOX.multiple, large.height % TOYBOX.multiple) == (0, 0)
    assert (large.width, large.height) == pytest.approx((352 * times, 192 * times), abs=TOYBOX.multiple / 2)
    assert large.frame.left / large.width == pytest.approx(5 / 352, abs=0.5 / large.width)
    assert large.frame.height == large.height
    assert main(["render", str(out / "blockout.json"), "--enlarge", "1", "--out", str(tmp_path / "back")]) == 0
    assert loads(Blockout, (tmp_path / "back" / "blockout.json").read_bytes()) == asked


def test_a_terminal_shows_how_far_it_is(request_file, tmp_path, served):
    import pty
    import termios

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    words = [sys.executable, "-m", "server", "render", str(request_file), "--out", str(tmp_path / "out")]
    done = subprocess.run(words, env=environment(served.home), stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown = os.read(ours, 2**16).decode()
    os.close(ours)
    assert done.returncode == 0
    assert "painting" in shown and "5/5" in shown


def test_what_was_achieved_as_json(request_file, tmp_path, here, capsys):
    out = tmp_path / "out"
    words = ["render", str(request_file), "--out", str(out), "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["picture"], told["blockout"]) == (str(out / "picture.png"), str(out / "blockout.json"))
    assert told["scene"] is None
    (cat,) = told["achieved"]
    assert cat["offset"] == pytest.approx(6.4 / math.hypot(64, 36))
    assert (cat["phrase"], cat["by"], cat["found"], cat["size"]) == ("cat", "judge", True, 0.5)
    assert (cat["centroid"], cat["asked"]) == ([0.6, 0.5], {"centroid": [0.5, 0.5], "size": 0.5})


def test_what_was_not_achieved_is_said(request_file, tmp_path, here, capsys):
    words = ["render", str(request_file), "--out", str(tmp_path), "--prompt", "a cat to lose"]
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("cat: not found in the picture, says the judge\n")
    assert main([*words, "--json", "--overwrite"]) == 0
    (cat,) = json.loads(capsys.readouterr().out)["achieved"]
    assert (cat["found"], cat["offset"], cat["centroid"]) == (False, None, None)


def test_the_server_may_be_named(request_file, tmp_path, served, own_home):
    flags = ["--server", str(served.home / "connection.json"), "--out", str(tmp_path / "out")]
    assert main(["render", str(request_file), *flags]) == 0
    assert (tmp_path / "out" / "picture.png").exists()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--prompt", ""], "prompt: length"),
        (["--noise", "4"], "The noise must lie in 0 to 3, is 4. Choose another."),
        (["--seed", "2147483648"], "The seed must lie in 0 to 2147483647"),
        (["--strength", "nan"], "The strength must be a finite number."),
        (["--steps", "9" * 400], "The steps must lie in 1 to 1000"),
        (["--prompt", "a cat" + "!" * 1996], "The prompt has 2,001 letters; at most 2,000 are read."),
        (["--region", "cat: strength=1e999"], "regions.0.strength: must be a finite number"),
        (["--region", "dog: strength=0.5"], "the scene has no region 'dog'; it has cat"),
        (["--region", "cat: strength=much"], "say strength, start, until, description, colour"),
        (["--region", "cat: size=1"], "say strength, start, until, description, colour"),
        (["--region", "cat: strength=2"], "regions.0.strength"),
        (["--model", "sdxl"], "There is no model 'sdxl'"),
        (["--prompt", "a cat, raise"], "Painting failed"),
        (["--server", "/nowhere/connection.json"], "maquette serve"),
        (["--server", "c.json", "--loras", "."], "--server has its own models and --loras"),
        (["--camera", "Side", "--frame", "0", "--size", "50"], "camera, frame, size cannot be set once"),
    ],
)
def test_what_cannot_be_painted_says_why(request_file, tmp_path, here, capsys, flags, said):
    assert main(["render", str(request_file), "--out", str(tmp_path / "out"), *flags]) == 1
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told


def test_a_file_that_is_not_there_is_one_sentence(tmp_path, own_home, capsys):
    """Whatever it would be; and nothing is started or left behind for it."""
    for name in ("nope.blend", "nope.blockout.json"):
        assert main(["render", str(tmp_path / name), "--out", str(tmp_path / "out")]) == 1
        assert capsys.readouterr().err == f"There is no file {tmp_path / name}\n"
    assert list(tmp_path.iterdir()) == [own_home]
    assert [path.name for path in own_home.iterdir()] == ["command.json"]  # every verb tells the add-on its own path


def test_a_file_that_is_no_scene_is_one_sentence(tmp_path, here, capsys):
    pytest.importorskip("bpy", reason="bpy is not installed")
    scene = tmp_path / "notes.blend"
    scene.write_text("Dear diary")
    assert main(["render", str(scene), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("Blender cannot open the scene: ") and "notes.blend" in said[-1]
    assert "Traceback" not in "".join(said)
    assert list(tmp_path.iterdir()) == [scene]


def test_a_blender_that_is_not_there_is_one_sentence(tmp_path, here, capsys):
    scene = tmp_path / "scene.blend"
    scene.write_text("")
    assert main(["render", str(scene), "--out", str(tmp_path / "out"), "--blender", "/nowhere/blender"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "/nowhere/blender cannot be run: No such file or directory"


def test_a_scene_all_the_way(tmp_path, served):
    """.blend in; picture, blockout and a .blend with the picture behind the camera and on the things out."""
    pytest.importorskip("bpy", reason="bpy is not installed")
    scene, out = tmp_path / "scene.blend", tmp_path / "out"
    world = environment(served.home)
    subprocess.run([sys.executable, "-c", MAKE.format(path=str(scene))], env=world, check=True, capture_output=True)
    words = ["render", str(scene), "--out", str(out), "--seed", "5", "--masks", "0"]
    done = subprocess.run([sys.executable, "-m", "server", *words], env=world, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    asked = loads(Blockout, (out / "blockout.json").read_bytes())
    assert (asked.prompt, asked.seed, [region.phrase for region in asked.regions]) == ("a castle", 5, ["castle"])
    assert (asked.masks, asked.noise) == (0.0, NOISE)
    with Image.open(out / "picture.png") as picture:
        assert picture.size == (asked.frame.width, asked.frame.height)
    look = LOOK.format(path=str(out / "scene.blend"))
    seen = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout
    assert f"[(({asked.frame.width}, {asked.frame.height}), True)]" in seen

    look = REOPEN.format(path=str(out / "scene.blend"))
    done = subprocess.run([sys.executable, "-c", look], env=world, capture_output=True, text=True)
    told = json.loads(done.stdout.splitlines()[-1])
    assert loads(Blockout, told["request"]) == asked
    assert [item["name"] for item in json.loads(told["achieved"])] == ["castle"]
    assert (told["prompt"], told["seed"], told["steps"], told["strength"]) == ("a castle", 5, TOYBOX.steps, 1.0)
    assert (told["camera"], told["fits"], told["panel"]) == ("Camera", "Camera", True)

    plain = [sys.executable, "-m", "server", "render", str(scene), "--out", str(tmp_path / "plain")]
    subprocess.run(plain, env=world, capture_output=True, check=True)
    own = loads(Blockout, (tmp_path / "plain" / "blockout.json").read_bytes())
    assert (own.seed, own.masks) == (3, MASKS)

    refused = [*words, "--prompt", "a rocket", "--overwrite"]
    done = subprocess.run([sys.executable, "-m", "server", *refused], env=world, capture_output=True, text=True)
    assert done.returncode == 1
    assert "castle" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_server_one_is_started_and_gone(request_file, tmp_path, own_home, capsys):
    """With the real engine: a folder that only looks like a model gets as far as loading, in a server of its own."""
    folder = tmp_path / "hollow"
    for part, config in (("unet", {"sample_size": 8, "block_out_channels": [1]}), ("vae", {"block_out_channels": [1]})):
        (folder / part).mkdir(parents=True)
        (folder / part / "config.json").write_text(json.dumps(config))
    (folder / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    assert main(["render", str(request_file), "--out", str(tmp_path / "out"), "--model", str(folder)]) == 1
    assert "The model cannot be loaded" in capsys.readouterr().err
    assert [path.name for path in own_home.iterdir()] == ["command.json"]
