# SPDX-License-Identifier: MIT
"""The EXR reader on files that this Blender writes, and on files that are none."""

import bpy
import numpy as np
import pytest

from addon.compat import write_layers
from addon.exact import cryptomatte
from addon.exact.capture import render_layers
from addon.exact.exr import DamagedExr, UnsupportedExr, read
from tests.addon.hosts.sample_scenes import box, colour, fresh

COLOUR = (0.25, 0.5, 0.75)


@pytest.fixture
def scene():
    """A wall of one colour fills the left half of the picture, and the upper half of what is left is a box."""
    made = fresh(40, 24)
    made.camera.data.type, made.camera.data.ortho_scale = "ORTHO", 40.0
    for name, place, size in (("wall", (-10, 1, 0), (20, 1, 24)), ("box", (10, 1, 6), (20, 1, 12))):
        colour(box(name, place, size), COLOUR)
    return made


def written(scene, path, codec="ZIP", depth="32", together=True):
    render_layers(scene, 1)  # sets Cycles up
    write_layers(scene.render.image_settings)
    settings = scene.render.image_settings
    settings.exr_codec, settings.color_depth, scene.render.filepath = codec, depth, str(path)
    if hasattr(settings, "use_exr_interleave"):
        settings.use_exr_interleave = together
    bpy.ops.render.render(write_still=True)
    return path


def channel(parts, name):
    return next(values for part in parts for key, values in part.channels.items() if key.endswith(name))


@pytest.mark.parametrize("codec", ["NONE", "ZIP", "ZIPS"])
@pytest.mark.parametrize("depth", ["16", "32"])
def test_blender_files_are_read(scene, tmp_path, codec, depth):
    parts = read(written(scene, tmp_path / "picture.exr", codec, depth))
    red = channel(parts, "Combined.R")
    assert red.shape == (24, 40)
    expected = np.zeros((24, 40))
    expected[:, :20] = expected[:12] = COLOUR[0]
    assert np.allclose(red, expected, atol=1e-3)
    assert np.allclose(channel(parts, "Combined.B"), 3 * red, atol=1e-3)


def test_several_parts_are_read_like_one(scene, tmp_path):
    if not hasattr(scene.render.image_settings, "use_exr_interleave"):
        pytest.skip("this Blender writes one part only")
    found = [read(written(scene, tmp_path / "picture.exr", together=together)) for together in (True, False)]
    one, many = found
    assert len(one) == 1 < len(many)
    assert np.array_equal(channel(one, "Combined.R"), channel(many, "Combined.R"))
    for parts in found:
        covers = cryptomatte.coverage(parts, {"wall": 0, "box": 1}, 2)
        assert covers[0].mean() == pytest.approx(0.5) and covers[1].mean() == pytest.approx(0.25)


def test_cryptomatte_says_who_covers_what(scene):
    covers = cryptomatte.coverage(render_layers(scene, 4), {"wall": 1, "box": 0, "nobody": 2}, 3)
    assert covers.shape == (3, 24, 40)
    assert (covers[1, :, :20] == 1.0).all() and covers[1].sum() == 480
    assert (covers[0, :12, 20:] == 1.0).all() and covers[0].sum() == 240
    assert not covers[2].any()
    together = cryptomatte.coverage(render_layers(scene, 4), {"wall": 0, "box": 0}, 1)
    assert together.sum() == 720
    assert not cryptomatte.coverage(render_layers(scene, 4), {}, 1).any()


def test_a_render_without_cryptomatte_is_none(scene, tmp_path):
    render_layers(scene, 1)
    scene.view_layers[0].use_pass_cryptomatte_object = False
    scene.render.filepath = str(tmp_path / "picture.exr")
    bpy.ops.render.render(write_still=True)
    with pytest.raises(DamagedExr, match="no object Cryptomatte"):
        cryptomatte.coverage(read(tmp_path / "picture.exr"), {"wall": 0}, 1)


def test_what_is_damaged_says_so(scene, tmp_path):
    path = written(scene, tmp_path / "picture.exr")
    whole = path.read_bytes()
    for cut in (0, 3, 6, 40, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(DamagedExr):
            read(path)
    with pytest.raises(OSError):
        read(tmp_path / "absent.exr")


def test_what_is_of_another_kind_says_so(scene, tmp_path):
    with pytest.raises(UnsupportedExr, match="ZIP"):
        read(written(scene, tmp_path / "picture.exr", "PIZ"))
    path = written(scene, tmp_path / "picture.exr")
    path.write_bytes(path.read_bytes()[:5] + b"\x02" + path.read_bytes()[6:])
    with pytest.raises(UnsupportedExr, match="tiled"):
        read(path)
