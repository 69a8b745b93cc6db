# SPDX-License-Identifier: GPL-3.0-or-later
"""A z-buffer that spans are painted into. Short ones are painted pixel by pixel, long ones in lanes: numpy spends
hardly more on a lane of pixels than on a pixel. No bpy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cooperative import Slices
from .scanlines import Spans, expand
from .triangles import Floats, Indices, Ints, Owners, Singles, touching

NOTHING = -1
TILE = 8  # pixels along a side of what is tested for hiding
ROUNDING = 1e-6  # of nearness in single precision; what is that little farther is not called hidden
CLEARED = 1 << 18  # pixels at once, about a millisecond's work
LANE = 32  # pixels; a shorter span is painted pixel by pixel
UNSEEN = np.uint64(0xFFFFFFFF)  # the key of the owner NOTHING, and of no nearness at all
RAMP = np.stack([np.ones(LANE), np.arange(LANE)]).astype(np.float32)
WITHIN = np.tril(np.full((LANE, LANE), 0xFFFFFFFF, dtype=np.uint32))  # row n keeps pixels 0 .. n of a lane
ONWARD = np.ascontiguousarray(WITHIN[::-1, ::-1])  # and this one n .. LANE - 1

Keys = NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class HierarchicalZ:
    """How near everything is at least: ``nearness`` (rows, columns) of tiles of pixels."""

    nearness: Singles
    perspective: bool

    def hides(self, boxes: Indices, values: Floats) -> NDArray[np.bool_]:
        """Whether triangles of those ``boxes``, (4, n), and values at their corners, (3, n), are surely hidden."""
        left, top, right, bottom = (boxes - [[0], [0], [1], [1]]) // TILE
        near = values.max(axis=0) if self.perspective else 1.0 / values.min(axis=0)
        tiles = [self.nearness[row, column] for row in (top, bottom) for column in (left, right)]
        small = (right - left < 2) & (bottom - top < 2)  # they meet no other tiles
        hidden: NDArray[np.bool_] = small & (np.minimum.reduce(tiles) > near * (1.0 + ROUNDING))
        return hidden


class ZBuffer:
    """The nearest owner of each pixel, and the footprints of the owners 0 .. ``count`` - 1: what they would cover if
    nothing hid it. Values of spans are depths, or in perspective the inverse."""

    def __init__(self, width: int, height: int, count: int, perspective: bool) -> None:
        self._width, self._height, self._perspective = width, height, perspective
        self._stride = -(-width // LANE) * LANE
        rows = -(-height // TILE) * TILE
        self._nearest = np.empty(rows * self._stride, np.uint64)
        self._footprint = np.zeros((count, rows * self._stride), dtype=bool)
        self._turn = np.zeros(rows * self._stride // LANE, dtype=np.int64)

    def clearing(self) -> Slices[None]:
        """Make every pixel unseen, before any is painted. In pieces: memory that is touched for the first time takes
        as long as painting it."""
        yield from touching(self._nearest, self._footprint)
        for start in range(0, len(self._nearest), CLEARED):
            yield
            self._nearest[start : start + CLEARED] = UNSEEN

    def pixels(self) -> tuple[Owners, Singles, NDArray[np.bool_]]:
        """Owner and nearness of each pixel, NOTHING and 0 where there is none; and the footprints."""
        keys = self._nearest.view(np.uint32).reshape(-1, self._stride, 2)[: self._height, : self._width]
        owners, nearness = keys[:, :, 0].view(np.int32), keys[:, :, 1].view(np.float32)
        footprint = self._footprint.reshape(len(self._footprint), len(self._nearest) // self._stride, self._stride)
        return owners, nearness, footprint[:, : self._height, : self._width]

    def occlusion(self) -> HierarchicalZ:
        """What is painted by now. It hides nothing where footprints are kept, which hidden triangles have too."""
        rows = self._nearest.reshape(-1, TILE, self._stride).min(axis=1)
        tiles = rows.reshape(len(rows), -1, TILE).min(axis=2)
        nearness = (tiles >> np.uint64(32)).astype(np.uint32).view(np.float32)
        return HierarchicalZ(nearness * (len(self._footprint) == 0), self._perspective)

    def paint(self, spans: Spans, owners: Owners) -> None:
        """Paint the spans of triangles that have those owners."""
        begin, span_owners = spans.row * self._stride + spans.column, owners[spans.source]
        value, slope = spans.value.astype(np.float32), spans.slope.astype(np.float32)
        for selection, paint in ((spans.length < LANE, self._paint_pixels), (spans.length >= LANE, self._paint_lanes)):
            index = np.flatnonzero(selection)
            length = spans.length[index].astype(np.int64)
            paint(begin[index], length, value[index], slope[index], span_owners[index])

    def _paint_pixels(self, begin: Ints, length: Ints, value: Singles, slope: Singles, owners: Owners) -> None:
        span, pixels = expand(begin, length)
        along, pixel_owners = pixels - begin[span], owners[span]
        values = slope[span] * along.astype(np.float32) + value[span]
        self._keep_pixels(pixels, _keys(values if self._perspective else 1.0 / values, pixel_owners))
        if len(self._footprint):
            named = np.flatnonzero((pixel_owners >= 0) & (pixel_owners < len(self._footprint)))
            self._footprint[pixel_owners[named], pixels[named]] = True

    def _keep_pixels(self, pixels: Ints, keys: Keys) -> None:
        """``np.maximum.at(self._nearest, pixels, keys)``, which is ten times slower in the numpy of Blender 4.2."""
        while len(pixels):
            nearer = np.flatnonzero(keys > self._nearest[pixels])
            pixels, keys = pixels[nearer], keys[nearer]
            self._nearest[pixels] = keys  # of one pixel's keys the last stays; nearer ones come again

    def _paint_lanes(self, begin: Ints, length: Ints, value: Singles, slope: Singles, owners: Owners) -> None:
        first, last = begin // LANE, (begin + length - 1) // LANE
        number = last - first + 1
        stop = np.cumsum(number)
        span, lanes = expand(first, number)
        start = value[span] + slope[span] * (lanes * LANE - begin[span]).astype(np.float32)
        values = np.stack([start, slope[span]], axis=1) @ RAMP
        with np.errstate(divide="ignore"):  # outside the span, where all is possible and nothing counts
            bits = (values if self._perspective else 1.0 / values).view(np.uint32)
        bits[stop - number] &= ONWARD[begin % LANE]
        bits[stop - 1] &= WITHIN[(begin + length - 1) % LANE]
        self._keep_lanes(lanes, _keys(bits.view(np.float32), owners[span, None]), owners[span])

    def _keep_lanes(self, lanes: Ints, keys: Keys, owners: Owners) -> None:
        """The same for rows of keys; a lane that comes more than once is painted as often, each in its turn."""
        nearest = self._nearest.reshape(-1, LANE)
        footprint = self._footprint.reshape(len(self._footprint), len(nearest), LANE)
        waiting = np.arange(len(lanes))
        while len(waiting):
            self._turn[lanes[waiting]] = waiting
            first = self._turn[lanes[waiting]] == waiting
            now, waiting = waiting[first], waiting[~first]
            rows = keys if len(now) == len(keys) else keys.take(now, axis=0)
            nearest[lanes[now]] = np.maximum(nearest.take(lanes[now], axis=0), rows)
            if len(footprint):
                named = np.flatnonzero((owners[now] >= 0) & (owners[now] < len(footprint)))
                footprint[owners[now[named]], lanes[now[named]]] |= rows[named] > UNSEEN


def _keys(nearness: Singles, owners: Owners) -> Keys:
    """Numbers of which the nearest is the greatest: nearness above, as positive floats order like their bits, and the
    owner below, so that ties have one winner."""
    keys = nearness.view(np.uint32).astype(np.uint64)
    keys <<= np.uint64(32)
    keys |= owners.view(np.uint32)
    return keys
