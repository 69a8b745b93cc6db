# SPDX-License-Identifier: MIT
"""Pixels to a PNG file, and the regions' colours as icons."""

import io

import bpy
import numpy as np
import pytest

from addon.pictures.pixels import decoded, encoded, shrunk
from addon.pictures.swatches import SIDE, swatch
from addon.regions.palette import COLOURS
from tests.addon.hosts.sample_scenes import fresh

ROWS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
PICTURE = np.ones((5, 7, 4), np.float32)
PICTURE[..., :3] = ROWS[::-1] / np.float32(255)


def test_a_png_of_ours_is_one_to_blender():
    assert decoded(encoded(PICTURE)) == pytest.approx(PICTURE, abs=1e-6)


def test_a_png_of_ours_is_one_to_others():
    reader = pytest.importorskip("PIL.Image", reason="pillow is not installed here")
    with reader.open(io.BytesIO(encoded(PICTURE))) as image:
        assert np.array_equal(np.asarray(image), ROWS)


@pytest.mark.parametrize(("file_format", "depth"), [("PNG", "8"), ("PNG", "16"), ("OPEN_EXR", "32")])
def test_a_render_is_read_as_the_screen_shows_it_whatever_its_depth(file_format, depth, tmp_path):
    fresh()
    image = bpy.data.images.new("grey", 4, 4, float_buffer=depth != "8")
    light = 0.5 if depth == "8" else ((0.5 + 0.055) / 1.055) ** 2.4  # of a float buffer the numbers are linear
    image.pixels.foreach_set(np.tile(np.float32([light, light, light, 1.0]), 16))
    settings = bpy.context.scene.render.image_settings
    settings.file_format, settings.color_depth = file_format, depth
    bpy.context.scene.view_settings.view_transform = "Standard"
    file = tmp_path / "grey"
    image.save_render(str(file), scene=bpy.context.scene)
    for pixels in (decoded(file.read_bytes()), shrunk(file, 2)):
        assert pixels[..., :3] == pytest.approx(0.5, abs=0.01) and pixels[..., 3] == pytest.approx(1.0)


@pytest.mark.parametrize("colour", COLOURS)
def test_a_swatch_is_its_colour_with_clear_corners(colour):
    pixels = swatch(colour)
    assert tuple(pixels[SIDE // 2, SIDE // 2]) == pytest.approx((*colour, 1.0))
    assert pixels[0, 0, 3] == 0.0 == pixels[-1, -1, 3]
