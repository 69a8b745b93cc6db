# SPDX-License-Identifier: MIT
"""References: pictures that others are guided by.

A picture of ours and a real one take one path. Of either there is a clean latent, a caption that says what it shows,
and the masks of its regions. At each step it is noised again, always by the same noise (forward noising, as Epstein et
al. 2023 do for real pictures): nothing has to be inverted, and nothing of how it was made has to be kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from sg_core.errors import RequestError
from sg_core.models.model import Model, Step
from sg_core.noise import initial_noise, varied
from sg_core.tokens import Phrase, phrase

RegionMasks = Mapping[str, Any] | Mapping[Phrase, Any] | Mapping[str | Phrase, Any]
"""Phrase to coverage (y, x) in 0..1, rows from the top, at any resolution."""


@dataclass(frozen=True, eq=False)
class Reference:
    """A clean picture, as a model has it.

    Attributes:
        latent: clean, (1, channel, y, x).
        noise: of unit spread, shaped like it: what it was painted from where that is known, else any.
        caption: what the picture shows, in words that say all its regions.
        regions: where each phrase was to be in it: coverage (y, x) in 0..1, rows from the top, at any resolution.
        outlines: what the picture shows of it, where that is known better.
        picture: the picture itself, (1, 3, height, width) in 0..1, where there is more to it than the latent decoded.
    """

    latent: Tensor
    noise: Tensor
    caption: str
    regions: Mapping[Phrase, Any] = field(default_factory=dict)
    outlines: Mapping[Phrase, Any] = field(default_factory=dict)
    picture: Tensor | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the latent."""
        return self.latent.shape[2], self.latent.shape[3]

    def at(self, step: Step) -> Tensor:
        """The latent as noisy as a step's, (1, channel, y, x)."""
        return step.alpha * self.latent + step.sigma * self.noise

    def outline(self, subject: str | Phrase) -> Any:
        """What it shows of a phrase, as it was given. Raises RequestError for a region that it does not have."""
        return self.outlines.get(phrase(subject), self.region(subject))

    def decoded(self, model: Model) -> Tensor:
        """The picture, (1, 3, height, width) in 0..1."""
        if self.picture is not None:
            return self.picture.to(self.latent)
        with torch.no_grad():
            return model.decode(self.latent)

    def region(self, subject: str | Phrase) -> Any:
        """Where a phrase is, as it was given. Raises RequestError for one that it does not have."""
        named = phrase(subject)
        if named not in self.regions:
            known = ", ".join(map(str, self.regions)) or "none"
            raise RequestError(f"the reference has no region {named}: it has {known}. Say where it is in that picture")
        return self.regions[named]


def painted(
    latent: Tensor,
    caption: str,
    regions: RegionMasks,
    *,
    outlines: RegionMasks | None = None,
    seed: int = 0,
    variation: float = 0.0,
    variation_seed: int = 0,
    noise: Tensor | None = None,
) -> Reference:
    """A reference of a clean latent (1, channel, y, x), painted from ``noise``, or else from that of ``seed``, as
    ``generate`` varies it. Raises RequestError for several latents, and for a variation outside 0 to 1."""
    if latent.ndim != 4 or len(latent) != 1:
        raise RequestError(f"a reference is one picture, (1, channel, y, x); this latent is {tuple(latent.shape)}")
    first = varied(_noise(latent, seed), variation_seed, variation) if noise is None else noise
    named, shown = ({phrase(words): mask for words, mask in some.items()} for some in (regions, outlines or {}))
    return Reference(latent.detach(), first.to(latent), caption, named, shown)


def pictured(model: Model, picture: Tensor, caption: str, regions: RegionMasks, *, seed: int = 0) -> Reference:
    """A reference of any picture (3, height, width) in 0..1, a photograph for one, encoded.

    Raises RequestError for sides that the model cannot paint, and when it cannot encode pictures.
    """
    model.latent_shape(picture.shape[-1], picture.shape[-2])
    with torch.no_grad():
        reference = painted(model.latent(picture[None]), caption, regions, seed=seed)
    return replace(reference, picture=picture[None])


def _noise(latent: Tensor, seed: int) -> Tensor:
    shape = (latent.shape[1], latent.shape[2], latent.shape[3])
    return initial_noise([torch.Generator("cpu").manual_seed(seed)], shape)
