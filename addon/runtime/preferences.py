# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the server is: the one this machine's connection file names, or an address the user gives."""

import json
import shlex
import sys
from contextlib import suppress
from pathlib import Path

import bpy
from bpy.props import StringProperty

from ..client.address import admit
from ..client.api import find_connection
from ..extension import EXTENSION
from ..protocol.answers import Connection
from ..protocol.server_command import noted

KEPT = ("command", "address")  # preferences that survive disabling, which makes Blender forget them; no secrets
FILE = "preferences.json"  # in the extension's user folder


def _keep(own: "MaquettePreferences", context: bpy.types.Context) -> None:
    """Write down what the artist has set."""
    with suppress(OSError):  # a folder that cannot be written costs the memory, not the setting
        _kept_path().write_text(json.dumps({name: getattr(own, name) for name in KEPT}), "utf-8")


def _restore(own: "MaquettePreferences") -> None:
    """Set again what was set before the add-on was disabled."""
    try:
        kept = json.loads(_kept_path().read_text("utf-8"))
    except (OSError, ValueError):
        return
    lost = {name: kept.get(name) for name in KEPT if isinstance(kept, dict) and not own.is_property_set(name)}
    for name, value in lost.items():
        if isinstance(value, str) and value:
            setattr(own, name, value)


def _kept_path() -> Path:
    return Path(bpy.utils.extension_path_user(EXTENSION, create=True)) / FILE


class MaquettePreferences(bpy.types.AddonPreferences):
    """How to start the local server, and how to reach another one."""

    bl_idname = EXTENSION

    command: StringProperty(
        name="Server command",
        description="What Start Server runs; empty for the maquette that was run last on this machine",
        update=_keep,
    )
    address: StringProperty(
        name="Address",
        description="Where another machine's server is reached, as http://host:port; empty for the one on this machine",
        update=_keep,
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
        column.prop(self, "command", placeholder=found_command())
        column.prop(self, "address", placeholder="the server on this machine")
        if self.address:
            column.prop(self, "token")
        column.label(text="The panel: in a 3D View or Image Editor, sidebar (N), Maquette")


def preferences() -> MaquettePreferences:
    """The add-on's preferences."""
    own = bpy.context.preferences.addons[EXTENSION].preferences
    assert isinstance(own, MaquettePreferences)
    return own


def found_command() -> str:
    """What starts the server where the artist did not say: what maquette noted of itself, or what PATH may have."""
    words = [*(noted() or ["maquette"]), "serve"]
    if sys.platform == "win32":  # where backslashes are no signs of a shell's
        return " ".join(f'"{word}"' if " " in word else word for word in words)
    return shlex.join(words)


def server_command() -> str:
    """What Start Server runs."""
    return preferences().command.strip() or found_command()


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
    if EXTENSION in bpy.context.preferences.addons:  # not where a script registers the add-on by itself
        _restore(preferences())


def unregister() -> None:
    """Take them away again."""
    bpy.utils.unregister_class(MaquettePreferences)
