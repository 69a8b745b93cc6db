# SPDX-License-Identifier: MIT
"""What a network believes about a phrase, read off its attention map (Epstein et al. 2023, section 3).

Maps are (batch, y, x). The published estimators are pulled to the middle by the background's floor and get noise from
the gradient of one minimum and one maximum; here floor and range are removed first, and both are detached.
"""

import torch
from torch import Tensor

SHARPNESS = 10.0


def normalise(attention: Tensor) -> Tensor:
    """(A - min A) / (max A - min A) over each map, (batch, y, x) in [0, 1]; minimum and maximum carry no gradient.

    A flat map, of a phrase that nothing looks at more than anything else, becomes zero.
    """
    low = attention.detach().amin((1, 2), keepdim=True)
    high = attention.detach().amax((1, 2), keepdim=True)
    return (attention - low) / (high - low).clamp_min(1e-6)


def shape(attention: Tensor, sharpness: float = SHARPNESS) -> Tensor:
    """Soft silhouette s(sharpness * (normalise(A) - 1/2)), s the sigmoid stretched to keep 0 and 1: (batch, y, x)."""
    ends = torch.sigmoid(sharpness * attention.new_tensor([-0.5, 0.5]))
    soft = torch.sigmoid(sharpness * (normalise(attention) - 0.5))
    return (soft - ends[0]) / (ends[1] - ends[0])


def size(attention: Tensor, sharpness: float = SHARPNESS) -> Tensor:
    """Fraction of the picture under the silhouette, mean of shape(A): (batch,)."""
    return shape(attention, sharpness).mean((1, 2))


def centroid(attention: Tensor, sharpness: float = SHARPNESS) -> Tensor:
    """Middle of the silhouette, sum S * (x, y) / sum S: (batch, 2), x right and y down, both in [0, 1].

    The silhouette has no floor, so a thing near the border is found there and not half-way to the middle.
    """
    weight = shape(attention, sharpness)
    rows, columns = cell_centres(attention)
    total = weight.sum((1, 2)).clamp_min(1e-6)
    x = (weight * columns).sum((1, 2)) / total
    y = (weight * rows[:, None]).sum((1, 2)) / total
    return torch.stack([x, y], 1)


def appearance(attention: Tensor, features: Tensor, sharpness: float = SHARPNESS) -> Tensor:
    """Mean activation under the silhouette, sum S * F / sum S: (batch, channel).

    ``features`` is (batch, channel, y, x) on the map's grid. Only the features carry gradient: a look must not change
    by moving where one looks.
    """
    weight = shape(attention.detach(), sharpness)[:, None]
    return (weight * features).sum((2, 3)) / weight.sum((2, 3)).clamp_min(1e-6)


def cell_centres(attention: Tensor) -> tuple[Tensor, Tensor]:
    """Centres of the grid's rows and columns in [0, 1]: y (rows,) from the top, x (columns,) from the left."""
    rows, columns = attention.shape[-2:]
    y = (torch.arange(rows, dtype=attention.dtype, device=attention.device) + 0.5) / rows
    x = (torch.arange(columns, dtype=attention.dtype, device=attention.device) + 0.5) / columns
    return y, x
