# SPDX-License-Identifier: MIT
"""Where a region went: from its old mask to its new one, by shifting and stretching; and what travels with it.

A picture can be shifted by any fraction and stretched, for it is smooth. Noise cannot: between two cells it has no
value, and an average of noises is too quiet. So noise is never resampled here, its cells only change places, each used
once: what comes out is the same numbers, and as Gaussian as before.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from sg_core.errors import RequestError

COVERED = 0.5  # of a mask's best coverage: what is covered as much belongs to its box
RIGID = 0.04  # a stretch by less than this is none: masks of pixels are no more exact
COVERS = 0.5  # of a cell: from there on it is the region's
HEM = 9  # pixels around an object that show some of it, and the least reach from which a hole is filled
STANDS = 0.05  # 1 - IoU of two masks: up to it a region stands where it stood


@dataclass(frozen=True)
class Movement:
    """A point p of the new region shows the point ``(p - new) / stretch + old`` of the old one.

    Points are (x right, y down) in fractions of the picture.
    """

    old: tuple[float, float]
    new: tuple[float, float]
    stretch: tuple[float, float]

    def origins(self, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """What the middle of each cell of (rows, columns) shows: x (columns,) and y (rows,)."""
        rows, columns = size
        x = (torch.arange(columns) + 0.5) / columns
        y = (torch.arange(rows) + 0.5) / rows
        return (
            (x - self.new[0]) / self.stretch[0] + self.old[0],
            (y - self.new[1]) / self.stretch[1] + self.old[1],
        )


def movement(old: Any, new: Any) -> Movement:
    """How the box of one mask becomes that of another; masks (y, x) in 0..1, at any resolution.

    Raises RequestError for a mask with nothing in it.
    """
    (left, top, right, bottom), (left_, top_, right_, bottom_) = _box(old), _box(new)
    stretch = [(right_ - left_) / (right - left), (bottom_ - top_) / (bottom - top)]
    rigid = all(abs(factor - 1) < RIGID for factor in stretch)
    return Movement(
        ((left + right) / 2, (top + bottom) / 2),
        ((left_ + right_) / 2, (top_ + bottom_) / 2),
        (1.0, 1.0) if rigid else (stretch[0], stretch[1]),
    )


def stands(before: Any, now: Any) -> bool:
    """Whether a region stands still: its masks (y, x) in 0..1, at any resolutions, cover the same."""
    then, there = (torch.as_tensor(mask, dtype=torch.float32) for mask in (before, now))
    if then.shape != there.shape:
        then = F.interpolate(then[None, None], there.shape, mode="area")[0, 0]
    union = float(torch.maximum(then, there).sum())
    return 1 - float(torch.minimum(then, there).sum()) / max(union, 1e-6) <= STANDS


def moved(values: Tensor, movement: Movement) -> Tensor:
    """Values (batch, channel, y, x) where they went: smoothly, 0 where nothing came from."""
    size = (values.shape[2], values.shape[3])
    x, y = (2 * origin - 1 for origin in movement.origins(size))
    grid = torch.stack([x.expand(size), y[:, None].expand(size)], -1).to(values)
    return F.grid_sample(values, grid.expand(len(values), -1, -1, -1), padding_mode="zeros", align_corners=False)


def filled(picture: Tensor, hole: Tensor) -> Tensor:
    """A picture (1, channel, y, x) whose ``hole`` (1, 1, y, x) in 0..1 is filled smoothly with what is around it."""
    rest = (hemmed(hole) < COVERS).to(picture)
    answer, known = picture * rest, rest
    reach = HEM
    while reach < 2 * max(picture.shape[2:]) and float(known.min()) == 0.0:
        weight = box_sums(rest, reach // 2)
        around = box_sums(picture * rest, reach // 2) / weight.clamp_min(1.0)
        fresh = (known == 0) & (weight > 0)
        answer, known = torch.where(fresh, around, answer), torch.where(fresh, 1.0, known)
        reach = 2 * reach - 1
    return torch.where(known > 0, answer, picture)


def hemmed(mask: Tensor) -> Tensor:
    """A mask (1, 1, y, x) in 0..1 with the pixels around it that show some of the object."""
    return F.max_pool2d(mask, HEM, 1, HEM // 2)


def box_sums(values: Tensor, reach: int) -> Tensor:
    """The sum of values (batch, channel, y, x) over the square around each place, ``reach`` to every side, 0 outside.

    From a summed-area table (Crow 1984), so that a wide square costs no more than a narrow one. Its differences need
    double precision, which not every device has.
    """
    rows, columns = values.shape[-2:]
    table = F.pad(values.to("cpu", torch.float64), (1, 0, 1, 0)).cumsum(-1).cumsum(-2)
    y, x = torch.arange(rows), torch.arange(columns)
    top, bottom = (y - reach).clamp_min(0), (y + reach + 1).clamp_max(rows)
    left, right = (x - reach).clamp_min(0), (x + reach + 1).clamp_max(columns)
    below, above = table[..., bottom, :], table[..., top, :]
    return (below[..., right] - below[..., left] - above[..., right] + above[..., left]).to(values)


def moved_noise(noise: Tensor, movement: Movement, target: Tensor) -> Tensor:
    """Noise (batch, channel, y, x) whose cells went along to where ``target`` (y, x) is true: the same numbers, moved.

    Where a region grows, what there is only once is had once, and the cells that were covered fill the rest.
    """
    rows, columns = noise.shape[-2:]
    sources = torch.arange(rows * columns)
    used = torch.zeros(rows * columns, dtype=torch.bool)
    open_cells = torch.zeros(rows * columns, dtype=torch.bool)
    x, y = movement.origins((rows, columns))
    for row, column in target.nonzero().tolist():
        from_row, from_column = int(torch.floor(y[row] * rows)), int(torch.floor(x[column] * columns))
        inside = 0 <= from_row < rows and 0 <= from_column < columns
        source, cell = from_row * columns + from_column, row * columns + column
        if inside and not used[source]:
            sources[cell], used[source] = source, True
        else:
            open_cells[cell] = True
    stays = ~target.flatten() & ~used
    used |= stays
    open_cells |= ~target.flatten() & ~stays
    sources[open_cells.nonzero()[:, 0]] = (~used).nonzero()[:, 0]
    return noise.flatten(2)[..., sources].view_as(noise)


def grown(mask: Tensor, cells: int) -> Tensor:
    """Where a mask (y, x), or what is so many cells around it, covers a cell about as well as it covers any: (y, x)
    bool. What is thin covers none whole."""
    touched = (mask > COVERS * mask.max()).float()[None, None]
    return F.max_pool2d(touched, 2 * cells + 1, 1, cells)[0, 0] > 0


def _box(mask: Any) -> tuple[float, float, float, float]:
    """Left, top, right and bottom, in fractions, of what is covered."""
    coverage = torch.as_tensor(mask, dtype=torch.float32)
    best = float(coverage.max()) if coverage.numel() else 0.0
    if coverage.ndim != 2 or best <= 0:
        raise RequestError(
            f"a region's mask of {tuple(coverage.shape)} covers nothing: give (y, x) with something in it"
        )
    share = coverage / best
    height, width = coverage.shape
    (left, right), (top, bottom) = _ends(share.amax(0)), _ends(share.amax(1))
    return left / width, top / height, right / width, bottom / height


def _ends(profile: Tensor) -> tuple[float, float]:
    """Where what is covered begins and ends, in cells: a cell at an end that is covered in part counts in part, lest a
    box that goes on smoothly should jump."""
    values = [0.0, *profile.tolist(), 0.0]
    covered = [index for index, value in enumerate(values) if value >= COVERED]
    first, last = covered[0], covered[-1]
    begin = first - values[first] - values[first - 1]
    return begin, last - 1 + values[last] + values[last + 1]
