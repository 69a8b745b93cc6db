# SPDX-License-Identifier: MIT
"""``maquette render PICTURE --object``: what is asked for of a picture's layout, and what is refused."""

from argparse import Namespace
from pathlib import Path

import pytest
from PIL import Image

from addon.protocol.blockout import Blockout
from addon.protocol.default_model import TOYBOX
from addon.protocol.strict_json import loads
from server.cli.main import main
from server.cli.pictures.layout_source import NoLayout, request_of_picture

CAPTION = "a dog and a cat in a garden"


@pytest.fixture
def photograph(tmp_path) -> Path:
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (400, 200), (9, 8, 7)).save(path)
    return path


def words(scene: Path, *objects: str, **changes) -> Namespace:
    plain = {"caption": CAPTION, "like": [], "keep_look": None, "restyle": None, "reword": None}
    return Namespace(scene=scene, objects=list(objects), **{**plain, **changes})


def test_it_is_as_large_as_the_model_paints_one_of_that_shape(photograph):
    blockout, told = request_of_picture(words(photograph, "lion=dog", "cat"), {}, TOYBOX)
    assert (blockout.width, blockout.height, blockout.frame.width, blockout.frame.height) == (352, 192, 352, 192)
    assert blockout.prompt == "a lion and a cat in a garden" and blockout.steps == TOYBOX.steps
    assert [(region.name, region.enforce, region.depth) for region in blockout.regions] == [
        ("lion", (), 0),
        ("cat", (), 1),
    ]
    assert [text.partition(";")[2] for text in told.like] == [
        f" same=shape; phrase={old}; caption={CAPTION}" for old in ("dog", "cat")
    ]
    assert told.caption is None


def test_settings_and_words_are_those_of_the_command_line(photograph):
    asked = words(photograph, "lion=dog", like=["lion=other.png"], restyle=photograph)
    blockout, told = request_of_picture(asked, {"prompt": "a lion at night", "size": 50, "seed": 3}, TOYBOX)
    assert (blockout.prompt, blockout.seed, blockout.width) == ("a lion at night", 3, 192)
    assert told.like[-1] == "lion=other.png" and told.caption == CAPTION


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"caption": None}, "does not say what it shows"), ({"objects": ["=dog"]}, "such as lion=dog")],
)
def test_what_gives_no_layout_is_said(photograph, changes, sentence):
    asked = Namespace(**{**vars(words(photograph, "dog")), **changes})
    with pytest.raises(NoLayout, match=sentence):
        request_of_picture(asked, {}, TOYBOX)


def test_a_panorama_is_too_long(tmp_path):
    Image.new("RGB", (9000, 2)).save(tmp_path / "long.png")
    with pytest.raises(NoLayout, match="too many for a side"):
        request_of_picture(words(tmp_path / "long.png", "dog"), {"size": 100}, TOYBOX)


def test_what_is_no_picture_is_said(tmp_path):
    (tmp_path / "scene.blend").write_bytes(b"BLENDER")
    for path in (tmp_path / "scene.blend", tmp_path / "nowhere.png"):
        with pytest.raises(NoLayout, match="no picture that can be read"):
            request_of_picture(words(path, "dog"), {}, TOYBOX)


def test_a_photograph_is_rendered_from_the_command_line(photograph, tmp_path, served, monkeypatch, capsys):
    monkeypatch.setenv("MAQUETTE_HOME", str(served.home))
    out = tmp_path / "out"
    assert main(["render", str(photograph), "--caption", CAPTION, "--object", "lion=dog", "--out", str(out)]) == 0
    painted = loads(Blockout, (out / "blockout.json").read_bytes())
    (part,) = painted.likenesses
    assert (part.region, part.phrase, part.properties, part.caption) == ("lion", "dog", ("shape",), CAPTION)
    assert painted.regions[0].enforce == () and "lion: " in capsys.readouterr().out
    assert (out / "picture.png").is_file() and not (out / "scene.blend").exists()
