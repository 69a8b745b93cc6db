# SPDX-License-Identifier: GPL-3.0-or-later
"""What a camera saw in each direction, as a file of depths, in slices. numpy, no bpy.

An image of Blender's would take its floats and pack them in one piece; a file made here is handed over as it is. Source
of the format: "OpenEXR File Layout", openexr.com.
"""

import struct
import sys
import zlib
from collections.abc import Iterable, Mapping
from math import ceil

import numpy as np
from numpy.typing import NDArray

from ..camera.view import View
from ..cooperative import Slices
from ..raster.frustum import Frustum
from ..raster.lens import Lens
from ..raster.rasterise import Raster, depths, rasterising
from ..raster.triangles import Singles, Triangles
from ..raster.zbuffer import NOTHING

DEPTH_SIDE = 1024  # pixels of the longer side
BEYOND = 1e6  # depth where nothing is: a finite number, for image files and shaders
FAR = 1e10  # depth where nothing is, in renders
BAND = 64  # lines at once
MARGIN = 20  # of those pixels beside silhouettes, where a picture may show what is on their other side
JUMP = 0.03  # of nearness between neighbours, beyond what the slopes beside it explain
BLOCK = 16  # lines of a block of the file, as its compression has them
ZIP, FLOAT = 3, 2  # OpenEXR's numbers


def depth_file(triangles: Triangles, view: View) -> Slices[bytes]:
    """What ``view`` sees of the regions, as an OpenEXR file: red, their depths, farthest of each pixel and its
    neighbours; green and blue, how far off silhouettes are, from 0 at one to 1 from MARGIN pixels on.

    The farthest, because a silhouette falls between pixels: of the two errors possible there, picture on a strip that
    is just hidden or none on a strip that is seen, an artist at the camera notices only the second. Where what is seen
    is no region the depth is 0 and nothing is nearer: another instance of a region's object stays as it is.
    """
    width, height = depth_grid(view)
    raster = yield from rasterising(triangles, view.lens, width, height)
    depth = yield from _farthest(raster)
    clearance = yield from _clearance(raster.nearness)
    return (yield from _exr({"B": clearance, "G": clearance, "R": depth}))


def depth_picture(triangles: Triangles, lens: Lens, width: int, height: int) -> Slices[bytes]:
    """What a pixel's middle sees, as an OpenEXR file of the depths of everything: for compositors, and models that take
    depth. FAR where nothing is, as in a render's depth."""
    raster = yield from rasterising(triangles, lens, width, height)
    return (yield from _exr({"Y": np.minimum(depths(raster.nearness), np.float32(FAR))}))


def depth_frustum(view: View) -> Frustum:
    """What matters to that file; every owner but NOTHING is a region."""
    return Frustum(view.lens, *depth_grid(view), count=sys.maxsize)


def depth_grid(view: View) -> tuple[int, int]:
    """The columns and rows of that file."""
    longer = max(view.aspect, 1.0)
    return ceil(DEPTH_SIDE * view.aspect / longer), ceil(DEPTH_SIDE / longer)


def _farthest(raster: Raster) -> Slices[Singles]:
    """The largest depth of each pixel's 3 x 3 neighbourhood."""
    height = len(raster.owners)
    farthest = np.empty(raster.owners.shape, np.float32)
    for begin in range(0, height, BAND):
        top, end = max(begin - 1, 0), min(begin + BAND, height)
        lines = slice(top, end + 1)
        foreign = (raster.owners[lines] == NOTHING) & (raster.nearness[lines] > 0.0)
        band = np.where(foreign, np.float32(0.0), np.minimum(depths(raster.nearness[lines]), np.float32(BEYOND)))
        farthest[begin:end] = _spread(_spread(band, 0), 1)[begin - top : end - top]
        yield
    return farthest


