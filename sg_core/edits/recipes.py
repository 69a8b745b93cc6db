# SPDX-License-Identifier: MIT
"""Recipes: energies for what people ask for, made of the named terms."""

from collections.abc import Mapping
from typing import Any

from sg_core.attention.coverage import in_one_size
from sg_core.energy import Energy, keep_out, presence, shape
from sg_core.tokens import Phrase


def place(
    regions: Mapping[str, Any] | Mapping[str | Phrase, Any], *, apart: float = 0.25, present: float = 0.25
) -> Energy:
    """Each phrase covers its mask, keeps out of the others' and is there at all.

    Args:
        regions: phrase to mask, as for ``energy.shape``.
        apart: weight of staying out of all the others' masks together.
        present: weight of being there.
    """
    energies = [shape(words, mask) + present * presence(words, mask) for words, mask in regions.items()]
    away = [apart / (len(regions) - 1) * keep_out(*pair) for pair in others(regions).items()]
    return sum((*energies, *away), Energy())


def others(regions: Mapping[str, Any] | Mapping[str | Phrase, Any]) -> dict[str | Phrase, Any]:
    """Of every phrase where all the others are to be; nothing where there is but one."""
    masks = dict(zip(regions, in_one_size(list(regions.values())), strict=True)) if len(regions) > 1 else {}
    together = sum(masks.values())
    return {words: (together - mask).clamp(0, 1) for words, mask in masks.items()}
