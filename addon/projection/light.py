# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours of pictures as light and back, in slices, and images of light as PNG files. numpy, no bpy.

Source: IEC 61966-2-1 (sRGB).
"""

import struct
import zlib

import numpy as np

from ..cooperative import Slices
from ..protocol.png import RGB, SIGNATURE, chunk
from ..raster.triangles import Singles

LINES = 16  # at once
PIXELS = 1 << 16  # at once
SHADES = 1 << 16  # of light that are told apart: fewer than one 8-bit step in the darkest colours


def _screen(light: Singles) -> Singles:
    screen: Singles = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return screen


def as_light(colours: Singles) -> Slices[Singles]:
    """Pixels (h, w, 3) of an 8-bit picture as light."""
    steps = np.arange(256, dtype=np.float32) / 255
    table = np.where(steps <= 0.04045, steps / 12.92, ((steps + 0.055) / 1.055) ** 2.4).astype(np.float32)
    light = np.empty(colours.shape, np.float32)
    lines = max(1, PIXELS // max(colours.shape[1], 1))
    for begin in range(0, len(colours), lines):
        some = colours[begin : begin + lines]
        light[begin : begin + lines] = table[np.rint(some.clip(0.0, 1.0) * 255.0).astype(np.uint8)]
        yield
    return light


def png(light: Singles) -> Slices[bytes]:
    """A PNG file of an image (height, width, 3) of light, its rows from the bottom."""
    table = np.rint(_screen(np.linspace(0.0, 1.0, SHADES, dtype=np.float32)) * 255.0).astype(np.uint8)
    packer, content = zlib.compressobj(1), []
    for begin in range(0, len(light), LINES):
        some = light[::-1][begin : begin + LINES].clip(0.0, 1.0)
        rows = table[np.rint(some * (SHADES - 1)).astype(np.int32)]
        lines = np.pad(rows.reshape(len(rows), -1), ((0, 0), (1, 0)))  # a line's first byte says that it is unfiltered
        content.append(packer.compress(lines.tobytes()))
        yield
    header = struct.pack(">IIBBBBB", light.shape[1], light.shape[0], *RGB)
    pixels = b"".join(content) + packer.flush()
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
