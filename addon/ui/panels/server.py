# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to the server."""

import bpy

from ...messages import fixes
from ...runtime.app import app
from ...session.state import Link, LinkName
from ..context import Context, Icon
from .widgets import Tab, buttons, sentences

START, AGAIN = "maquette.start_server", "maquette.connect"  # a server can always be looked for, whatever is wrong

LABELS: dict[LinkName, tuple[str, Icon]] = {
    "absent": ("No server", "UNLINKED"),
    "starting": ("Starting the server…", "SORTTIME"),
    "connecting": ("Connecting…", "SORTTIME"),
    "online": ("Server", "LINKED"),
    "stopping": ("The server ends its step…", "SORTTIME"),
    "refused": ("The server refused us", "LOCKED"),
    "mismatch": ("Another version's server", "ERROR"),
    "offline": ("Online access is off", "INTERNET_OFFLINE"),
    "died": ("The server has ended", "ERROR"),
    "failed": ("The server makes no sense", "ERROR"),
}


class MAQUETTE_PT_main(Tab, bpy.types.Panel):
    """The connection to the server."""

    bl_label = "Maquette"

    def draw(self, context: Context) -> None:
        """The link's state, why it is so, and what can be done."""
        link = app().session.link
        label, icon = LABELS[link.name]
        row = self.layout.row()
        row.label(text=f"{label}: {link.health.device}" if link.health else label, icon=icon)
        if app().server is not None:
            stop = row.row()
            stop.alignment = "RIGHT"
            stop.operator("maquette.stop_server", text="Stop at Once" if link.name == "stopping" else "Stop")
        if link.notice is not None and link.notice == app().session.notice:
            return  # it stands under Generate, with its buttons
        if link.notice is not None:
            sentences(self.layout, link.notice, context)
        if link.name not in ("online", "starting", "stopping"):
            self._start_and_connect(link)
        if link.notice is not None:
            others = (button for button in fixes.of(link.notice) if button.operator not in (START, AGAIN))
            buttons(self.layout, link.notice, others, context)

    def _start_and_connect(self, link: Link) -> None:
        row = self.layout.row(align=True)
        if app().startable:
            row.operator(START, icon="PLAY")
        row.operator(AGAIN, text="Try Again" if link.notice else "Connect", icon="FILE_REFRESH")
