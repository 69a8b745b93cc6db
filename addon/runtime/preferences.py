# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the server is: the one this machine's connection file names, or an address the user gives."""

import bpy
from bpy.props import StringProperty

from ..client.address import admit
from ..client.api import find_connection
from ..extension import EXTENSION
from ..protocol.records import Connection


class MaquettePreferences(bpy.types.AddonPreferences):
    """How to start the local server, and how to reach another one."""

    bl_idname = EXTENSION

    command: StringProperty(
        name="Server command",
        description="What Start Server runs; with a full path where Blender's PATH has no maquette",
        default="maquette serve",
    )
    address: StringProperty(
        name="Address",
        description="Where another machine's server is reached, as http://host:port; empty for the one on this machine",
    )
    token: StringProperty(
        name="Token",
        description="The word that server asks for; stands in its connection file",
        subtype="PASSWORD",
    )

    def draw(self, context: bpy.types.Context) -> None:
        """The server's command, then the address of another one."""
        column = self.layout.column()
        column.use_property_split = True
        column.prop(self, "command")
        column.label(text="for example /home/you/maquette/.venv/bin/maquette serve")
        column.prop(self, "address", placeholder="the server on this machine")
        if self.address:
            column.prop(self, "token")


def preferences() -> MaquettePreferences:
    """The add-on's preferences."""
    own = bpy.context.preferences.addons[EXTENSION].preferences
    assert isinstance(own, MaquettePreferences)
    return own


def dial() -> Connection:
    """How to reach the server now. Raises ServerAbsent, Garbled, BadAddress, OnlineAccessOff."""
    own = preferences()
    if own.address:
        connection = Connection(address=own.address.strip(), token=own.token.strip(), version="unknown")
    else:
        connection = find_connection()
    admit(connection.address, bpy.app.online_access)
    return connection


def register() -> None:
    """Make the preferences known to Blender."""
    bpy.utils.register_class(MaquettePreferences)


def unregister() -> None:
    """Take them away again."""
    bpy.utils.unregister_class(MaquettePreferences)
