# SPDX-License-Identifier: GPL-3.0-or-later
"""Two pictures of the history, one on each side of a line that the artist moves, as a frozen value. No bpy.

As a contact sheet it is made of names: no data-block belongs to it, and no undo step touches it.
"""

from dataclasses import dataclass

from .history import Entry
from .labels import entry_facts, labels


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Shown in the Image Editor whose space has that address: ``names`` of the two pictures in the history, with the
    first on the left of the ``line``, 0..1 across it, and ``captions`` that tell them apart."""

    space: int
    names: tuple[str, str]
    captions: tuple[str, str]
    line: float = 0.5


def comparison(space: int, first: Entry, second: Entry) -> Comparison:
    """Of two pictures, the line in their middle."""
    entries = (first, second)
    facts = [entry_facts(entry) for entry in entries]
    left, right = labels(facts)
    return Comparison(space=space, names=(first.name, second.name), captions=(f"A  Seed {left}", f"B  Seed {right}"))
