# SPDX-License-Identifier: MIT
"""From an engine's PNG file to the one that is kept: mark, request, source, signature, in that order.

The signature comes last, for it covers every byte before it.
"""

import io
import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from PIL import Image

from addon.protocol.blockout import Blockout
from addon.protocol.png import BLOCKOUT_KEY, LATENT_KEY, SIGNATURE, chunk, chunks
from addon.protocol.strict_json import dump

from . import pixel_mark
from .choices import Safeguards
from .content_credentials import CertifiedSigner, signer_of
from .digital_source import SourceType, with_digital_source

TOOL = "Maquette"
REQUEST = (BLOCKOUT_KEY.encode(), LATENT_KEY.encode())
PIXELS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})  # chunks that a new file has of its own


@dataclass(frozen=True)
class Finishing:
    """What the owner has chosen, and who signs."""

    choices: Safeguards
    signer: CertifiedSigner | None
    version: str

    @staticmethod
    def of(choices: Safeguards, version: str) -> "Finishing":
        """Raises NoSigner."""
        return Finishing(choices, signer_of(choices), version)

    def finished(self, png: bytes, blockout: Blockout, source: SourceType) -> bytes:
        """The file as it is kept. Raises NotSigned."""
        if self.choices.mark:
            png = with_mark(png, mark_content(request_text(png) or json.dumps(dump(blockout))))
        if not self.choices.request:
            png = without_request(png)
        if self.choices.digital_source:
            png = with_digital_source(png, source, f"{TOOL} {self.version} ({blockout.model})")
        if self.signer is not None:
            png = self.signer.signed(png, source, TOOL, self.version, blockout.model)
        return png


def request_text(png: bytes) -> str:
    """The blockout that a PNG file carries, as JSON; "" where it carries none."""
    keyword = REQUEST[0] + b"\0"
    texts = (content for kind, content, _ in chunks(png) if kind == b"tEXt" and content.startswith(keyword))
    return next(texts, keyword)[len(keyword) :].decode("latin-1")


def mark_content(request: str) -> bytes:
    """What the pixels of a picture say: the first bytes of its request's sha256, by which it is known again."""
    return sha256(request.encode()).digest()[: pixel_mark.CONTENT]


def with_mark(png: bytes, content: bytes) -> bytes:
    """The PNG file with a mark in its pixels, and all else that it carries; as it is where it is too small for one."""
    kind, header, _ = next(chunks(png), (b"", b"", 0))
    if kind != b"IHDR" or not pixel_mark.fits(struct.unpack(">II", header[:8])):
        return png
    image = pixel_mark.marked(Image.open(io.BytesIO(png), formats=["PNG"]).convert("RGB"), content)
    if image is None:
        return png
    file = io.BytesIO()
    image.save(file, "PNG")
    carried = b"".join(chunk(kind, text) for kind, text, _ in chunks(png) if kind not in PIXELS)
    return _joined(chunk(kind, part) + carried * (kind == b"IHDR") for kind, part, _ in chunks(file.getvalue()))


def without_request(png: bytes) -> bytes:
    """The PNG file without what was asked for, and without its latent."""
    private = tuple(keyword + b"\0" for keyword in REQUEST)
    return _joined(
        chunk(kind, part) for kind, part, _ in chunks(png) if kind != b"tEXt" or not part.startswith(private)
    )


def _joined(parts: Iterable[bytes]) -> bytes:
    return SIGNATURE + b"".join(parts)
