# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to the server, as one row: its state, and the button for what can be done about it."""

import bpy

from ...messages.health_words import health_forms, health_words
from ...runtime.app import app
from ...runtime.preferences import server_known
from ...session.state import LinkName
from ..context import Context, Icon

BESIDE, STOP, LETTER = 76, 58, 5.1  # pixels: of margins and icon, of the Stop button, and of a letter

ROOM = 13  # letters beside Start Server, at the width that Blender gives its sidebar
LABELS: dict[LinkName, tuple[str, Icon]] = {
    "absent": ("No server", "UNLINKED"),
    "starting": ("Starting the server…", "SORTTIME"),
    "connecting": ("Connecting…", "SORTTIME"),
    "online": ("Server", "LINKED"),
    "stopping": ("Ends its step…", "SORTTIME"),
    "refused": ("Refused us", "LOCKED"),
    "mismatch": ("Other version", "ERROR"),
    "offline": ("Online access is off", "INTERNET_OFFLINE"),
    "died": ("Server ended", "ERROR"),
    "failed": ("Unusable", "ERROR"),
}


def server_row(row: bpy.types.UILayout, context: Context) -> None:
    """The link's state, what paints and its memory, or what is wrong in two or three words; then Start, Connect or
    Stop. What has no room is under the pointer."""
    link = app().session.link
    label, icon = LABELS[link.name]
    if link.health is None:
        row.label(text=label, icon=icon)
    else:
        pixels = context.region.width / context.preferences.system.ui_scale - BESIDE
        room = int((pixels - (STOP if app().server is not None else 0)) / LETTER)
        words = row.row(align=True)
        words.alignment = "LEFT"
        copy = words.operator("maquette.copy", text=health_words(link.health, room), icon=icon, emboss=False)
        copy.text = health_forms(link.health)[0]
    side = row.row(align=True)
    side.alignment = "RIGHT"
    if app().server is not None:
        side.operator("maquette.stop_server", text="Stop at Once" if link.name == "stopping" else "Stop")
    elif link.name not in ("online", "starting", "stopping"):
        if app().startable and not server_known():
            side.operator("maquette.install_server", text="Install…", icon="IMPORT")
        elif app().startable:
            side.operator("maquette.start_server", icon="PLAY")
        side.operator("maquette.connect", text="", icon="FILE_REFRESH")
