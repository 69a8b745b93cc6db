# SPDX-License-Identifier: MIT
"""``maquette paint`` of requests that refer to pictures: found by their sha256, handed over."""

import io
import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from addon.protocol.blockout import Blockout, CollagePart, ReferencePicture
from addon.protocol.strict_json import dump
from server.batch.manifest import read_rows
from server.batch.references.reference_files import ReferenceFiles
from server.cli.main import main
from server.cli.reference_flags import WrongReference
from tests.server.serving import blockout


@pytest.fixture
def here(served, monkeypatch):
    """The running server is this person's."""
    monkeypatch.setenv("MAQUETTE_HOME", str(served.home))
    return served


def picture(folder: Path, name: str, colour: tuple[int, int, int]) -> str:
    """A PNG file; its sha256."""
    file = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(file, "PNG")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(file.getvalue())
    return sha256(file.getvalue()).hexdigest()


def following(digest: str, *parts: str, **changes: object) -> Blockout:
    """One that follows a picture, and takes its cat out of others."""
    taken = tuple(CollagePart(region="cat", picture=part, caption="a tabby", phrase="tabby") for part in parts)
    reference = ReferencePicture(picture=digest, caption="a cat")
    return replace(blockout(**changes), reference=reference, collage=taken)


def written(path: Path, asked: Blockout) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dump(asked)))
    return path


def test_what_lies_beside_a_request_is_handed_over_and_kept_beside_its_picture(tmp_path, here, capsys):
    digest = picture(tmp_path / "in", "whatever it is called.PNG", (9, 8, 7))
    file = written(tmp_path / "in" / "cat.blockout.json", following(digest, prompt="a cat that follows"))
    out = tmp_path / "out"
    assert main(["paint", str(file), "--out", str(out)]) == 0
    assert "1 painted" in capsys.readouterr().err
    beside = out / f"reference-{digest[:12]}.png"
    assert sha256(beside.read_bytes()).hexdigest() == digest
    assert json.loads((out / "cat.blockout.json").read_text())["reference"]["picture"] == digest
    assert main(["paint", str(out / "cat.png"), "--out", str(tmp_path / "again")]) == 0  # a picture is a request too
    assert (tmp_path / "again" / "cat.png").read_bytes() == (out / "cat.png").read_bytes()


def test_a_collage_is_found_in_the_folders_that_are_named(tmp_path, here):
    first, second = picture(tmp_path / "a", "1.png", (1, 2, 3)), picture(tmp_path / "b", "2.png", (3, 2, 1))
    written(tmp_path / "in" / "cats" / "1.blockout.json", following(first, second, prompt="a cat out of two"))
    folders = ["--references", str(tmp_path / "a"), "--references", str(tmp_path / "b")]
    assert main(["paint", str(tmp_path / "in"), *folders, "--out", str(tmp_path / "out")]) == 0
    names = {path.name for path in (tmp_path / "out" / "cats").glob("reference-*.png")}
    assert names == {f"reference-{first[:12]}.png", f"reference-{second[:12]}.png"}


def test_what_is_nowhere_is_said_and_hinders_no_other(tmp_path, here, capsys):
    written(tmp_path / "in" / "a.blockout.json", following("0" * 64))
    written(tmp_path / "in" / "b.blockout.json", replace(following("0" * 64, "1" * 64), reference=None))
    written(tmp_path / "in" / "c.blockout.json", blockout(prompt="a cat that follows none"))
    out, empty = tmp_path / "out", tmp_path / "empty"
    empty.mkdir()
    assert main(["paint", str(tmp_path / "in"), "--references", str(empty), "--out", str(out)]) == 1
    said = " ".join(capsys.readouterr().err.split())
    looked = f"which no PNG file in {tmp_path / 'in'} or {empty} has: put it there, or name its folder with"
    for name, digest, words in (("a", "0" * 64, "follows"), ("b", "1" * 64, "takes something of")):
        file = tmp_path / "in" / f"{name}.blockout.json"
        assert f"{file} {words} the picture with the sha256 {digest}, {looked} --references" in said
    assert set(read_rows(out)) == {"c"}


def test_a_folder_that_is_none_is_said(tmp_path):
    files = ReferenceFiles((tmp_path / "gone",))
    with pytest.raises(WrongReference, match="gone cannot be looked into: No such file or directory"):
        files.of(following("0" * 64), tmp_path / "cat.blockout.json")


def test_a_file_that_has_changed_since_it_was_listed_is_another(tmp_path):
    digest, files = picture(tmp_path, "1.png", (1, 2, 3)), ReferenceFiles()
    assert len(files.of(following(digest), tmp_path / "x.json")) == 1
    picture(tmp_path, "1.png", (3, 2, 1))
    with pytest.raises(WrongReference, match=digest):
        files.of(following(digest), tmp_path / "x.json")
