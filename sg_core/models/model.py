# SPDX-License-Identifier: MIT
"""What the sampling loop needs of a model: the seam between the method and every architecture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sg_core.attention.tape import Grid
from sg_core.conditioning import Conditioning
from sg_core.errors import RequestError
from sg_core.models.cards import Card
from sg_core.parametrisation import Parametrisation
from sg_core.tokens import Phrase, Words


@dataclass(frozen=True)
class Step:
    """One step of a trajectory: latent = alpha * clean + sigma * noise. ``time`` is what the network is told.

    What the network sees is ``shrink`` times the latent of a scheduler that lets it grow with its noise.
    """

    index: int
    total: int
    time: float
    alpha: float
    sigma: float
    shrink: float = 1.0

    @property
    def progress(self) -> float:
        """0 at the first step, rising evenly to just under 1 at the last."""
        return self.index / self.total


class Trajectory(Protocol):
    """A walk from noise to picture."""

    @property
    def steps(self) -> Sequence[Step]:
        """All steps, noisiest first."""

    @property
    def spread(self) -> float:
        """What unit noise is multiplied by at the start."""

    def advance(self, step: Step, latent: Tensor, output: Tensor, noise: Sequence[torch.Generator]) -> Tensor:
        """The next latent, from the network's guided output. ``noise`` has one generator for each row."""


class Model(Protocol):
    """A text-to-image model whose attention can be overheard.

    Latents are (batch, channel, y, x).
    """

    @property
    def card(self) -> Card:
        """What the model is, and its defaults."""

    @property
    def network(self) -> nn.Module:
        """The module whose layers ``layers`` names."""

    @property
    def parametrisation(self) -> Parametrisation:
        """What ``predict`` returns."""

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        """(channel, y, x) of a picture's latent, sizes in pixels. Raises RequestError for sizes it cannot paint."""

    def steps(self, count: int, scheduler: str, size: tuple[int, int] | None = None) -> Trajectory:
        """A trajectory of this many steps. Raises RequestError for an unknown scheduler or an impossible count.

        Args:
            size: rows and columns of the latent, for models that walk larger pictures in another way; None stands for
                the Card's area.
        """

    def layers(self, latent: Tensor) -> Mapping[str, Grid]:
        """The layers to listen to, in the order they speak, with their grids for this latent."""

    def attention(self, latent: Tensor) -> Mapping[str, Grid]:
        """Every layer where the picture looks at words, heard or not, with their grids for this latent."""

    def self_attention(self, latent: Tensor) -> Mapping[str, Grid]:
        """Every layer where the picture looks at itself and nothing else, with their grids for this latent; none for a
        family whose pictures and words share layers."""

    def encode(self, prompts: Sequence[str], *, negative: bool = False) -> Conditioning:
        """What to tell the network, for ``predict``; ``negative`` are those to move away from.

        Raises TokenError when a prompt is too long.
        """

    def words(self, prompts: Sequence[str], phrases: Sequence[Phrase]) -> Words:
        """Where the prompts say the phrases. Raises TokenError when one does not."""

    def predict(self, latent: Tensor, step: Step, text: Conditioning) -> Tensor:
        """The network's output, in its own parametrisation, shaped like the latent."""

    def combine(self, conditional: Tensor, plain: Tensor, scale: float) -> tuple[Tensor, Tensor]:
        """The guided output of a pass with the prompt and one without, and its correction."""

    def decode(self, latent: Tensor) -> Tensor:
        """Pictures (batch, 3, y, x), 0 to 1, of clean latents, with their gradient where the latents have one.

        Those of fewer pixels than the Card's least have twice the sides that were asked for.
        """

    def latent(self, pictures: Tensor) -> Tensor:
        """Clean latents of pictures (batch, 3, height, width) in 0..1, without chance; the inverse of ``decode``.

        Raises RequestError for a model that cannot encode pictures.
        """


def plus(conditional: Tensor, plain: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Classifier-free guidance (Ho & Salimans 2022): the output, and its correction."""
    correction = scale * (conditional - plain)
    return plain + correction, correction


def mean_latent(autoencoder: Any, pictures: Tensor) -> Tensor:
    """What one of diffusers' autoencoders makes of pictures (batch, 3, height, width) in 0..1, before it is scaled."""
    own = next(autoencoder.parameters())
    encoded = autoencoder.encode((pictures * 2 - 1).to(own))
    if hasattr(encoded, "latent_dist"):
        latent: Tensor = encoded.latent_dist.mode()
    else:
        latent = encoded.latents if hasattr(encoded, "latents") else encoded.latent  # of Sana's
    return latent.float()


def painted_sides(card: Card, width: int, height: int) -> tuple[int, int]:
    """Width and height at which a picture is painted: twice those asked for where it has fewer pixels than the least.

    Raises RequestError when a side, in pixels, is not a multiple of the Card's.
    """
    times = 2 if width * height < card.least else 1
    check_sides(card, times * width, times * height)
    return times * width, times * height


def of_size(pictures: Tensor, width: int, height: int) -> Tensor:
    """Pictures (batch, 3, y, x) with these sides: averaged down to them, or enlarged, where they have others."""
    if pictures.shape[2:] == (height, width):
        return pictures
    return F.interpolate(pictures, (height, width), mode="area" if pictures.shape[3] > width else "bilinear")


def check_sides(card: Card, width: int, height: int) -> None:
    """Raise RequestError when a side, in pixels, is not a multiple of the Card's."""
    multiple = card.multiple
    if width < multiple or height < multiple or width % multiple or height % multiple:
        near = [max(1, round(side / multiple)) * multiple for side in (width, height)]
        raise RequestError(
            f"{width} x {height} pixels: {card.name} paints multiples of {multiple}, such as {near[0]} x {near[1]}"
        )
