# SPDX-License-Identifier: MIT
"""``maquette verify``: what pictures say of themselves, after other programs have had them."""

import io
import json

import pytest
from PIL import Image

from addon.protocol.blockout import Frame
from addon.protocol.png import chunk, plain, with_chunk
from server.cli.pictures.verify import NotAPicture, main
from tests.server.safeguards.test_digital_source import painted
from tests.server.serving import serving

LARGE = {"width": 512, "height": 512, "frame": Frame(left=0, top=0, width=512, height=512)}


def verified(capsys, path, *words):
    """Exit code and what was printed, as JSON."""
    code = main([str(path), "--json", *words])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    """One of 512 by 512 pixels, as a server keeps it."""
    with serving(tmp_path_factory.mktemp("verify") / "home") as served:
        return painted(served, **LARGE)[0]


def test_all_of_a_picture_is_read(tmp_path, capsys, picture):
    path = tmp_path / "picture.png"
    path.write_bytes(picture)
    code, stated = verified(capsys, path)
    assert code == 0 and stated["of_a_model"] and stated["request"]["prompt"] == "a cat"
    assert stated["digital_source"] == "trainedAlgorithmicMedia" and stated["mark_matches"] is True
    assert main([str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Request      “a cat”, seed 7, toybox" and "that of the request" in lines[3]


def test_pixels_alone_are_enough(tmp_path, capsys, picture):
    """As a JPEG of half the size, which carries nothing else."""
    path = tmp_path / "picture.jpg"
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.resize((256, 256)).save(path, quality=80)
    code, stated = verified(capsys, path)
    assert (code, stated["request"], stated["digital_source"]) == (0, None, "")
    (tmp_path / "picture.png").write_bytes(picture)
    assert stated["mark"]["content"] == verified(capsys, tmp_path / "picture.png")[1]["mark"]["content"]


def test_a_strange_picture_is_nobodys(tmp_path, capsys):
    path = tmp_path / "strange.png"
    path.write_bytes(plain(600, 600, bytes(3 * 600 * 600)))
    code, stated = verified(capsys, path)
    assert code == 1 and not stated["of_a_model"] and stated["mark"] is None
    assert main([str(path)]) == 1
    assert "none in the pixels" in capsys.readouterr().out


def test_a_request_with_another_pictures_pixels_is_told(tmp_path, capsys, picture):
    with serving(tmp_path / "home") as served:
        other = painted(served, seed=8, **LARGE)[0]
    mixed, text = Image.open(io.BytesIO(other)), Image.open(io.BytesIO(picture)).text
    from PIL.PngImagePlugin import PngInfo

    carried = PngInfo()
    carried.add_text("maquette.blockout", text["maquette.blockout"])
    mixed.save(tmp_path / "mixed.png", pnginfo=carried)
    assert verified(capsys, tmp_path / "mixed.png")[1]["mark_matches"] is False


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n torn"])
def test_what_is_no_picture_is_a_sentence(tmp_path, content):
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(NotAPicture, match=r"x\.png cannot be read as a picture"):
        main([str(tmp_path / "x.png")])
    with pytest.raises(NotAPicture, match="No such file"):
        main([str(tmp_path / "absent.png")])


def test_its_owner_may_leave_the_mark_out(tmp_path, capsys):
    with serving(tmp_path / "home", "--no-mark") as served:
        (tmp_path / "x.png").write_bytes(painted(served, **LARGE)[0])
    code, stated = verified(capsys, tmp_path / "x.png")
    assert code == 0 and stated["mark"] is None


def test_signatures_are_held_against_a_root(tmp_path, capsys):
    pytest.importorskip("c2pa", reason="c2pa-python, the extra “credentials”, is not installed")
    from tests.server.safeguards.certificates import issued

    chain, path = issued(tmp_path), tmp_path / "x.png"
    (tmp_path / "root.pem").write_text(chain.root)
    words = ("--certificate", str(chain.certificate), "--private-key", str(chain.key))
    with serving(tmp_path / "home", *words) as served:
        path.write_bytes(painted(served)[0])
    code, stated = verified(capsys, path, "--trust", str(tmp_path / "root.pem"))
    assert (code, stated["credentials"]["state"]) == (0, "Trusted")
    path.write_bytes(with_chunk(path.read_bytes(), chunk(b"tEXt", b"Comment\0added later"), before=b"IEND"))
    assert main([str(path)]) == 1
    assert "BROKEN" in capsys.readouterr().out
