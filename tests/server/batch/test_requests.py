# SPDX-License-Identifier: MIT
"""Names of pictures, and the keys of what they are made of."""

import json
from dataclasses import replace

import pytest

from addon.protocol.content_key import content_key
from addon.protocol.default_model import TOYBOX
from addon.protocol.png import SIGNATURE
from addon.protocol.strict_json import dump
from server.batch.requests import best_of, name_of, parts_of, request_files, request_of, reseeded, sendable
from server.cli.request_files import NotARequest, read_request
from tests.server.batch.batches import requests
from tests.server.serving import blockout


def test_a_name_says_what_it_is_of():
    name = name_of("meadow", "Camera", 12, 3, 2)
    assert name == "meadow/Camera/seed0003-prompt2/0012"
    assert parts_of(name) == {"scene": "meadow", "camera": "Camera", "seed": "0003", "prompt": "2", "frame": "0012"}
    assert parts_of(name_of("meadow", "Camera", -1, 3))["frame"] == "-001"
    assert parts_of("cat")["scene"] == "cat"


@pytest.mark.parametrize(
    ("name", "again", "best"),
    [
        ("a/Camera/seed0007/0001", "a/Camera/seed0012/0001", "a/Camera/best/0001"),
        ("a/Camera/seed0007-prompt2/-001", "a/Camera/seed0012-prompt2/-001", "a/Camera/best-prompt2/-001"),
        ("a/seed0007/seed0007/0001", "a/seed0007/seed0012/0001", "a/seed0007/best/0001"),
        ("seed1/seed1/seed0003/0001", "seed1/seed1/seed0003/0001-seed0012", "seed1/seed1/best/0001"),
        ("cat", "cat-seed0012", "cat-best"),
        ("cat-seed0007", "cat-seed0012", "cat-best"),
    ],
)
def test_another_seed_and_the_best_of_all(name, again, best):
    """Whatever cameras and files are called, one named after a seed too."""
    assert reseeded(name, 7, 12) == again
    assert reseeded(name, 7, 7) == name
    assert best_of(name) == best_of(reseeded(name, 7, 12) if "0003" not in name else name) == best


def test_names_that_are_no_text_are_told_apart():
    assert sendable("Käse") == "Käse"
    assert sendable("\udcff").encode() and sendable("\udcff") != sendable("\udcfe")


def test_the_key_is_of_all_that_alters_pixels():
    key = content_key(blockout(), TOYBOX)
    assert key == content_key(blockout(), replace(TOYBOX, licence="other", nouns=()))
    others = [blockout(seed=8), blockout(strength=0.5), blockout(prompt="the cat"), blockout(regions=())]
    models = [
        replace(TOYBOX, revision="other"),
        replace(TOYBOX, fingerprint="f" * 64),
        replace(TOYBOX, precision="float16"),
        replace(TOYBOX, source="x"),
    ]
    keys = {key, *(content_key(other, TOYBOX) for other in others), *(content_key(blockout(), m) for m in models)}
    assert len(keys) == 1 + len(others) + len(models)


def test_requests_of_a_folder_and_of_files(tmp_path):
    folder = requests(tmp_path / "in", 2)
    (tmp_path / "cat.blockout.json").write_text(json.dumps(dump(blockout())))
    files = request_files([folder, tmp_path / "cat.blockout.json"])
    assert [request_of(*file).blockout.seed for file in files] == [7, 7, 7]
    assert [name for _, name in files] == ["cats/Camera/seed0007/0001", "cats/Camera/seed0007/0002", "cat"]


@pytest.mark.parametrize("content", [b"", b"{}", SIGNATURE, b"\xff\xff"])
def test_what_carries_no_request(tmp_path, content):
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(NotARequest, match=r"x\.png"):
        read_request(path)
    with pytest.raises(NotARequest, match="absent"):
        read_request(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotARequest, match="holds no file"):
        request_files([tmp_path / "empty"])
    with pytest.raises(NotARequest, match="There is no file"):
        request_files([tmp_path / "absent"])
