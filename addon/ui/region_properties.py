# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist sets of a region, as properties of objects and collections; stored as those of scenes are."""

from collections.abc import Collection
from typing import get_args

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, FloatVectorProperty, StringProperty

from ..protocol.blockout import Property
from ..regions.marks import (
    BLOCKING,
    COLOUR,
    DESCRIPTION,
    ENFORCE,
    KEEP_LOOK,
    OFF,
    PHRASE,
    START,
    STRENGTH,
    UNNAMED,
    UNTIL,
)
from .context import Icon
from .stored_property import declared, stored, text

GREY = (0.5, 0.5, 0.5)
ENFORCED: tuple[tuple[str, str, str, Icon], ...] = (
    ("shape", "Shape", "Its outline", "MESH_CUBE"),
    ("centroid", "Place", "Where its middle is", "EMPTY_AXIS"),
    ("size", "Size", "How much of the frame it fills", "FULLSCREEN_ENTER"),
)
HOLDS: tuple[tuple[str, str, frozenset[str], str], ...] = (
    ("loose", "Loose", frozenset({"centroid", "size"}), "Its place and size only; the outline is the picture's own"),
    ("silhouette", "Silhouette", frozenset({"shape"}), "Its outline, and so its place and size too"),
)
FLAGS = {name: 1 << bit for bit, name in enumerate(get_args(Property))}


def of_regions() -> dict[str, object]:
    """The properties of an object or collection, by key."""
    return {**_asked(), **_own(), **_following()}


def _asked() -> dict[str, object]:
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
        OFF: _switch(OFF, "Leave Out", "Leave this out of the picture for now; it still hides what is behind it"),
        UNNAMED: _switch(
            UNNAMED, "Not in Prompt", "The prompt need not say this: its phrase is heard in this region alone"
        ),
    }


def _own() -> dict[str, object]:
    return {
        STRENGTH: _fraction(
            STRENGTH,
            "Strength",
            "How hard this block pulls at the picture, beside others; 0 leaves it to the prompt",
        ),
        START: _fraction(START, "From", "After how much of the steps this block begins to pull", 0.0),
        UNTIL: _fraction(UNTIL, "Until", "After how much of the steps this block lets go; the last only paint detail"),
        DESCRIPTION: declared(
            StringProperty,
            name="Own Words",
            description="What it looks like, in words that hold for this region alone",
            update=_announce,
            **text(DESCRIPTION),
        ),
        COLOUR: declared(
            FloatVectorProperty,
            name="Colour",
            description="The colour that the picture is to show here",
            size=3,
            min=0.0,
            max=1.0,
            subtype="COLOR_GAMMA",
            options=set(),
            update=_announce,
            **stored(COLOUR, lambda owner: GREY),
        ),
    }


def _following() -> dict[str, object]:
    return {
        KEEP_LOOK: _switch(
            KEEP_LOOK,
            "Keep Look",
            "The next picture follows the latest one: this goes where its block went, and looks the same",
        ),
    }


def of_blocks() -> dict[str, object]:
    """The scene's property of how far pictures begin as their blocks' colours."""
    return {
        BLOCKING: _fraction(
            BLOCKING,
            "Blocks' Colours",
            "How far the picture begins as the colours of the regions or their materials: 0 is without, at 1 they "
            "are to be seen to the end",
            0.0,
        )
    }


def _switch(key: str, name: str, description: str) -> object:
    return declared(
        BoolProperty,
        name=name,
        description=description,
        options=set(),
        update=_announce,
        **stored(key, lambda owner: False),
    )


def _fraction(key: str, name: str, description: str, default: float = 1.0) -> object:
    return declared(
        FloatProperty,
        name=name,
        description=description,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        options=set(),
        update=_announce,
        **stored(key, lambda owner: default),
    )


def hold_of(enforced: Collection[str]) -> str:
    """Which of HOLDS a region's properties are; "custom" for others, as older files and scripts may have them."""
    return next((key for key, _, names, _ in HOLDS if names == set(enforced)), "custom")


def _enforced(owner: bpy.types.ID) -> int:
    return sum(FLAGS[name] for name in owner.get(ENFORCE, "shape").split())


def _enforce(owner: bpy.types.ID, flags: int) -> None:
    owner[ENFORCE] = " ".join(name for name, flag in FLAGS.items() if flags & flag)


def _announce(owner: bpy.types.ID, context: bpy.types.Context) -> None:
    """A custom property alone is no news to the depsgraph, and so to whoever shows regions."""
    owner.update_tag()
