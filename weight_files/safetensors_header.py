# SPDX-License-Identifier: MIT
"""A safetensors file's first bytes: what it holds, and whether it is whole. Never more than its header is read.

The header says where each tensor lies, so a download that broke off is told by the file's size, and tensors that lie on
each other, or beside their shapes, are told before anything is opened.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HEADER = 100_000_000  # bytes; more than any file has
COUNT = 100_000  # of tensors; the largest models have some thousand
SIZES = ((2**30, "GB"), (2**20, "MB"), (2**10, "kB"))
WIDTHS: Mapping[str, int] = {  # bytes of a number of each dtype
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0"), 1),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 2),
    **dict.fromkeys(("U32", "I32", "F32"), 4),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 8),
}
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


def read_header(file: Path) -> Header:
    """The header of a safetensors file. Raises Unreadable, OSError."""
    size = file.stat().st_size
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


def _understood(text: bytes, body: int) -> Header:
    """A header, and ``body`` bytes of weights behind it. Raises Unreadable."""
    try:
        document = json.loads(text)
        notes = document.pop("__metadata__", {}) or {}
        spans = [(name, *map(int, facts["data_offsets"])) for name, facts in document.items()]
        shapes = {name: _bytes(facts) for name, facts in document.items()}
        strings = {str(key): str(value) for key, value in notes.items()}
        spans = sorted((begin, end, name) for name, begin, end in spans)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        raise Unreadable("its header is damaged; get it again") from error
    if not spans or len(spans) > COUNT:
        raise Unreadable("its header is damaged; get it again" if spans else "it holds no weights; get it again")
    end = max(end for _, end, _ in spans)
    if end > body:
        raise Unreadable(f"{amount(end - body)} of {amount(end)} are missing: the download broke off; get it again")
    if end < body:
        raise Unreadable("there is more in it than its header says: it is damaged; get it again")
    before = 0
    for begin, end, name in spans:
        if begin != before or end - begin != (end - begin if shapes[name] is None else shapes[name]):
            raise Unreadable(f"its header says that {name[:60]} lies where it cannot: it is damaged; get it again")
        before = end
    return Header(document, strings)


def _bytes(facts: Mapping[str, Any]) -> int | None:
    """How many a tensor of this shape has; None for a dtype that is newer than this table."""
    sides = [int(side) for side in facts["shape"]]
    width = WIDTHS.get(str(facts["dtype"]))
    if any(side < 0 for side in sides):
        raise ValueError("a side is negative")
    return None if width is None else math.prod(sides) * width


def amount(size: float) -> str:
    """Bytes in words: 6.9 GB."""
    return next((f"{size / unit:.1f} {name}" for unit, name in SIZES if size >= unit), f"{int(size)} bytes")
