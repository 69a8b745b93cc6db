# SPDX-License-Identifier: MIT
"""``maquette render --keep-look``: what is sent of the picture, and what is refused before anything is painted."""

import io
import json
import struct
import zlib
from dataclasses import replace
from hashlib import sha256

import pytest
from PIL import Image

from addon.protocol.blockout import Blockout, Frame
from addon.protocol.strict_json import dump, loads
from server.cli.main import main
from server.cli.reference_flags import as_png
from server.worker.png_files import png
from tests.server.serving import blockout, serving


@pytest.fixture
def request_file(tmp_path, served, monkeypatch):
    monkeypatch.setenv("MAQUETTE_HOME", str(served.home))
    path = tmp_path / "cat.blockout.json"
    path.write_text(json.dumps(dump(blockout())))
    return path


@pytest.fixture
def before(request_file, tmp_path):
    """A picture of ours that others follow."""
    assert main(["render", str(request_file), "--out", str(tmp_path / "before")]) == 0
    return tmp_path / "before" / "picture.png"


def render(request_file, out, *words) -> Blockout:
    assert main(["render", str(request_file), "--out", str(out), *map(str, words)]) == 0
    return loads(Blockout, (out / "blockout.json").read_bytes())


def test_a_picture_of_ours_says_itself_what_it_shows(request_file, before, tmp_path):
    painted = render(request_file, tmp_path / "after", "--keep-look", before, "--seed", 9, "--prompt", "the cat again")
    assert painted.reference is not None
    assert (painted.reference.caption, painted.reference.seed, painted.reference.keeps) == ("a cat", 7, "picture")
    assert [(r.name, r.mask) for r in painted.reference.regions] == [("cat", blockout().regions[0].mask)]
    assert [region.look for region in painted.regions] == ["keep"]


def test_what_was_painted_so_is_painted_so_again(request_file, before, tmp_path):
    first = render(request_file, tmp_path / "after", "--keep-look", before, "--repaint", "cat")
    assert [region.look for region in first.regions] == ["repaint"]
    assert render(tmp_path / "after" / "blockout.json", tmp_path / "again") == first


def test_a_photograph_is_cut_to_the_picture_and_has_the_caption_it_is_given(request_file, tmp_path):
    photograph = tmp_path / "photo.jpg"
    Image.new("RGB", (400, 200), (9, 8, 7)).save(photograph)
    words = ("--keep-look", photograph, "--caption", "a fat cat", "--other-view")
    painted = render(request_file, tmp_path / "after", *words)
    assert painted.reference is not None
    assert (painted.reference.caption, painted.reference.keeps) == ("a fat cat", "look")
    with Image.open(tmp_path / "after" / "reference.png") as sent:
        assert sent.size == (64, 48)


@pytest.mark.parametrize(("flag", "keeps"), [("--restyle", "layout"), ("--reword", "attention")])
def test_other_words_keep_no_look(request_file, before, tmp_path, flag, keeps):
    painted = render(request_file, tmp_path / "after", flag, before)
    assert painted.reference is not None and painted.reference.keeps == keeps
    assert [region.look for region in painted.regions] == ["free"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--repaint", "cat"], "need --keep-look"),
        (["--keep-look", "{before}", "--keep", "dog"], "no region dog; it has cat"),
        (["--keep-look", "{blockout}"], "no picture that can be followed"),
        (["--keep-look", "nowhere.png"], "no picture that can be followed"),
    ],
)
def test_what_cannot_be_followed_is_said(request_file, before, tmp_path, capsys, words, sentence):
    named = [word.format(before=before, blockout=request_file) for word in words]
    assert main(["render", str(request_file), "--out", str(tmp_path / "after"), *named]) == 1
    assert sentence in capsys.readouterr().err


def test_a_file_that_pillow_chokes_on_is_no_picture(request_file, tmp_path, capsys):
    whole = png(Image.new("RGB", (8, 8)))
    comment = b"x\0\0" + zlib.compress(bytes(5 * 2**20))
    chunk = struct.pack(">I", len(comment)) + b"zTXt" + comment + struct.pack(">I", zlib.crc32(b"zTXt" + comment))
    for name, content in (("large", whole[:33] + chunk + whole[33:]), ("torn", whole[:8] + b"\0\0\0\4" + whole[12:])):
        (path := tmp_path / f"{name}.png").write_bytes(content)
        for words in (["--keep-look", str(path), "--caption", "a cat"], ["--take", f"cat={path}"]):
            assert main(["render", str(request_file), "--out", str(tmp_path / "out"), *words]) == 1
            assert f"{path} is no picture that can be followed" in capsys.readouterr().err


def test_a_region_is_taken_out_of_another_picture(request_file, before, tmp_path):
    painted = render(request_file, tmp_path / "after", "--take", f"cat={before}")
    (part,) = painted.collage
    assert (part.region, part.phrase, part.caption) == ("cat", "cat", "a cat") and painted.reference is None
    sent = (tmp_path / "after" / f"part-{part.picture[:12]}.png").read_bytes()
    assert sha256(sent).hexdigest() == part.picture
    assert render(tmp_path / "after" / "blockout.json", tmp_path / "again") == painted


