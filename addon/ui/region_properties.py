# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist sets of a region, as properties of objects and collections; stored as those of scenes are."""

from typing import get_args

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ..protocol.blockout import Property
from ..regions.marks import ENFORCE, OFF, PHRASE
from .context import Icon
from .stored_property import declared, stored, text

ENFORCED: tuple[tuple[str, str, str, Icon], ...] = (
    ("shape", "Shape", "Its outline", "MESH_CUBE"),
    ("centroid", "Place", "Where its middle is", "EMPTY_AXIS"),
    ("size", "Size", "How much of the frame it fills", "FULLSCREEN_ENTER"),
)
FLAGS = {name: 1 << bit for bit, name in enumerate(get_args(Property))}


def of_regions() -> dict[str, object]:
    """The properties of an object or collection, by key."""
    return {
        PHRASE: declared(
            StringProperty,
            name="Phrase",
            description="The words of the prompt that mean this",
            update=_announce,
            **text(PHRASE),
        ),
        ENFORCE: declared(
            EnumProperty,
            name="Enforce",
            description="What of the block the picture must keep",
            items=[(*item, FLAGS[item[0]]) for item in ENFORCED],
            options={"ENUM_FLAG"},
            get=_enforced,
            set=_enforce,
            update=_announce,
        ),
        OFF: declared(
            BoolProperty,
            name="Leave Out",
            description="Leave this out of the picture for now; it still hides what is behind it",
            options=set(),
            update=_announce,
            **stored(OFF, lambda owner: False),
        ),
    }


def _enforced(owner: bpy.types.ID) -> int:
    return sum(FLAGS[name] for name in owner.get(ENFORCE, "shape").split())


def _enforce(owner: bpy.types.ID, flags: int) -> None:
    owner[ENFORCE] = " ".join(name for name, flag in FLAGS.items() if flags & flag)


def _announce(owner: bpy.types.ID, context: bpy.types.Context) -> None:
    """A custom property alone is no news to the depsgraph, and so to whoever shows regions."""
    owner.update_tag()
