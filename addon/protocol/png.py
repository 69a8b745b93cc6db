# SPDX-License-Identifier: MIT
"""PNG files: their chunks, and the plainest ones written. Standard library only.

Source: PNG specification, third edition, 5.3 (chunks), 7.2 (scanlines), 9 (filters), 11.2.1 (IHDR).
"""

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
BLOCKOUT_KEY, LATENT_KEY = "maquette.blockout", "maquette.latent"  # of what our pictures carry as text, for ever
FRAME = 12  # bytes of a chunk beside its content: length, kind, checksum
RGB = (8, 2, 0, 0, 0)  # bits, colour type, compression, filtering, interlacing


def plain(width: int, height: int, rows: bytes) -> bytes:
    """A PNG file of red, green and blue, 8 bits each, from ``rows`` from the top; no line filtered, so easy to read."""
    stride = 3 * width
    lines = b"".join(b"\0" + rows[begin : begin + stride] for begin in range(0, height * stride, stride))
    header = struct.pack(">IIBBBBB", width, height, *RGB)
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk, with its length and checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Kind, content and first byte of each chunk; none of what is no PNG file, and only whole ones."""
    start = len(SIGNATURE) if png.startswith(SIGNATURE) else len(png)
    while start + FRAME <= len(png):
        length, kind = struct.unpack_from(">I4s", png, start)
        if start + FRAME + length > len(png):
            return
        yield kind, png[start + 8 : start + 8 + length], start
        start += FRAME + length


def with_chunk(png: bytes, added: bytes, before: bytes) -> bytes:
    """The file with one more chunk, in front of the first of the kind ``before``; as it is where it has none."""
    start = next((start for kind, _, start in chunks(png) if kind == before), None)
    return png if start is None else png[:start] + added + png[start:]
