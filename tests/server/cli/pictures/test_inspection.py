# SPDX-License-Identifier: MIT
"""``maquette inspect``, as it is typed: the model that ships, files on disk."""

import json
from dataclasses import replace
from hashlib import sha256

import pytest

from addon.protocol.blockout import ReferencePicture
from addon.protocol.strict_json import dump
from server.catalogue import offered
from server.cli.main import main
from server.worker.engine import DiffusionEngine
from tests.server.serving import block, blockout

ASKED = blockout(
    prompt="a castle on a meadow", regions=(block("castle", (10, 10, 50, 50)),), width=64, height=64, steps=2
)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MAQUETTE_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def picture() -> bytes:
    """A picture of ours."""
    engine = DiffusionEngine()
    engine.load(offered(())[0])
    return engine.paint(ASKED, lambda progress: None).picture


def test_a_picture_becomes_a_page_beside_it(tmp_path, picture, capsys):
    file = tmp_path / "castle.png"
    file.write_bytes(picture)
    assert main(["inspect", str(file), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    page = tmp_path / "castle.png.inspect.html"
    assert answer == {"page": str(page), "difference": 0.0}
    assert "a castle on a meadow" in page.read_text("utf-8")


def test_a_request_is_looked_into_with_other_steps(tmp_path, capsys):
    file, page = tmp_path / "castle.blockout.json", tmp_path / "pages" / "castle.html"
    file.write_text(json.dumps(dump(ASKED)))
    assert main(["inspect", str(file), "--steps", "3", "--out", str(page)]) == 0
    assert capsys.readouterr().out.strip() == str(page)
    assert "predicted at step 3" in page.read_text("utf-8")


def test_the_picture_that_it_follows_lies_beside_it_or_is_named(tmp_path, picture, capsys):
    followed = ReferencePicture(picture=sha256(picture).hexdigest(), caption=ASKED.prompt, seed=ASKED.seed)
    file = tmp_path / "castle.blockout.json"
    file.write_text(json.dumps(dump(replace(ASKED, seed=1, reference=followed))))
    assert main(["inspect", str(file)]) == 1
    assert "name it with --reference" in capsys.readouterr().err
    (tmp_path / "other.png").write_bytes(picture)
    assert main(["inspect", str(file), "--reference", str(tmp_path / "other.png")]) == 0
    (tmp_path / "reference.png").write_bytes(picture)
    assert main(["inspect", str(file)]) == 0
    assert "kept of the reference" in (tmp_path / "castle.blockout.json.inspect.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("changes", "words", "sentence"),
    [
        ({"model": "dreamer"}, [], "There is no model dreamer here"),
        ({"prompt": "a meadow"}, [], "does not say 'castle'"),
        ({}, ["--steps", "0"], "0 steps"),
    ],
)
def test_what_cannot_be_looked_into_is_said(tmp_path, capsys, changes, words, sentence):
    file = tmp_path / "castle.blockout.json"
    file.write_text(json.dumps(dump(replace(ASKED, **changes))))
    assert main(["inspect", str(file), *words]) == 1
    assert sentence in capsys.readouterr().err
    assert not list(tmp_path.glob("*.html"))


def test_a_file_that_carries_no_request_is_refused(tmp_path, capsys):
    file = tmp_path / "photo.png"
    file.write_bytes(b"no picture")
    assert main(["inspect", str(file)]) == 1
    assert "is no blockout" in capsys.readouterr().err