def test_a_region_is_taken_into_a_picture_that_is_followed(request_file, before, tmp_path):
    photograph = tmp_path / "photo.jpg"
    Image.new("RGB", (400, 200), (9, 8, 7)).save(photograph)
    taking = f"cat={photograph}; phrase=tabby; caption=a tabby on a mat"
    painted = render(request_file, tmp_path / "after", "--keep-look", before, "--take", taking)
    (part,) = painted.collage
    assert (part.phrase, part.caption) == ("tabby", "a tabby on a mat")
    assert painted.reference is not None and [region.look for region in painted.regions] == ["repaint"]
    assert len(set(painted.pictures)) == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--take", "cat"], "say castle=photo.jpg"),
        (["--take", "dog=photo.jpg"], "no region dog; it has cat"),
        (["--take", "cat=nowhere.png"], "no picture that can be followed"),
        (["--flat", "dog=1,0,0"], "no region 'dog'"),
        (["--flat", "cat=red"], "say red, green and blue"),
        (["--blocking", "2"], "blocking.amount"),
    ],
)
def test_what_cannot_be_taken_is_said(request_file, tmp_path, capsys, words, sentence):
    assert main(["render", str(request_file), "--out", str(tmp_path / "after"), *words]) == 1
    assert sentence in capsys.readouterr().err


def test_a_blocking_is_what_the_words_say(request_file, tmp_path):
    painted = render(request_file, tmp_path / "after", "--flat", "cat=1,0.5,0", "--ground", "0,0,1")
    assert painted.blocking is not None and painted.blocking.ground == (0.0, 0.0, 1.0)
    assert [(one.region, one.colour) for one in painted.blocking.colours] == [("cat", (1.0, 0.5, 0.0))]
    again = render(tmp_path / "after" / "blockout.json", tmp_path / "again", "--blocking", "0.5")
    assert again.blocking == replace(painted.blocking, amount=0.5)


def test_a_region_is_pulled_to_what_another_picture_shows(request_file, before, tmp_path):
    words = ("--take", f"cat={before}", "--like", f"cat={before}", "--like", f"cat={before}; same=shape; weight=2")
    painted = render(request_file, tmp_path / "after", *words)
    look, outline = painted.likenesses
    assert (look.region, look.phrase, look.caption, look.seed) == ("cat", "cat", "a cat", 7)
    assert (look.properties, outline.properties, outline.weight) == (("appearance",), ("shape",), 2.0)
    assert painted.regions[0].enforce == () and set(painted.pictures) == {look.picture}
    assert render(tmp_path / "after" / "blockout.json", tmp_path / "again") == painted


@pytest.mark.parametrize("asked", ["--keep-look", "--take", "--like"])
def test_what_is_named_anew_replaces_its_own_kind_alone(request_file, before, tmp_path, asked):
    """A server that knows none of the pictures is sent them all, and all lie beside the new request."""
    photograph = tmp_path / "photo.png"
    Image.new("RGB", (64, 48), (9, 8, 7)).save(photograph)
    words = ("--keep-look", before, "--take", f"cat={before}", "--like", f"cat={before}; weight=2")
    first = render(request_file, tmp_path / "first", *words)
    named = photograph if asked == "--keep-look" else f"cat={photograph}"
    with serving(tmp_path / "other") as other:
        server = ("--server", other.home / "connection.json")
        painted = render(tmp_path / "first" / "blockout.json", tmp_path / "then", asked, named, *server)
    kinds = {"--keep-look": "reference", "--take": "collage", "--like": "likenesses"}
    for flag, kind in kinds.items():
        assert (getattr(painted, kind) == getattr(first, kind)) == (flag != asked)
    assert [region.look for region in painted.regions] == ["repaint"]
    beside = {sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "then").glob("*.png")}
    assert {sha256(photograph.read_bytes()).hexdigest()} <= set(painted.pictures) <= beside


def test_a_photograph_fits_whatever_its_sides_come_to_when_they_are_scaled():
    """100 / 352 * 352 is more than 100."""
    tall = replace(blockout(), width=192, height=352, frame=Frame(left=0, top=0, width=192, height=352))
    for width, height in ((100, 100), (120, 100), (140, 200)):
        file = io.BytesIO()
        Image.new("RGB", (width, height), (9, 8, 7)).save(file, "JPEG")
        with Image.open(io.BytesIO(as_png(file.getvalue(), tall))) as sent:
            assert sent.size == (192, 352)


def test_a_look_alone_leaves_the_block_as_it_is(request_file, before, tmp_path):
    painted = render(request_file, tmp_path / "after", "--keep-look", before, "--like", f"cat={before}")
    assert painted.regions[0].enforce == blockout().regions[0].enforce and painted.reference is not None


def test_a_photograph_says_where_and_how_large(request_file, tmp_path):
    photograph = tmp_path / "photo; last.jpg"
    Image.new("RGB", (400, 200), (9, 8, 7)).save(photograph)
    liking = f"cat={photograph}; shift=0.25,-0.5; factor=2; phrase=tabby; caption=a tabby; on a mat;"
    painted = render(request_file, tmp_path / "after", "--like", liking)
    (part,) = painted.likenesses
    assert (part.properties, part.shift, part.factor) == (("centroid", "size"), (0.25, -0.5), 2.0)
    assert (part.phrase, part.caption, part.seed) == ("tabby", "a tabby; on a mat", 0)
    assert (tmp_path / "after" / f"part-{part.picture[:12]}.png").is_file()


@pytest.mark.parametrize("said", ["same=colour", "shift=1", "shift=a,b", "factor=0", "weight=x", "strength=1"])
def test_what_nothing_can_be_like_is_said(request_file, before, tmp_path, capsys, said):
    words = ["--like", f"cat={before}; {said}"]
    assert main(["render", str(request_file), "--out", str(tmp_path / "after"), *words]) == 1
    assert "same=shape,appearance" in capsys.readouterr().err


def test_a_region_is_named_and_held_otherwise(request_file, tmp_path):
    words = ("--prompt", "a dog", "--region", "cat: phrase=dog; enforce=centroid,size; unnamed=yes")
    (region,) = render(request_file, tmp_path / "after", *words).regions
    assert (region.name, region.phrase, region.enforce, region.unnamed) == ("cat", "dog", ("centroid", "size"), True)
