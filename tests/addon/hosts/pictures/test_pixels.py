# SPDX-License-Identifier: MIT
"""Pixels to a PNG file, and the regions' colours as icons."""

import io

import numpy as np
import pytest
from PIL import Image

from addon.pictures.pixels import decoded, encoded
from addon.pictures.swatches import SIDE, swatch
from addon.regions.palette import COLOURS


def test_a_png_of_ours_is_one_to_others_and_to_blender():
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    picture = np.ones((5, 7, 4), np.float32)
    picture[..., :3] = rows[::-1] / np.float32(255)
    png = encoded(picture)
    with Image.open(io.BytesIO(png)) as image:
        assert np.array_equal(np.asarray(image), rows)
    assert decoded(png) == pytest.approx(picture, abs=1e-6)


@pytest.mark.parametrize("colour", COLOURS)
def test_a_swatch_is_its_colour_with_clear_corners(colour):
    pixels = swatch(colour)
    assert tuple(pixels[SIDE // 2, SIDE // 2]) == pytest.approx((*colour, 1.0))
    assert pixels[0, 0, 3] == 0.0 == pixels[-1, -1, 3]
