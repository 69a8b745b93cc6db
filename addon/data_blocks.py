# SPDX-License-Identifier: GPL-3.0-or-later
"""Data-blocks by name or session id, and whether they are this file's. A bare name may be several's, for every linked
file brings names of its own; a full name, which says the file, is one's. References die on undo, session ids do not."""

from collections.abc import Iterable
from typing import TypeVar

import bpy

DataBlock = TypeVar("DataBlock", bound=bpy.types.ID)


def named(blocks: Iterable[DataBlock], name: str) -> DataBlock | None:
    """The one of that full name; else of that bare name, this file's own before those of others; None without any."""
    candidates = [block for block in blocks if name in (block.name_full, block.name)]
    candidates.sort(key=lambda block: (block.name_full != name, block.library is not None))
    return candidates[0] if candidates else None


def of_session(blocks: Iterable[DataBlock], uid: int) -> DataBlock | None:
    """The one of that session id; None where it is gone."""
    return next((block for block in blocks if block.session_uid == uid), None)


def is_saved(block: bpy.types.ID) -> bool:
    """Whether what is changed of it stays: not of what is linked, nor of what overrides that, which Blender lets be
    changed, and forgets with the file."""
    return block.is_editable and block.override_library is None