def _clearance(nearness: Singles) -> Slices[Singles]:
    """How far off the nearest silhouette is, in MARGINs, 1 at most."""
    clearance = np.empty(nearness.shape, np.float32)
    for begin in range(0, len(nearness), BAND):
        top, end = max(begin - MARGIN - 2, 0), min(begin + BAND, len(nearness))
        steps = _silhouettes(nearness[top : end + MARGIN + 2]).astype(np.float32)
        yield
        for number in range(MARGIN - 1):  # a pixel farther off each time, and that much less
            steps = np.maximum(steps, _spread(_spread(steps, 0), 1) - np.float32(1.0 / MARGIN))
            if number % 4 == 3:
                yield
        clearance[begin:end] = 1.0 - steps.clip(0.0, 1.0)[begin - top : end - top]
        yield
    return clearance


def _silhouettes(nearness: Singles) -> NDArray[np.bool_]:
    """The pixels on either side of one. Nearness is linear on a plane, so that only what its slope does not explain is
    a step; where there is nothing it is 0."""
    beside = np.zeros(nearness.shape, bool)
    for values, edges in ((nearness, beside), (nearness.T, beside.T)):
        steps = np.abs(np.diff(values, axis=0))
        slopes = np.pad(steps, ((1, 1), (0, 0)), mode="edge")
        jump = steps - 2.0 * np.minimum(slopes[:-2], slopes[2:]) > JUMP * np.maximum(values[1:], values[:-1])
        edges[1:] |= jump
        edges[:-1] |= jump
    return beside


def _spread(band: Singles, axis: int) -> Singles:
    """The largest of each value and its two neighbours."""
    values = band.swapaxes(0, axis)
    largest = values.copy()
    np.maximum(largest[1:], values[:-1], out=largest[1:])
    np.maximum(largest[:-1], values[1:], out=largest[:-1])
    return largest.swapaxes(0, axis)


def _exr(channels: Mapping[str, Singles]) -> Slices[bytes]:
    """An OpenEXR file of channels, by their names in order; rows from the top."""
    height, width = next(iter(channels.values())).shape
    header = _header(width, height, channels)
    blocks: list[bytes] = []
    for begin in range(0, height, BLOCK):
        lines = np.stack([channel[begin : begin + BLOCK] for channel in channels.values()], axis=1)
        content = _packed(lines)  # a line of one channel after the other
        blocks.append(struct.pack("<ii", begin, len(content)) + content)
        yield
    start = len(header) + 8 * len(blocks)
    offsets = np.cumsum([start, *map(len, blocks)])[:-1]
    return header + offsets.astype("<u8").tobytes() + b"".join(blocks)


def _header(width: int, height: int, names: Iterable[str]) -> bytes:
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    channels = b"".join(name.encode() + b"\0" + struct.pack("<iiii", FLOAT, 0, 1, 1) for name in names)
    attributes = (
        ("channels", "chlist", channels + b"\0"),
        ("compression", "compression", bytes([ZIP])),
        ("dataWindow", "box2i", window),
        ("displayWindow", "box2i", window),
        ("lineOrder", "lineOrder", b"\0"),
        ("pixelAspectRatio", "float", struct.pack("<f", 1.0)),
        ("screenWindowCenter", "v2f", struct.pack("<ff", 0.0, 0.0)),
        ("screenWindowWidth", "float", struct.pack("<f", 1.0)),
    )
    written = (f"{name}\0{kind}\0".encode() + struct.pack("<i", len(value)) + value for name, kind, value in attributes)
    return b"\x76\x2f\x31\x01" + struct.pack("<i", 2) + b"".join(written) + b"\0"


def _packed(lines: Singles) -> bytes:
    """Deflated, its bytes first parted into even and odd ones and each made the difference to the last; as it is where
    that does not shrink it."""
    plain: NDArray[np.uint8] = np.ascontiguousarray(lines, "<f4").view(np.uint8).ravel()
    parted = np.concatenate([plain[0::2], plain[1::2]])
    steps = parted.copy()
    steps[1:] = parted[1:] - parted[:-1] + np.uint8(128)
    packed = zlib.compress(steps.tobytes(), 1)
    return packed if len(packed) < len(plain) else plain.tobytes()
