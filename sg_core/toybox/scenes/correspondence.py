# SPDX-License-Identifier: MIT
"""Which part of which thing each latent cell shows: a truth that the scenes know, taught to the denoiser in passing.

REPA (Yu et al., 2024, arXiv 2410.06940) aligns a denoiser's features with those of a pretrained network and so shortens
its training. No network is needed here: the compositor knows noun and place on the thing exactly. The head that reads
them from the denoiser's features is thrown away after training; the model that ships has no trace of it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from sg_core.toybox.scenes.atlas import Atlas
from sg_core.toybox.scenes.compose import Pictures, sampling_grid
from sg_core.toybox.scenes.scene import Scene

SPOT_SCALE = 127


@dataclass(frozen=True)
class Correspondence:
    """Class (batch, rows, columns), 0 for background, and place on the thing's own picture (batch, 2, rows, columns).

    Both are small integers, places in steps of 1/127 from -1 to 1.
    """

    classes: Tensor
    spots: Tensor

    def rows(self, index: Tensor) -> "Correspondence":
        """Those of some of the scenes."""
        return Correspondence(self.classes[index], self.spots[index])


def correspondence(
    scenes: Sequence[Scene], pictures: Pictures, atlas: Atlas, nouns: Sequence[str], patch: int
) -> Correspondence:
    """The truth for cells of `patch` pixels."""
    visible = F.avg_pool2d(pictures.visible, patch)
    batch, slots, rows, columns = visible.shape
    owners = [(row, slot) for row, scene in enumerate(scenes) for slot in range(len(scene.things))]
    things = [scenes[row].things[slot] for row, slot in owners]
    where = torch.tensor(owners, device=visible.device).unbind(1)
    spots = torch.zeros(batch, slots + 1, rows, columns, 2, device=visible.device)
    classes = torch.zeros(batch, slots + 1, rows, columns, dtype=torch.long, device=visible.device)
    spots[where[0], where[1] + 1] = sampling_grid(things, atlas, columns, rows)
    numbers = torch.tensor([nouns.index(thing.noun) + 1 for thing in things], device=visible.device)
    classes[where[0], where[1] + 1] = numbers.view(-1, 1, 1)
    winner = torch.cat([1 - visible.sum(1, keepdim=True), visible], 1).argmax(1, keepdim=True)
    chosen = spots.gather(1, winner.unsqueeze(-1).expand(-1, -1, -1, -1, 2))[:, 0].movedim(-1, 1)
    return Correspondence(
        classes.gather(1, winner)[:, 0].short(), (chosen.clamp(-1, 1) * SPOT_SCALE).round().to(torch.int8)
    )


class Reader(nn.Module):
    """Features (batch, channels, rows, columns) -> class logits and places."""

    def __init__(self, channels: int, nouns: int) -> None:
        super().__init__()
        self.read = nn.Sequential(nn.GroupNorm(16, channels), nn.SiLU(), nn.Conv2d(channels, 3 + nouns, 1))

    def loss(self, features: Tensor, truth: Correspondence) -> Tensor:
        """Cross-entropy of the classes plus the squared error of the places, on things only."""
        logits: Tensor = self.read(features).float()
        inside = (truth.classes > 0).unsqueeze(1)
        missed = (logits[:, :2] - truth.spots.float() / SPOT_SCALE).square() * inside
        named = F.cross_entropy(logits[:, 2:], truth.classes.long())
        return named + 2 * missed.sum() / inside.sum().clamp_min(1)


@contextmanager
def overheard(unet: UNet2DConditionModel) -> Iterator[list[Tensor]]:
    """The features that enter the last block of the way up, one forward pass after the other."""
    heard: list[Tensor] = []
    hook = unet.up_blocks[-2].register_forward_hook(lambda module, args, output: heard.append(output))
    try:
        yield heard
    finally:
        hook.remove()
