# SPDX-License-Identifier: MIT
"""``--keep-look``: each picture follows its key, which is painted first; what is there is not painted again."""

import asyncio
import json
from hashlib import sha256

import pytest

from server.batch.manifest import read_rows
from server.batch.paint import BatchPainter
from server.batch.references.looks import BatchLook
from server.batch.requests import PictureRequest
from server.cli.following import NotPainted
from server.cli.main import main
from tests.server.batch.batches import MEADOW, jobs, pictures, requests
from tests.server.serving import blockout


@pytest.fixture
def here(served, monkeypatch):
    """The running server is this person's."""
    monkeypatch.setenv("MAQUETTE_HOME", str(served.home))
    return served


def reference(out, name: str) -> dict | None:
    """What a picture was asked to follow."""
    return json.loads((out / f"{name}.blockout.json").read_text()).get("reference")


def two_cameras(folder):
    """Three frames of one camera, and one of another."""
    made = requests(folder, 3, prompt="a cat with a look")
    other = made / "cats" / "Side" / "seed0007" / "0001.blockout.json"
    other.parent.mkdir(parents=True)
    other.write_bytes((made / "cats" / "Camera" / "seed0007" / "0001.blockout.json").read_bytes())
    return made


def test_every_picture_follows_the_first_of_its_kind(tmp_path, here, capsys) -> None:
    folder, out = two_cameras(tmp_path / "in"), tmp_path / "out"
    words = ["paint", str(folder), "--seeds", "1-2", "--keep-look", "first", "--out", str(out)]
    assert main(words) == 0
    for seed in (1, 2):
        key = f"cats/Camera/seed000{seed}/0001"
        digest = sha256((out / f"{key}.png").read_bytes()).hexdigest()
        assert reference(out, key) is None
        followers = {name: reference(out, name) for name in read_rows(out) if f"seed000{seed}" in name and name != key}
        assert len(followers) == 3
        beside = (out / f"cats/Camera/seed000{seed}/reference.png").read_bytes()
        assert {item["picture"] for item in followers.values()} == {sha256(beside).hexdigest()}
        assert {name.split("/")[1]: item["keeps"] for name, item in followers.items()} == {
            "Camera": "picture",
            "Side": "look",
        }
        assert digest and all(item["seed"] == seed for item in followers.values())
    first, before = pictures(out), len(jobs(here))
    capsys.readouterr()
    assert main(words) == 0
    assert "8 of 8: 0 painted, 8 there, 0 failed" in capsys.readouterr().err
    assert pictures(out) == first and len(jobs(here)) == before


@pytest.mark.parametrize("part", ["cats", "cats/Camera", "cats/Camera/seed0007"])
def test_the_first_of_a_part_of_the_requests_is_followed_by_the_rest_of_it(part, tmp_path, here) -> None:
    folder, out = requests(tmp_path / "in", 3, prompt="a cat with a look"), tmp_path / "out"
    assert main(["paint", str(folder / part), "--keep-look", "first", "--out", str(out)]) == 0
    first, *others = sorted(read_rows(out))
    assert reference(out, first) is None
    digest = sha256((out / first).with_name("reference.png").read_bytes()).hexdigest()
    assert [reference(out, name)["picture"] for name in others] == [digest, digest]


def test_the_first_is_the_key_whoever_s_files_are_read_sooner(tmp_path) -> None:
    keys: list[str] = []

    class Source:
        """One that is told sooner what the second request's files are than what the first one's are."""

        pauses = iter((0.2, 0.0))

        async def pinned(self, blockout):
            await asyncio.sleep(next(self.pauses))
            raise NotPainted("pinned, and that is all")

    class Look(BatchLook):
        def is_key(self, request):
            first = super().is_key(request)
            keys.extend([request.name] * first)
            return first

    async def paint() -> None:
        painter = BatchPainter(Source(), tmp_path, (), {}, lambda *news, **facts: None, look=Look())
        ones = [PictureRequest(f"cats/Camera/seed0001/{frame:04d}", blockout()) for frame in (1, 2)]
        await asyncio.gather(*map(painter.paint, ones))

    asyncio.run(paint())
    assert keys == ["cats/Camera/seed0001/0001"]


@pytest.mark.parametrize("content", [b"\xff\xd8\xff\xe0 torn", b"no picture"])
def test_a_picture_that_cannot_be_read_is_said_before_anything_is_captured(content, tmp_path, capsys) -> None:
    (tmp_path / "torn.jpg").write_bytes(content)
    words = ["batch", str(MEADOW), "--keep-look", str(tmp_path / "torn.jpg"), "--out", str(tmp_path / "out")]
    assert main(words) == 1
    assert "torn.jpg is neither 'first' nor a picture that can be followed" in capsys.readouterr().err


def test_a_key_that_cannot_be_painted_fails_those_that_follow_it_alone(tmp_path, here, capsys) -> None:
    bad = requests(tmp_path / "bad", 2, prompt="a cat to raise")
    (bad / "cats").rename(bad / "dogs")
    folder, out = requests(tmp_path / "in", 2, prompt="a cat of another look"), tmp_path / "out"
    assert main(["paint", str(bad), str(folder), "--keep-look", "first", "--out", str(out)]) == 1
    assert "whose look it was to keep, was not painted" in capsys.readouterr().err
    assert set(read_rows(out)) == {f"cats/Camera/seed0007/000{frame}" for frame in (1, 2)}


def test_a_picture_that_is_named_is_followed_by_all(tmp_path, here, capsys) -> None:
    folder, out = requests(tmp_path / "in", 2, prompt="a cat like that one"), tmp_path / "out"
    assert main(["paint", str(requests(tmp_path / "key", 1)), "--out", str(tmp_path / "one")]) == 0
    key = tmp_path / "one/cats/Camera/seed0007/0001.png"
    assert main(["paint", str(folder), "--keep-look", str(key), "--out", str(out)]) == 0
    assert all(reference(out, name)["keeps"] == "picture" for name in read_rows(out))
    assert main(["paint", str(folder), "--keep-look", str(tmp_path / "none.png"), "--out", str(out)]) == 1
    assert "is neither 'first' nor a picture that can be followed" in capsys.readouterr().err
