# SPDX-License-Identifier: MIT
"""Previews as our server writes them, read without Blender; every other file is left to it."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from addon.pictures.png_pixels import unfiltered
from addon.protocol.png import plain
from server.worker.png_files import png

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


def test_what_the_server_writes_is_read_exactly():
    content = plain(7, 5, PIXELS.tobytes())
    assert np.array_equal(unfiltered(content), PIXELS)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(content))), PIXELS)  # and by everybody else


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "I;16"])
def test_other_kinds_are_left_alone(mode: str):
    file = io.BytesIO()
    Image.new(mode, (7, 5)).save(file, "PNG")
    assert unfiltered(file.getvalue()) is None


def test_filtered_lines_are_left_alone():
    smooth = np.linspace(0, 255, 64, dtype=np.uint8)[:, None, None] + np.zeros((1, 64, 3), np.uint8)
    assert unfiltered(png(Image.fromarray(smooth))) is None


@pytest.mark.parametrize("length", range(0, 200, 7))
def test_damaged_files_are_left_alone(length: int):
    content = plain(7, 5, PIXELS.tobytes())
    assert unfiltered(content[:length]) is None or length >= content.index(b"IEND") - 4


def test_a_file_that_says_it_is_enormous_is_left_alone():
    content = plain(7, 5, PIXELS.tobytes())
    header = b"IHDR" + struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0)
    assert unfiltered(content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]) is None
