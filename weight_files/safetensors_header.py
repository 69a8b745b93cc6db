# SPDX-License-Identifier: MIT
"""A file's first bytes: what it holds, and whether it is whole. Never more than a safetensors' header is read.

A safetensors file says in its header where each tensor ends, so a download that broke off is told by the file's size.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HEADER = 100_000_000  # bytes; more than any file has
SIZES = ((2**30, "GB"), (2**20, "MB"), (2**10, "kB"))
STRANGERS: Mapping[bytes, str] = {
    b"<": "it is a web page that was saved under this name: get the file itself",
    b"version https://git-lfs": "it is only a pointer of Git LFS: the file itself was not downloaded",
    b"PK\x03\x04": "it is a zip or a pickled file under this name, and is not opened",
    b"\x80\x02": "it is a pickled file under this name, and is not opened",
    b"GGUF": "it is a GGUF file under this name",
}


class Unreadable(Exception):
    """A file that holds no weights that can be read; in words that go on after its name and a colon."""


@dataclass(frozen=True)
class Header:
    """Of a safetensors file: of each tensor dtype and shape, by name; and what its maker wrote beside."""

    tensors: Mapping[str, Mapping[str, Any]]
    notes: Mapping[str, str]

    @property
    def numbers(self) -> int:
        """How many weights there are."""
        return sum(math.prod(facts["shape"]) for facts in self.tensors.values())


def read_header(file: Path, size: int) -> Header:
    """The header of a safetensors file of so many bytes. Raises Unreadable, OSError."""
    if size == 0:
        raise Unreadable("it is empty: its download never began; get it again")
    with file.open("rb") as opened:
        first = opened.read(32)
        for sign, words in STRANGERS.items():
            if first.startswith(sign) and (sign != b"<" or first[:2] in (b"<!", b"<h", b"<H", b"<?")):
                raise Unreadable(words)
        length = int.from_bytes(first[:8], "little")
        if len(first) < 9 or not 1 < length <= HEADER:
            raise Unreadable("it is no safetensors file, whatever it is called; get it again")
        if 8 + length > size:
            raise Unreadable(f"only {amount(size)} of it are there: the download broke off; get it again")
        opened.seek(8)
        return _understood(opened.read(length), size - 8 - length)


def _understood(text: bytes, held: int) -> Header:
    """A header, and ``held`` bytes of weights behind it. Raises Unreadable."""
    try:
        document = json.loads(text)
        notes = document.pop("__metadata__", {}) or {}
        ends = [facts["data_offsets"][1] for facts in document.values()]
        shapes = [(facts["dtype"], [int(side) for side in facts["shape"]]) for facts in document.values()]
        end, strings = int(max(ends, default=0)), {str(key): str(value) for key, value in notes.items()}
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        raise Unreadable("its header is damaged; get it again") from error
    if not shapes:
        raise Unreadable("it holds no weights; get it again")
    if end > held:
        raise Unreadable(f"{amount(end - held)} of {amount(end)} are missing: the download broke off; get it again")
    if end < held:
        raise Unreadable("there is more in it than its header says: it is damaged; get it again")
    return Header(document, strings)


def amount(size: float) -> str:
    """Bytes in words: 6.9 GB."""
    return next((f"{size / unit:.1f} {name}" for unit, name in SIZES if size >= unit), f"{int(size)} bytes")
