# SPDX-License-Identifier: GPL-3.0-or-later
"""Data-blocks by name. A bare name may be several's, for every linked file brings names of its own; a full name, which
says the file, is one's."""

from collections.abc import Iterable
from typing import TypeVar

import bpy

Candidate = TypeVar("Candidate", bound=bpy.types.ID)


def named(blocks: Iterable[Candidate], name: str) -> Candidate | None:
    """The one of that full name; else of that bare name, this file's own before those of others; None without any."""
    candidates = [block for block in blocks if name in (block.name_full, block.name)]
    candidates.sort(key=lambda block: (block.name_full != name, block.library is not None))
    return candidates[0] if candidates else None
