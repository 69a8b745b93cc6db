# SPDX-License-Identifier: MIT
"""``maquette sequence``: a real server, frames that follow their key frame, and what is refused before."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from addon.protocol.blockout import Blockout, CollagePart
from addon.protocol.strict_json import dump, loads
from server.cli.main import main
from server.worker.png_files import png
from tests.server.serving import block, blockout


@pytest.fixture
def frames(tmp_path, served, monkeypatch):
    """Three requests, in which the cat walks."""
    monkeypatch.setenv("MAQUETTE_HOME", str(served.home))
    paths = [tmp_path / f"{number:04d}.blockout.json" for number in (1, 2, 3)]
    for path, left in zip(paths, (0, 10, 20), strict=True):
        request = replace(blockout(), regions=(block("cat", (left, 0, left + 20, 30)),))
        path.write_text(json.dumps(dump(request)))
    return [str(path) for path in paths]


def requests(out) -> list[Blockout]:
    return [loads(Blockout, path.read_bytes()) for path in sorted(out.glob("*.blockout.json"))]


@pytest.mark.parametrize("after", ["first", "previous"])
def test_frames_follow_their_key_frame(frames, tmp_path, capsys, after):
    out = tmp_path / "out"
    assert main(["sequence", *frames, "--after", after, "--out", str(out)]) == 0
    pictures = [out / f"{number:04d}.png" for number in (1, 2, 3)]
    assert capsys.readouterr().out.split() == [str(path) for path in pictures]
    digests = [sha256(path.read_bytes()).hexdigest() for path in pictures]
    first, *others = requests(out)
    assert first.reference is None
    assert [frame.reference.picture for frame in others] == ([digests[0]] * 2 if after == "first" else digests[:2])
    assert all(region.look == "keep" for frame in others for region in frame.regions)


def test_a_frame_is_painted_again_from_its_folder(frames, tmp_path):
    out = tmp_path / "out"
    assert main(["sequence", *frames, "--out", str(out)]) == 0
    assert main(["render", str(out / "0003.blockout.json"), "--out", str(tmp_path / "again")]) == 0
    assert requests(out)[2] == loads(Blockout, (tmp_path / "again" / "blockout.json").read_bytes())


def test_what_is_no_sequence_is_refused_before_anything_is_painted(frames, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["sequence", *frames, frames[0], "--out", str(out)]) == 1
    assert "called the same" in capsys.readouterr().err
    assert main(["sequence", *frames, "--out", str(out)]) == 0
    follower = str(out / "0002.blockout.json")
    assert main(["sequence", follower, "--out", str(tmp_path / "more")]) == 1
    assert "0002 follows a picture of its own" in capsys.readouterr().err
    assert main(["sequence", *frames, "--out", str(out)]) == 1
    assert "is there already" in capsys.readouterr().err
    assert main(["sequence", *frames, "--out", str(out), "--overwrite", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["picture"] for line in lines] == [str(out / f"{number:04d}.png") for number in (1, 2, 3)]


def test_the_requests_themselves_are_never_replaced(frames, tmp_path, capsys):
    before = requests(tmp_path)
    for more in ([], ["--overwrite"]):
        assert main(["sequence", *frames, "--out", str(tmp_path), *more]) == 1
        assert "holds the requests" in capsys.readouterr().err
    assert requests(tmp_path) == before and not list(tmp_path.glob("*.png"))


def test_frames_that_take_something_out_of_a_picture(frames, tmp_path, capsys):
    """It lies beside the requests, and then beside the frames."""
    picture = png(Image.new("RGB", (64, 64), (200, 40, 40)))
    part = CollagePart(region="cat", picture=sha256(picture).hexdigest(), caption="a cat", phrase="cat")
    for path in map(Path, frames):
        path.write_text(json.dumps(dump(replace(loads(Blockout, path.read_bytes()), collage=(part,)))))
    words = ["sequence", *frames, "--out", str(tmp_path / "out")]
    assert main(words) == 1
    assert f"refers to the picture {part.picture[:12]}…: put it into {tmp_path}" in capsys.readouterr().err
    (tmp_path / "cat.png").write_bytes(picture)
    assert main(words) == 0
    assert all(request.collage == (part,) for request in requests(tmp_path / "out"))
    assert main(["render", str(tmp_path / "out" / "0003.blockout.json"), "--out", str(tmp_path / "again")]) == 0
