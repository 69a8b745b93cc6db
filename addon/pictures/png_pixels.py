# SPDX-License-Identifier: GPL-3.0-or-later
"""The pixels of the plainest PNG files: red, green and blue of 8 bits, no line filtered. numpy, no bpy.

Our server writes previews so. Source: PNG specification, third edition, 7.2 (scanlines), 9 (filters), 11.2.1 (IHDR).
"""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from ..protocol.png import RGB, chunks

MOST = 2**24  # pixels of a preview; what says that it has more is left to others


def unfiltered(png: bytes) -> NDArray[np.uint8] | None:
    """Rows from the top, (height, width, 3); None for a file of another kind, or a damaged one."""
    parts = [(kind, content) for kind, content, _ in chunks(png)]
    if not parts or parts[0][0] != b"IHDR" or len(parts[0][1]) != 13:
        return None
    width, height, *kind = struct.unpack(">IIBBBBB", parts[0][1])
    if tuple(kind) != RGB or not 0 < width * height <= MOST:
        return None
    stride = 1 + 3 * width
    try:
        packed = b"".join(content for name, content in parts if name == b"IDAT")
        rows = np.frombuffer(zlib.decompressobj().decompress(packed, height * stride + 1), np.uint8)
    except zlib.error:
        return None
    if len(rows) != height * stride or rows[::stride].any():  # the first byte of each line names its filter
        return None
    return rows.reshape(height, stride)[:, 1:].reshape(height, width, 3)
