# SPDX-License-Identifier: MIT
"""Scores of the picture that the model has in mind, as energies (Bansal et al. 2023, universal guidance).

At any step the network's output says what the clean picture would be. Whatever can judge that picture differentiably
can guide it. Such a term costs the backward pass of the whole network and of the decoder, where those that listen stop
at the last layer heard.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from sg_core.attention.coverage import on_grid
from sg_core.attention.tape import Tape
from sg_core.energy import Energy, Measure, Term
from sg_core.errors import EnergyError
from sg_core.schedule import Schedule, always, times
from sg_core.tokens import Phrase

Score = Callable[[Tensor], Tensor]
"""From pictures (batch, 3, y, x) in 0..1 to how far each is from what is wanted, (batch,), 0 being there."""


def score(function: Score, weight: float | Schedule = 1.0, *, name: str = "score", tolerance: float = 0.05) -> Energy:
    """A score of the predicted clean picture. Error = energy = score; within ``tolerance`` it counts as met.

    Raises EnergyError when the function does not give one number a picture.
    """

    def measure(tape: Tape) -> Measure:
        assert tape.picture is not None, "the loop predicts the picture for terms that need it"
        values = function(tape.picture)
        if values.shape != (len(tape.picture),):
            raise EnergyError(f"{name} gives {tuple(values.shape)} for {len(tape.picture)} pictures: one number each")
        return Measure(values, values)

    return Energy((Term(name, None, tolerance, measure, times(always, weight), of_picture=True),))


def colour(mask: Any, rgb: Sequence[float]) -> Score:
    """How far the mean colour inside a mask is from this one: root mean square over red, green and blue, in 0..1.

    Args:
        mask: coverage (y, x) or (batch, y, x) in 0..1, rows from the top, at any resolution.
        rgb: of the block, in 0..1.
    """

    def distance(picture: Tensor) -> Tensor:
        height, width = picture.shape[-2:]
        inside = on_grid(mask, (height, width), len(picture), Phrase("a colour"), picture)[:, None]
        mean = (picture * inside).sum((2, 3)) / inside.sum((2, 3)).clamp_min(1e-6)
        away = mean - torch.as_tensor(rgb, dtype=picture.dtype, device=picture.device)
        return (away.square().mean(1) + 1e-8).sqrt()  # a square root has no slope at 0

    return distance
