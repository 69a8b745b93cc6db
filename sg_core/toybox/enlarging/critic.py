# SPDX-License-Identifier: MIT
"""A critic of patches: it learns to tell true pictures from decoded ones, and so tells the decoder what is too soft."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTHS = (32, 64, 128, 160)
SLOPE = 0.2


class PatchCritic(nn.Module):
    """Pictures (batch, 3, height, width) in 0..1 -> one verdict for each patch of 46 pixels (Isola et al., 2017).

    Positive means true. Four convolutions halve the sides.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, WIDTHS[0], 4, stride=2, padding=1)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 4, stride=2, padding=1), nn.GroupNorm(8, b)) for a, b in pairwise(WIDTHS)
        )
        self.read = nn.Conv2d(WIDTHS[-1], 1, 3, padding=1)

    def forward(self, rgb: Tensor) -> Tensor:
        """Verdicts (batch, 1, height / 16, width / 16), in float32."""
        x = F.leaky_relu(self.stem(rgb.to(self.stem.weight.dtype) * 2 - 1), SLOPE)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), SLOPE)
        verdicts: Tensor = self.read(x)
        return verdicts.float()


def critic_loss(critic: PatchCritic, true: Tensor, painted: Tensor) -> Tensor:
    """Hinge loss (Lim and Ye, 2017): verdicts of true pictures above 1, of painted ones below -1."""
    real, fake = critic(true), critic(painted)
    loss: Tensor = F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    return loss


def with_critic(likeness: Tensor, painted: Tensor, critic: PatchCritic, weight: float) -> Tensor:
    """A loss that is `likeness` in number, and pulls at `painted` as that does and as the critic's verdict does.

    The critic's pull is scaled to `weight` times that of the likeness (as in Esser et al., 2021, but at the picture
    instead of at the last layer), so that neither has to be tuned to the other.
    """
    (pull,) = torch.autograd.grad(likeness, painted)
    critic.requires_grad_(False)
    (push,) = torch.autograd.grad(-critic(painted).mean(), painted)
    critic.requires_grad_(True)
    together = pull + weight * pull.norm() / push.norm().clamp_min(1e-12) * push
    surrogate = (painted * together).sum()
    return likeness.detach() + surrogate - surrogate.detach()
