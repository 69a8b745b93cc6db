# SPDX-License-Identifier: MIT
"""Leakage: words that take hold where other things are to be (as in Bounded Attention, Dahary et al. 2024)."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from sg_core.attention.coverage import mask_by_grid
from sg_core.attention.tape import Tape
from sg_core.energy import Energy, Measure, Term
from sg_core.tokens import Phrase, phrase

SHARPNESS = 100.0  # as in attend-and-excite: words differ by hundredths of the mass


def leakage(words: str | Phrase, mask: Any, tolerance: float = 0.1) -> Energy:
    """The phrase is not what a mask of something else is about: its share among the prompt's words there.

    The share is a softmax over the words, sharpened, so that it is near 1 where the phrase wins and near 0 where
    another word does; a thing may be faint and still be all that a place is about. Error = energy.

    Args:
        mask: of the others, as for ``energy.shape``.
    """

    def measure(tape: Tape) -> Measure:
        share = winning(tape, subject)
        inside = brought(tape.grid, tape.batch, share)
        mean = (share * inside).sum((1, 2)) / inside.sum((1, 2)).clamp_min(1e-6)
        return Measure(mean, mean)

    subject = phrase(words)
    brought = mask_by_grid(mask, subject)
    return Energy((Term(f"leakage of {subject}", subject, tolerance, measure),))


def apart(regions: Mapping[str, Any] | Mapping[str | Phrase, Any]) -> Energy:
    """No region's words leak into any other region, all leaks together weighing one."""
    pairs = [(words, mask) for words in regions for other, mask in regions.items() if other != words]
    return sum((leakage(words, mask) * (1 / len(pairs)) for words, mask in pairs), Energy())


def winning(tape: Tape, subject: Phrase) -> Tensor:
    """The phrase's share of a sharpened softmax over the prompt's own words: (batch, y, x)."""
    maps = tape.columns() * SHARPNESS
    content, own = tape.selection(tape.words.content), tape.selection(tape.words.phrases[subject])
    shares = maps.masked_fill(content[:, None, None] == 0, float("-inf")).softmax(-1)
    return torch.einsum("byxt,bt->byx", shares, own)
