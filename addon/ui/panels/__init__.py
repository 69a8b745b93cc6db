# SPDX-License-Identifier: GPL-3.0-or-later
"""The Maquette tab of 3D View and Image Editor, a file a panel. Panels draw the session; they decide nothing."""

import bpy

from . import adapters
from .commands import MAQUETTE_MT_commands, offer, withdraw
from .generate import MAQUETTE_PT_live, MAQUETTE_PT_main
from .history import MAQUETTE_PT_history
from .installation import MAQUETTE_PT_installation
from .menus import MAQUETTE_MT_models, MAQUETTE_MT_words, MAQUETTE_PT_styles
from .picture import MAQUETTE_PT_picture
from .projections import MAQUETTE_PT_views
from .regions import MAQUETTE_PT_regions
from .result import MAQUETTE_PT_result
from .twins import twins
from .waiting import MAQUETTE_PT_queue, MAQUETTE_PT_sequences

MENUS: tuple[type[bpy.types.Menu], ...] = (
    MAQUETTE_MT_models,
    MAQUETTE_MT_words,
    MAQUETTE_MT_commands,
    *adapters.MENUS,
)
PANELS: tuple[type[bpy.types.Panel], ...] = (  # children after their parent, in the tab's order
    MAQUETTE_PT_main,
    MAQUETTE_PT_installation,
    MAQUETTE_PT_result,
    MAQUETTE_PT_regions,
    MAQUETTE_PT_picture,
    MAQUETTE_PT_views,
    MAQUETTE_PT_sequences,
    MAQUETTE_PT_queue,
    MAQUETTE_PT_history,
)
POPOVERS: tuple[type[bpy.types.Panel], ...] = (MAQUETTE_PT_styles, MAQUETTE_PT_live)
CLASSES: tuple[type[bpy.types.Menu] | type[bpy.types.Panel], ...] = (*MENUS, *POPOVERS, *PANELS, *twins(PANELS))


def register() -> None:
    """Have Blender draw the panels."""
    for kind in CLASSES:
        bpy.utils.register_class(kind)
    offer()


def unregister() -> None:
    """Have Blender draw them no more."""
    withdraw()
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)
