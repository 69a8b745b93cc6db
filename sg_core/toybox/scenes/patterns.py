# SPDX-License-Identifier: MIT
"""Patterns painted onto things, in coordinates of the thing: they turn, bend and grow with it."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from sg_core.toybox.scenes.atlas import Atlas
from sg_core.toybox.scenes.scene import SceneObject

DARKEN, LIGHTEN = 0.42, 0.75


def box_coordinates(objects: Sequence[SceneObject], atlas: Atlas, grid: Tensor) -> Tensor:
    """Place on the thing's visible box, -1..1 each way: (thing, 2, height, width) of a grid (thing, height, width, 2).

    `grid` says where in its tile each pixel looks, as `compose.sampling_grid` makes it.
    """
    boxes = torch.tensor([atlas.tiles[item.tile].box for item in objects], device=grid.device) * 2 - 1
    left, top, right, bottom = (boxes[:, k].view(-1, 1, 1) for k in range(4))
    u = (grid[..., 0] - (left + right) / 2) / ((right - left) / 2)
    v = (grid[..., 1] - (top + bottom) / 2) / ((bottom - top) / 2)
    return torch.stack([u, v], 1)


def decorate(picture: Tensor, objects: Sequence[SceneObject], atlas: Atlas, grid: Tensor) -> Tensor:
    """Darken stripes and lighten dots where a thing has them: premultiplied (thing, 4, height, width) as before."""
    rows = [row for row, item in enumerate(objects) if item.pattern != "plain"]
    if not rows:
        return picture
    some = [objects[row] for row in rows]

    def column(values: Sequence[float]) -> Tensor:
        return torch.tensor(values, device=grid.device).view(-1, 1, 1)

    side = column([math.sqrt(item.width * item.height) for item in some])
    coordinates = box_coordinates(some, atlas, grid[rows])
    u = coordinates[:, 0] * column([item.width for item in some]) / side
    v = coordinates[:, 1] * column([item.height for item in some]) / side
    sharp = 12 * side  # softer on a small thing, whose pixels are large
    band = torch.sigmoid(sharp * torch.sin(3 * math.pi * (0.35 * u + v))).unsqueeze(1)
    away = torch.hypot((u * 2.2 + 0.5) % 1 - 0.5, (v * 2.2 + 0.5) % 1 - 0.5)
    dot = torch.sigmoid(4 * sharp * (0.27 - away)).unsqueeze(1)
    rgb, alpha = picture[rows, :3], picture[rows, 3:]
    striped = column([float(item.pattern == "stripes") for item in some]).unsqueeze(1) > 0
    painted = torch.where(striped, rgb * (1 - DARKEN * band), rgb + LIGHTEN * dot * (alpha - rgb))
    result = picture.clone()
    result[rows, :3] = painted
    return result
