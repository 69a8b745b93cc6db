# SPDX-License-Identifier: MIT
"""Masks of regions, brought to the grid of an attention layer."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from sg_core.errors import EnergyError
from sg_core.tokens import Phrase


def on_grid(mask: Any, grid: tuple[int, int], batch: int, subject: Phrase, like: Tensor) -> Tensor:
    """A mask on a grid of (rows, columns), by area: (1 or batch, y, x), of the kind and on the device of ``like``.

    Args:
        mask: array or tensor (y, x) for all rows of the batch or (batch, y, x), coverage 0 to 1, rows from the top, at
            any resolution.

    Raises EnergyError for a mask of another form, which names ``subject``.
    """
    target = torch.as_tensor(mask, dtype=like.dtype, device=like.device)
    if target.ndim not in (2, 3) or (target.ndim == 3 and target.shape[0] not in (1, batch)):
        raise EnergyError(
            f"the mask of {subject} is {tuple(target.shape)}: it must be (y, x), or (batch, y, x) with {batch} rows"
        )
    planes = target if target.ndim == 3 else target[None]
    return F.interpolate(planes[:, None], grid, mode="area")[:, 0]


def mask_by_grid(mask: Any, subject: Phrase) -> Callable[[tuple[int, int], int, Tensor], Tensor]:
    """``on_grid`` of one mask as a function of grid, batch and ``like``: every step of a run asks for the same."""
    cached: dict[Any, Tensor] = {}

    def brought(grid: tuple[int, int], batch: int, like: Tensor) -> Tensor:
        form = (grid, batch, like.dtype, like.device)
        if form not in cached:
            cached[form] = on_grid(mask, grid, batch, subject, like)
        return cached[form]

    return brought


def in_one_size(masks: Sequence[Any]) -> list[Tensor]:
    """Masks of any resolutions, as ``on_grid`` takes them, at the largest of these: float32, (y, x) or (batch, y, x).

    Raises EnergyError for a mask of another form.
    """
    tensors = [torch.as_tensor(mask, dtype=torch.float32) for mask in masks]
    largest = tuple(max(side) for side in zip(*(tensor.shape[-2:] for tensor in tensors), strict=True))
    return [_resized(tensor, largest) for tensor in tensors]


def _resized(mask: Tensor, size: tuple[int, ...]) -> Tensor:
    if mask.ndim not in (2, 3):
        raise EnergyError(f"a mask is {tuple(mask.shape)}: it must be (y, x), or (batch, y, x)")
    if mask.shape[-2:] == size:
        return mask
    planes = F.interpolate(mask.reshape(1, -1, *mask.shape[-2:]), size, mode="area")[0]
    return planes if mask.ndim == 3 else planes[0]
