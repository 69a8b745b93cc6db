# SPDX-License-Identifier: MIT
"""Recipes: energies for what people ask for, made of the named terms."""

from collections.abc import Mapping
from typing import Any

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
    pairs = [(words, mask) for words in regions for other, mask in regions.items() if other != words]
    share = apart / max(1, len(regions) - 1)
    return sum(energies, Energy()) + sum((share * keep_out(words, mask) for words, mask in pairs), Energy())
