# SPDX-License-Identifier: MIT
"""The header of a GGUF file: what its tensors are called, how large and of which kind they are, and where they lie.

Every length is held against what the file has before it is believed; nothing is read behind the header, which ends at
the first tensor.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

HEADER = 100_000_000  # bytes; more than any file has
COUNT = 100_000  # of tensors, and of facts
DIMENSIONS = 8
DEPTH = 4  # of lists in lists
ALIGNMENT = 32  # bytes, where the file says no other
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # bytes of a number of each kind
TEXT, LIST = 8, 9
KINDS = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    20: ("IQ4_NL", 32, 18),
    23: ("IQ4_XS", 256, 136),
    30: ("BF16", 1, 2),
}
"""Of each number in the file: the kind of weights, how many stand in a block, and the block's bytes."""


@dataclass
class _Reader:
    """Reads forward through a file of ``left`` more bytes, and never on."""

    file: BinaryIO
    left: int

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise ValueError("it ends within its header: the download broke off")
        if self.file.tell() + size > HEADER:
            raise ValueError("its header is longer than any that is known")
        self.left -= size
        return self.file.read(size)

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def text(self) -> str:
        return self.take(self.number(8)).decode("utf-8", "replace")

    def value(self, kind: int, depth: int = DEPTH) -> bytes:
        """Past one value of a kind: its bytes, of texts and lists none."""
        if kind == TEXT:
            self.text()
        elif kind == LIST and depth:
            inner, count = self.number(4), self.number(8)
            if inner in SIZES:
                self.take(SIZES[inner] * count)
            else:
                for _ in range(count):
                    self.value(inner, depth - 1)
        elif kind in SIZES:
            return self.take(SIZES[kind])
        else:
            raise ValueError(f"its header holds a value of the kind {kind}, which nobody knows")
        return b""


def gguf_tensors(file: Path) -> dict[str, dict[str, Any]]:
    """Of each tensor ``dtype``, ``shape`` (rows first, as torch counts) and ``data_offsets`` from the file's beginning.

    Raises ValueError, in words that go on after the file's name, for what is no whole GGUF file of version 2 or 3, or
    holds weights of a kind that is not read; OSError.
    """
    size = file.stat().st_size
    with file.open("rb") as opened:
        reader = _Reader(opened, size)
        if size < 24 or reader.take(4) != b"GGUF":
            raise ValueError("it is no GGUF file" if size else "it is empty")
        version, tensors, facts = reader.number(4), reader.number(8), reader.number(8)
        if version not in (2, 3) or max(tensors, facts) > COUNT:
            raise ValueError("it is a GGUF file of another version than 2 and 3, or damaged")
        alignment = ALIGNMENT
        for _ in range(facts):
            key, value = reader.text(), reader.value(reader.number(4))
            if key == "general.alignment":
                alignment = int.from_bytes(value, "little")
        entries = [_entry(reader) for _ in range(tensors)]
        if not entries or not 0 < alignment <= 2**20:
            raise ValueError("it holds no weights" if not entries else "its header is damaged")
        start = -(-opened.tell() // alignment) * alignment
    return {name: _placed(name, facts, start, size) for name, facts in entries}


def _entry(reader: _Reader) -> tuple[str, dict[str, Any]]:
    name, dimensions = reader.text(), reader.number(4)
    if dimensions > DIMENSIONS:
        raise ValueError("its header is damaged")
    shape = [reader.number(8) for _ in range(dimensions)][::-1]
    return name, {"kind": reader.number(4), "shape": shape, "offset": reader.number(8)}


def _placed(name: str, facts: dict[str, Any], start: int, size: int) -> dict[str, Any]:
    """Raises ValueError for a tensor that does not lie in the file."""
    if facts["kind"] not in KINDS:
        raise ValueError(f"its weights are of the kind {facts['kind']}, which is not read: get another, such as Q4_K_M")
    dtype, block, bytes_ = KINDS[facts["kind"]]
    shape = facts["shape"]
    if not shape or shape[-1] % block or not all(shape):
        raise ValueError(f"its header is damaged: {name[:60]} cannot be {shape} of {dtype}")
    begin = start + facts["offset"]
    end = begin + math.prod(shape) // block * bytes_
    if end > size:
        raise ValueError(f"{end - size:,} bytes of {name[:60]} are missing: the download broke off")
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
