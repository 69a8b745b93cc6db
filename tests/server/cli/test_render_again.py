# SPDX-License-Identifier: MIT
"""A picture again: from its own file, never over another in silence, and cancelled by whoever gives up."""

import json
import os
import signal
from dataclasses import replace

import pytest

from addon.protocol.strict_json import dump
from server.cli.main import main
from server.cli.request_files import of_model, read_request
from tests.server.batch.batches import jobs, start
from tests.server.serving import blockout, serving, wait_until


@pytest.fixture
def request_file(tmp_path):
    path = tmp_path / "cat.blockout.json"
    path.write_text(json.dumps(dump(blockout(prompt="a cat again"))))
    return path


def test_a_picture_is_an_input(request_file, tmp_path, served, monkeypatch):
    """And gives the same file again; with a flag, another."""
    monkeypatch.setenv("MAQUETTE_HOME", str(served.home))
    assert main(["render", str(request_file), "--out", str(tmp_path / "one")]) == 0
    picture = tmp_path / "one" / "picture.png"
    assert main(["render", str(picture), "--out", str(tmp_path / "two")]) == 0
    assert (tmp_path / "two" / "picture.png").read_bytes() == picture.read_bytes()
    assert main(["render", str(picture), "--seed", "9", "--out", str(tmp_path / "three")]) == 0
    assert (tmp_path / "three" / "picture.png").read_bytes() != picture.read_bytes()


def test_another_model_paints_it(request_file, tmp_path, served, monkeypatch):
    """In a precision of its own; with its own name, a request stays that of the files that painted it."""
    monkeypatch.setenv("MAQUETTE_HOME", str(served.home))
    asked = blockout(prompt="a cat again", model="mine", fingerprint="f" * 64, precision="bfloat16")
    request_file.write_text(json.dumps(dump(asked)))
    for verb, written in (("render", "blockout.json"), ("paint", "cat.blockout.json")):
        out = tmp_path / verb
        assert main([verb, str(request_file), "--model", "toybox", "--out", str(out)]) == 0
        assert read_request(out / written) == replace(asked, model="toybox", fingerprint="", precision="")
    assert of_model(asked, "mine") == of_model(asked, None) == {}


def test_nothing_is_overwritten_in_silence(request_file, tmp_path, served, monkeypatch, capsys):
    monkeypatch.setenv("MAQUETTE_HOME", str(served.home))
    out = tmp_path / "out"
    words = ["render", str(request_file), "--out", str(out)]
    assert main(words) == 0
    before = (out / "picture.png").read_bytes()
    assert main([*words, "--seed", "9"]) == 1
    said = f"{out / 'picture.png'} is there already: name another folder with --out, or say --overwrite"
    assert said in capsys.readouterr().err
    assert (out / "picture.png").read_bytes() == before
    assert json.loads((out / "blockout.json").read_text())["seed"] == 7
    assert main([*words, "--seed", "9", "--overwrite"]) == 0
    assert (out / "picture.png").read_bytes() != before


def test_the_request_that_is_read_is_not_replaced_by_another(tmp_path, served, monkeypatch, capsys):
    """It may lie in the folder of the results, as long as they are of it, in whatever way it is written."""
    monkeypatch.setenv("MAQUETTE_HOME", str(served.home))
    shots = tmp_path / "shots"
    shots.mkdir()
    path = shots / "blockout.json"
    path.write_text(before := json.dumps(dump(blockout(prompt="a cat again")), indent=1) + "\n")
    assert main(["render", str(path), "--seed", "9", "--out", str(shots)]) == 1
    assert f"{path} is there already: name another folder with --out" in capsys.readouterr().err
    assert path.read_text() == before and not (shots / "picture.png").exists()
    assert main(["render", str(path), "--out", str(shots)]) == 0
    assert main(["render", str(path), "--seed", "9", "--out", str(shots), "--overwrite"]) == 0
    assert read_request(path).seed == 9


def test_a_scene_is_not_replaced_by_its_painted_copy_nor_another_in_silence(tmp_path, served, monkeypatch, capsys):
    monkeypatch.setenv("MAQUETTE_HOME", str(served.home))
    scene, other = tmp_path / "scene.blend", tmp_path / "other.blend"
    scene.write_bytes(b"mine")
    other.write_bytes(b"another")
    for more in ([], ["--overwrite"]):
        assert main(["render", str(scene), "--out", str(tmp_path), *more]) == 1
        assert "is the scene itself, which its painted copy would replace" in capsys.readouterr().err
    assert main(["render", str(other), "--out", str(tmp_path)]) == 1
    assert f"{scene} is there already" in capsys.readouterr().err
    copied = tmp_path / "scene" / "scene.blend"
    copied.parent.mkdir()
    copied.write_bytes(b"mine")
    assert main(["batch", str(copied), "--scenes", "--out", str(tmp_path)]) == 1
    assert f"{copied} is the scene itself" in capsys.readouterr().err
    assert (scene.read_bytes(), copied.read_bytes()) == (b"mine", b"mine")


def test_files_of_dotted_names_have_folders_of_their_own(tmp_path, served, monkeypatch):
    monkeypatch.setenv("MAQUETTE_HOME", str(served.home))
    monkeypatch.chdir(tmp_path)
    for number in ("001", "002"):
        (tmp_path / f"shot.{number}.blockout.json").write_text(json.dumps(dump(blockout())))
        assert main(["render", f"shot.{number}.blockout.json"]) == 0
    assert {path.parent.name for path in tmp_path.rglob("picture.png")} == {"shot.001", "shot.002"}
    assert main(["paint", "shot.001.blockout.json", "shot.002.blockout.json", "--out", "painted"]) == 0
    assert {path.name for path in (tmp_path / "painted").glob("shot*.png")} == {"shot.001.png", "shot.002.png"}


def test_whoever_gives_up_cancels(tmp_path):
    path = tmp_path / "slow.blockout.json"
    path.write_text(json.dumps(dump(blockout(prompt="a cat, ms=100", steps=100))))
    with serving(tmp_path / "home") as served:
        render = start(served.home, tmp_path / "log", "render", path, "--out", tmp_path / "out")
        wait_until(lambda: any(job["state"] == "running" for job in jobs(served)))
        os.kill(render.pid, signal.SIGINT)
        assert render.wait(5) == 130
        wait_until(lambda: [job["state"] for job in jobs(served)] == ["cancelled"])


def test_a_render_survives_a_restart(tmp_path):
    path = tmp_path / "slow.blockout.json"
    path.write_text(json.dumps(dump(blockout(prompt="a cat, ms=50", steps=40))))
    home = tmp_path / "home"
    with serving(home) as first:
        render = start(home, tmp_path / "log", "render", path, "--out", tmp_path / "out")
        wait_until(lambda: any(job["state"] == "running" for job in jobs(first)))
        first.kill(with_worker=True)
        with serving(home) as second:
            assert render.wait(60) == 0, (tmp_path / "log").read_text()
            assert len(jobs(second)) == 1
    assert (tmp_path / "out" / "picture.png").exists()
