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
