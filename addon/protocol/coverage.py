# SPDX-License-Identifier: MIT
"""Masks as they travel: the coverage of a region, a byte a cell. Standard library only."""

import base64
import binascii
import zlib
from dataclasses import dataclass
from typing import Annotated

from .strict_json import ContractError, Length, Range, Record

MASK_SIDE = 256


@dataclass(frozen=True, kw_only=True)
class Mask(Record):
    """Coverage of a region, one byte a cell, 0 (none) to 255 (all), rows from the top; zlib, then base64."""

    width: Annotated[int, Range(1, MASK_SIDE)]
    height: Annotated[int, Range(1, MASK_SIDE)]
    data: Annotated[str, Length(1, 2 * MASK_SIDE * MASK_SIDE)]

    def __post_init__(self) -> None:
        unpack_mask(self)


def pack_mask(width: int, height: int, rows: bytes) -> Mask:
    """Coverage as bytes (width * height of them, rows from the top) to a mask."""
    return Mask(width=width, height=height, data=base64.b64encode(zlib.compress(rows, 9)).decode("ascii"))


def unpack_mask(mask: Mask) -> bytes:
    """The coverage bytes of a mask, rows from the top. Raises ContractError when the data is not exactly that."""
    expected = mask.width * mask.height
    stream = zlib.decompressobj()
    try:
        rows = stream.decompress(base64.b64decode(mask.data, validate=True), expected + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise ContractError("data", f"is not base64 of zlib: {error}") from error
    if len(rows) != expected or not stream.eof or stream.unused_data:
        raise ContractError("data", f"must hold exactly {mask.width} x {mask.height} bytes")
    return rows


def mask_rows(mask: Mask) -> memoryview:
    """A mask as (height, width) bytes, 0 (none) to 255 (all), rows from the top: what numpy.asarray takes."""
    return memoryview(unpack_mask(mask)).cast("B", (mask.height, mask.width))
