# SPDX-License-Identifier: MIT
"""Files that carry a request: PNG and JSON, ours and others', whole and broken."""

import io
import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from addon.messages.errors import NoRequest
from addon.pictures import history
from addon.pictures.png_text import texts, with_text
from addon.pictures.request_file import BLOCKOUT, Opened, opened, saved
from addon.protocol.png import BLOCKOUT_KEY, chunk, with_chunk
from addon.protocol.strict_json import dump
from server.worker.png_files import png
from tests.addon.pictures.test_history import ASKED, entry

PICTURE = png(Image.new("RGB", (64, 48), (9, 8, 7)), ASKED)


def written(folder: Path, content: bytes | str, name: str = "file.png") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_picture_of_the_server_s(tmp_path: Path) -> None:
    assert BLOCKOUT == BLOCKOUT_KEY
    assert opened(written(tmp_path, PICTURE), tmp_path) == Opened(ASKED)


def test_the_history_knows_more_of_its_own_pictures(tmp_path: Path) -> None:
    name = sha256(PICTURE).hexdigest()
    known = history.parse(history.text(entry()).replace("a" * 64, name))
    history.keep(tmp_path / "pictures", known)
    assert opened(written(tmp_path, PICTURE), tmp_path / "pictures") == Opened(ASKED, known.settings)


def test_a_saved_picture_brings_its_camera_anywhere_and_is_the_same_picture(tmp_path: Path) -> None:
    content = saved(PICTURE, entry())
    assert opened(written(tmp_path, content), tmp_path) == Opened(ASKED, entry().settings)
    with Image.open(io.BytesIO(content)) as image:
        image.verify()  # every checksum
    with Image.open(io.BytesIO(content)) as image, Image.open(io.BytesIO(PICTURE)) as before:
        assert (image.size, image.tobytes()) == (before.size, before.tobytes())
        assert image.text[BLOCKOUT] == before.text[BLOCKOUT]


def test_json_of_both_kinds(tmp_path: Path) -> None:
    assert opened(written(tmp_path, json.dumps(dump(ASKED)), "one.json"), tmp_path) == Opened(ASKED)
    assert opened(written(tmp_path, history.text(entry()), "two.json"), tmp_path) == Opened(ASKED, entry().settings)


LATER = json.dumps(dump(ASKED) | {"mood": 1})
BARE = io.BytesIO()
Image.new("RGB", (2, 2)).save(BARE, "PNG")


def test_a_signed_file_is_saved_as_it_is() -> None:
    signed = with_chunk(PICTURE, chunk(b"caBX", b"a manifest"), before=b"IDAT")
    assert saved(signed, entry()) == signed != saved(PICTURE, entry()) != PICTURE


OTHERS = {
    "without a request": BARE.getvalue(),
    "is not JSON": b"\xff\xd8 a photograph",
    "mood": LATER.encode(),
    "is missing": b"{}",
    "width": with_text(BARE.getvalue(), BLOCKOUT, json.dumps(dump(ASKED) | {"width": -1})),
}


@pytest.mark.parametrize("reason", OTHERS)
def test_what_carries_none_is_refused_with_the_reason(tmp_path: Path, reason: str) -> None:
    with pytest.raises(NoRequest, match=reason) as refused:
        opened(written(tmp_path, OTHERS[reason], "mine.png"), tmp_path)
    assert refused.value.message.startswith("mine.png carries no request")


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NoRequest, match="No such file"):
        opened(tmp_path / "gone.png", tmp_path)
    shutil.rmtree(tmp_path)
    with pytest.raises(NoRequest):
        opened(tmp_path, tmp_path)


def test_a_file_cut_anywhere_never_says_more_than_the_whole() -> None:
    whole = texts(PICTURE)
    assert whole.keys() == {BLOCKOUT}
    for length in range(0, len(PICTURE), 7):
        assert texts(PICTURE[:length]).items() <= whole.items()
    assert with_text(b"no PNG", "a", "b") == b"no PNG"
