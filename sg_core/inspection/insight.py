# SPDX-License-Identifier: MIT
"""What one step looked at and what pulled it, read off the pass that was made anyway: listening changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from sg_core.attention.tape import Tape
from sg_core.energy import Energy
from sg_core.guidance import rms


@dataclass(frozen=True)
class Sizes:
    """Root mean squares in one step, of the network's output and what was added to it; means over the batch.

    Attributes:
        gradient: of the energy by the latent; None where it was not followed.
        push: of what the energy added to the output.
        correction: of the classifier-free one, which the push is measured against.
        kept: of what references changed in the output.
    """

    gradient: float | None
    push: float
    correction: float
    kept: float


@dataclass(frozen=True)
class Insight:
    """One step, as people look into it; on the CPU, without gradient.

    Attributes:
        maps: phrase to how much each cell looks at it, mean over heads and layers, (batch, y, x).
        content: ... at any word of the prompt, (batch, y, x).
        energies: each term's name to its weighted energy, mean over the batch; of terms that weigh anything now.
        errors: ... to its error over its tolerance: 1 and less is met.
        guided: whether the energy pulled; beyond that its terms are read and nothing more.
    """

    maps: Mapping[str, Tensor]
    content: Tensor
    energies: Mapping[str, float]
    errors: Mapping[str, float]
    sizes: Sizes
    guided: bool


def insight_into(tape: Tape, energy: Energy, progress: float, sizes: Sizes, *, guided: bool) -> Insight:
    """What is on a tape, and what the terms of an energy read there; terms that need the picture only where it is.

    Two terms of one name are one sum, and the larger error, so that neither hides behind the other.
    """
    energies: dict[str, float] = {}
    errors: dict[str, float] = {}
    with torch.no_grad():
        for term in energy.at(progress).terms:
            if term.of_picture and tape.picture is None:
                continue
            measure = term.measure(tape)
            value = term.weight(progress) * float(measure.energy.mean())
            energies[term.name] = energies.get(term.name, 0.0) + value
            errors[term.name] = max(errors.get(term.name, 0.0), float(measure.error.mean()) / term.tolerance)
        maps = {str(phrase): tape.map(phrase).detach().float().cpu() for phrase in tape.words.phrases}
        content = tape.content().detach().float().cpu()
    return Insight(maps, content, energies, errors, sizes, guided)


def size_of(rows: Tensor) -> float:
    """Root of the mean square of each row (batch, ...), mean over the batch."""
    return float(rms(rows.detach().float()).mean())
