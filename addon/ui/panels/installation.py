# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the installation of the server is; there only while there is something to say of it."""

import bpy

from ...messages import fixes
from ...runtime.app import app
from ..context import Context
from .widgets import Tab, notice_box


class MAQUETTE_PT_installation(Tab, bpy.types.Panel):
    """The server that is being installed: its progress, what can be done about it, and what went wrong."""

    bl_label = "Server Installation"
    bl_parent_id = "MAQUETTE_PT_main"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return app().installer.state.stage in ("working", "interrupted", "removing")

    def draw(self, context: Context) -> None:
        """The rows are always the same, so that no button moves; a notice comes below them."""
        state, column = app().installer.state, self.layout.column(align=True)
        column.progress(factor=state.factor, text=state.step or "Not complete")
        column.label(text=state.words)
        row = column.row(align=True)
        if state.busy:
            row.operator("maquette.cancel_installation", icon="CANCEL")
        else:
            row.operator("maquette.continue_installation", icon="PLAY")
            row.operator("maquette.install_server", text="Change…")
            row.operator("maquette.remove_installation")
        row.operator("maquette.open_installation_log", text="", icon="TEXT")
        if state.notice is not None:
            notice_box(self.layout, state.notice, fixes.of(state.notice), context)
