# SPDX-License-Identifier: MIT
"""Pixels to a PNG file, and the regions' colours as icons."""

import io

import numpy as np
import pytest

from addon.pictures.pixels import decoded, encoded
from addon.pictures.swatches import SIDE, swatch
from addon.regions.palette import COLOURS

ROWS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
PICTURE = np.ones((5, 7, 4), np.float32)
PICTURE[..., :3] = ROWS[::-1] / np.float32(255)


def test_a_png_of_ours_is_one_to_blender():
    assert decoded(encoded(PICTURE)) == pytest.approx(PICTURE, abs=1e-6)


def test_a_png_of_ours_is_one_to_others():
    reader = pytest.importorskip("PIL.Image", reason="pillow is not installed here")
    with reader.open(io.BytesIO(encoded(PICTURE))) as image:
        assert np.array_equal(np.asarray(image), ROWS)


@pytest.mark.parametrize("colour", COLOURS)
def test_a_swatch_is_its_colour_with_clear_corners(colour):
    pixels = swatch(colour)
    assert tuple(pixels[SIDE // 2, SIDE // 2]) == pytest.approx((*colour, 1.0))
    assert pixels[0, 0, 3] == 0.0 == pixels[-1, -1, 3]
