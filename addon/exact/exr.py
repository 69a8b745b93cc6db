# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenEXR files, as Blender writes them, to arrays: scanlines, one part or several, plain or compressed without loss.

ExrError               the file gives no arrays
├── DamagedExr         it is no OpenEXR file, or is cut short
└── UnsupportedExr     it is one, of a kind that Blender does not write for us

Source: "OpenEXR File Layout", openexr.com.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"\x76\x2f\x31\x01"
TILED, DEEP, MULTIPART = 0x200, 0x800, 0x1000
NONE, ZIPS, ZIP = 0, 2, 3
LINES = {NONE: 1, ZIPS: 1, ZIP: 16}  # scanlines in a block
TYPES: dict[int, np.dtype[Any]] = {0: np.dtype("<u4"), 1: np.dtype("<f2"), 2: np.dtype("<f4")}


class ExrError(ValueError):
    """Why a file gives no arrays."""


class DamagedExr(ExrError):
    """It is no OpenEXR file, or is cut short."""


class UnsupportedExr(ExrError):
    """It is one, of a kind that Blender does not write for us."""


@dataclass(frozen=True, eq=False)
class ExrPart:
    """One picture of a file: its raw ``attributes`` by name, and its ``channels``, (height, width) from the top.

    A channel keeps its type: uint32, float16 or float32.
    """

    name: str
    attributes: Mapping[str, bytes]
    channels: Mapping[str, NDArray[np.generic]]


def read(path: Path) -> tuple[ExrPart, ...]:
    """Every part of an OpenEXR file. Raises OSError, DamagedExr and UnsupportedExr."""
    data = path.read_bytes()
    try:
        return tuple(_parts(data))
    except (struct.error, zlib.error, IndexError, ValueError) as error:
        if isinstance(error, ExrError):
            raise
        raise DamagedExr(f"{path.name} is damaged: {error}") from error


def _parts(data: bytes) -> Iterator[ExrPart]:
    if data[:4] != MAGIC:
        raise DamagedExr("The file is no OpenEXR file")
    (flags,) = struct.unpack_from("<i", data, 4)
    if flags & (TILED | DEEP):
        raise UnsupportedExr("The OpenEXR file is tiled or deep; write plain scanlines")
    several = bool(flags & MULTIPART)
    headers, offset = _headers(data, 8, several)
    layouts = [_Layout.of(header) for header in headers]
    for header, layout in zip(headers, layouts, strict=True):
        blocks = -(-layout.height // LINES[layout.compression])
        offsets = struct.unpack_from(f"<{blocks}Q", data, offset)
        offset += 8 * blocks
        lines = layout.lines(data, [start + 4 * several for start in offsets])
        yield ExrPart(_text(header.get("name", b"")), header, layout.channels(lines))


def _headers(data: bytes, offset: int, several: bool) -> tuple[list[dict[str, bytes]], int]:
    """The attributes of each part, and where the tables of offsets begin."""
    headers: list[dict[str, bytes]] = []
    while not headers or (several and data[offset]):
        header: dict[str, bytes] = {}
        while data[offset]:
            name, offset = _string(data, offset)
            _, offset = _string(data, offset)
            (size,) = struct.unpack_from("<i", data, offset)
            header[name] = data[offset + 4 : offset + 4 + size]
            offset += 4 + size
        headers.append(header)
        offset += 1
    return headers, offset + several


@dataclass(frozen=True)
class _Layout:
    """How a part's pixels lie in the file: line by line, and within a line channel by channel."""

    width: int
    height: int
    top: int
    compression: int
    kinds: tuple[tuple[str, np.dtype[Any]], ...]

    @classmethod
    def of(cls, header: Mapping[str, bytes]) -> "_Layout":
        missing = {"dataWindow", "compression", "channels"} - header.keys()
        if missing:
            raise DamagedExr(f"The OpenEXR header lacks {', '.join(sorted(missing))}")
        left, top, right, bottom = struct.unpack("<4i", header["dataWindow"])
        compression = header["compression"][0]
        if compression not in LINES:
            raise UnsupportedExr(f"The OpenEXR file is compressed by method {compression}; write it with ZIP")
        return cls(right - left + 1, bottom - top + 1, top, compression, tuple(_kinds(header["channels"])))

    @property
    def stride(self) -> int:
        return self.width * sum(kind.itemsize for _, kind in self.kinds)

    def lines(self, data: bytes, offsets: list[int]) -> NDArray[np.uint8]:
        """The bytes of every line, (height, stride)."""
        lines = np.empty((self.height, self.stride), dtype=np.uint8)
        for offset in offsets:
            y, size = struct.unpack_from("<ii", data, offset)
            start = y - self.top
            block = lines[start : start + LINES[self.compression]]
            if not block.size:
                raise DamagedExr(f"The OpenEXR file has a line {y} outside its window")
            packed = data[offset + 8 : offset + 8 + size]
            block[:] = _unpacked(packed, block.size).reshape(block.shape)
        return lines

    def channels(self, lines: NDArray[np.uint8]) -> dict[str, NDArray[np.generic]]:
        """Each channel's values, (height, width)."""
        channels, start = {}, 0
        for name, kind in self.kinds:
            stop = start + self.width * kind.itemsize
            channels[name] = np.ascontiguousarray(lines[:, start:stop]).view(kind)
            start = stop
        return channels


def _kinds(data: bytes) -> Iterator[tuple[str, np.dtype[Any]]]:
    """The channels of a header: names and types, in the order of the file."""
    offset = 0
    while data[offset]:
        name, offset = _string(data, offset)
        kind, _, across, down = struct.unpack_from("<iiii", data, offset)
        offset += 16
        if kind not in TYPES or (across, down) != (1, 1):
            raise UnsupportedExr(f"The OpenEXR channel {name} is of a kind that pictures do not have")
        yield name, TYPES[kind]


def _unpacked(packed: bytes, size: int) -> NDArray[np.uint8]:
    """A block's bytes: stored, or deflated after their halves were parted and each made the difference to the last."""
    if len(packed) == size:  # what would not shrink is stored as it is
        return np.frombuffer(packed, np.uint8)
    steps = np.frombuffer(zlib.decompress(packed, bufsize=size), np.uint8)
    if len(steps) != size:
        raise DamagedExr(f"The OpenEXR file has a block of {len(steps)} bytes instead of {size}")
    parted = np.cumsum(steps - np.uint8(128), dtype=np.uint8) + np.uint8(128)
    joined = np.empty_like(parted)
    joined[0::2], joined[1::2] = parted[: (size + 1) // 2], parted[(size + 1) // 2 :]
    return joined


def _string(data: bytes, offset: int) -> tuple[str, int]:
    """A null-terminated name, and what comes after it."""
    end = data.index(b"\0", offset)
    return _text(data[offset:end]), end + 1


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
