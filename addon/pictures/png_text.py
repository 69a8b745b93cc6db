# SPDX-License-Identifier: GPL-3.0-or-later
"""Words that a PNG file carries: read, and written beside those that are there. No bpy.

Chunks of kind tEXt (PNG specification, third edition, 11.3.3): keyword, a zero byte, Latin-1 text. Those of other kinds
are left as they are.
"""

from ..protocol.png import chunk, chunks, with_chunk


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
    return with_chunk(png, chunk(b"tEXt", keyword.encode("ascii") + b"\0" + text.encode("ascii")), before=b"IEND")
