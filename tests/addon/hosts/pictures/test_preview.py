# SPDX-License-Identifier: MIT
"""Pictures as pixels, icons and previews in this host: read exactly, and without a trace in the open file."""

import time
from pathlib import Path

import bpy
import numpy as np
import pytest

from addon.pictures.history import THUMB_SIDE, thumb
from addon.pictures.image import load_picture
from addon.pictures.pixels import Icons, decoded, linear, shortened, shrunk, warm_up
from addon.pictures.preview import PreviewImage
from addon.session.state import Preview
from tests.addon.hosts.sample_scenes import fingerprint, fresh, paint

RAMP = (np.linspace(0, 255, 6 * 4 * 3).round() / 255).astype(np.float32).reshape(4, 6, 3)
OPAQUE = np.dstack([RAMP, np.ones((4, 6), np.float32)])


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """RAMP as a PNG file, its rows from the top."""
    fresh()
    return paint(tmp_path / "ramp.png", RAMP)


def test_a_picture_is_read_exactly_and_leaves_no_trace(picture: Path) -> None:
    before = fingerprint()
    warm_up()
    for pixels in (shrunk(picture, 6), decoded(picture.read_bytes())):
        assert pixels.shape == (4, 6, 4)
        assert np.abs(pixels - OPAQUE[::-1]).max() < 1e-3
    assert fingerprint() == before


def test_a_shrunk_picture_keeps_the_mean_and_the_aspect(picture: Path, tmp_path: Path) -> None:
    before = fingerprint()
    small = shrunk(picture, 3)
    assert small.shape == (2, 3, 4)
    assert np.abs(small - OPAQUE[::-1].reshape(2, 2, 3, 2, 4).mean((1, 3))).max() < 1 / 255
    assert shrunk(paint(tmp_path / "line.png", np.ones((1, 500, 3), np.float32)), 100).shape == (1, 100, 4)
    assert shrunk(paint(tmp_path / "small.png", np.ones((2, 3, 3), np.float32)), 100).shape == (2, 3, 4)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    assert shrunk(broken, 3).shape == (0, 0, 4)
    assert fingerprint() == before


def test_pixels_are_shortened_to_means() -> None:
    pixels = np.random.default_rng(0).random((7, 10, 4), np.float32)
    small = shortened(pixels, 5)
    assert small.shape == (3, 5, 4)
    assert np.allclose(small[1, 2], pixels[2:4, 4:6].mean((0, 1)))
    assert shortened(pixels, 10) is pixels
    assert shortened(np.empty((0, 0, 4), np.float32), 10).size == 0


def test_a_large_picture_is_taken_in_without_a_pause(tmp_path: Path, record_property) -> None:
    """What Receive does on the main thread with the file of a picture of 1024 x 1024 pixels."""
    noise = np.random.default_rng(0).random((64, 64, 3), np.float32).repeat(16, 0).repeat(16, 1)
    file, took = paint(tmp_path / "large.png", noise), []
    for _ in range(5):
        begun = time.thread_time()
        image = load_picture(file, "{}", (), (), None)
        thumb(shrunk(file, THUMB_SIDE))
        took.append(time.thread_time() - begun)
        bpy.data.images.remove(image)
    record_property("seconds", min(took))
    assert min(took) < 0.05


def test_linear_light_is_that_of_srgb() -> None:
    """0, a dark tone of its straight part, the middle, and 1; opaque stays opaque."""
    tones = np.array([0.0, 8 / 255, 188 / 255, 1.0], np.float32)
    assert np.allclose(linear(tones), [0.0, 0.002428, 0.502886, 1.0], atol=1e-5)


def test_icons_come_and_go() -> None:
    icons = Icons()
    icons.put("a", OPAQUE)
    assert "a" in icons and list(icons.names()) == ["a"] and icons.find("b") == 0
    icons.drop("a")
    icons.drop("a")
    assert "a" not in icons
    icons.close()


def test_previews_follow_each_other_without_a_trace(picture: Path, tmp_path: Path) -> None:
    before, files = fingerprint(), set(Path(bpy.app.tempdir).iterdir())
    room = PreviewImage()
    for number in range(3):
        room.show(Preview(job="a", sha256=str(number), png=picture.read_bytes()))
        assert list(room._icons.names()) == [str(number)]
    room.show(Preview(job="a", sha256="4", png=b"no picture"))
    assert room.icon == 0 and room.texture is None
    room.show(None)
    room.show(Preview(job="b", sha256="5", png=b""))  # replaced on the server before it could be fetched
    assert list(room._icons.names()) == []
    assert (fingerprint(), set(Path(bpy.app.tempdir).iterdir())) == (before, files)
    room.close()
