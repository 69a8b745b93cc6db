# SPDX-License-Identifier: GPL-3.0-or-later
"""Words that a PNG file carries: read, and written beside those that are there. No bpy.

Chunks of kind tEXt (PNG specification, third edition, 11.3.3): keyword, a zero byte, Latin-1 text. Those of other kinds
are left as they are.
"""

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
FRAME = 12  # bytes of a chunk beside its content: length, kind, checksum


def texts(png: bytes) -> dict[str, str]:
    """The texts of a PNG file by their keywords; none for what is no PNG file, or ends too early."""
    found = {}
    for kind, content, _ in chunks(png):
        keyword, zero, text = content.partition(b"\0")
        if kind == b"tEXt" and zero:
            found[keyword.decode("latin-1")] = text.decode("latin-1")
    return found


def with_text(png: bytes, keyword: str, text: str) -> bytes:
    """The same picture carrying one more text, of ASCII letters; as it is where it is no PNG file."""
    content = keyword.encode("ascii") + b"\0" + text.encode("ascii")
    chunk = struct.pack(">I", len(content)) + b"tEXt" + content + struct.pack(">I", zlib.crc32(b"tEXt" + content))
    end = next((start for kind, _, start in chunks(png) if kind == b"IEND"), None)
    return png if end is None else png[:end] + chunk + png[end:]


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Kind, content and first byte of each chunk."""
    start = len(SIGNATURE) if png.startswith(SIGNATURE) else len(png)
    while start + FRAME <= len(png):
        length, kind = struct.unpack_from(">I4s", png, start)
        if start + FRAME + length > len(png):
            return
        yield kind, png[start + 8 : start + 8 + length], start
        start += FRAME + length
