# SPDX-License-Identifier: MIT
"""What Pillow raises of a file that is no picture, or is torn: more than its documentation says."""

import struct
import zlib

from PIL import Image

UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
