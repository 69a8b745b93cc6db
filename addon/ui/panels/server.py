# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to the server, as one row: its state, and the button for what can be done about it."""

import bpy

from ...runtime.app import app
from ...runtime.preferences import server_known
from ...session.state import LinkName
from ..context import Icon

LABELS: dict[LinkName, tuple[str, Icon]] = {
    "absent": ("No server", "UNLINKED"),
    "starting": ("Starting the server…", "SORTTIME"),
    "connecting": ("Connecting…", "SORTTIME"),
    "online": ("Server", "LINKED"),
    "stopping": ("Ends its step…", "SORTTIME"),
    "refused": ("Server refused us", "LOCKED"),
    "mismatch": ("Another version", "ERROR"),
    "offline": ("Online access is off", "INTERNET_OFFLINE"),
    "died": ("Server has ended", "ERROR"),
    "failed": ("No usable server", "ERROR"),
}


def server_row(row: bpy.types.UILayout) -> None:
    """The link's state and what paints, or what is wrong in two or three words; then Start, Connect or Stop."""
    link = app().session.link
    label, icon = LABELS[link.name]
    row.label(text=link.health.device if link.health else label, icon=icon)
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
