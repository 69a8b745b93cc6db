# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the server is: the one this machine's connection file names, or an address the user gives."""

import json
import shlex
import shutil
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

import bpy
from bpy.props import EnumProperty, StringProperty

from ..client.address import admit
from ..client.api import find_connection
from ..extension import EXTENSION
from ..installation import release
from ..installation.plan import InstallPlan
from ..installation.torch_builds import builds, choose, this_machine
from ..protocol.answers import Connection
from ..protocol.server_command import noted
from .model_list import draw_models

KEPT = (
    "command",
    "address",
    "server_wheel",
    "wheel_folder",
    "server_python",
)  # preferences that survive disabling, which makes Blender forget them; no secrets
FILE = "preferences.json"  # in the extension's user folder
NUMBERS = ("AUTO", "CUDA", "ROCM", "MPS", "CPU")  # of the builds, as Blender keeps them


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

    server_wheel: StringProperty(
        name="Wheel",
        description="The server's wheel, a file or an address; empty for where this add-on downloads it from",
        subtype="FILE_PATH",
        update=_keep,
    )
    wheel_folder: StringProperty(
        name="Folder of Wheels",
        description="Where every package is taken from instead of the network; empty for the network",
        subtype="DIR_PATH",
        update=_keep,
    )
    server_python: StringProperty(
        name="Python",
        description="The Python, 3.11 to 3.14, that the server runs in; empty for Blender's own",
        subtype="FILE_PATH",
        update=_keep,
    )
    torch_build: EnumProperty(
        name="Torch for",
        description="What the server computes on",
        items=lambda own, context: torch_items(),
    )

    def draw(self, context: bpy.types.Context) -> None:
        """The server's command, then the address of another one, then the server that was installed from here."""
        column = self.layout.column()
        column.use_property_split = True
        column.prop(self, "command", placeholder=found_command())
        column.prop(self, "address", placeholder="the server on this machine")
        if self.address:
            column.prop(self, "token")
        row = column.row(align=True)
        for operator in ("install_server", "repair_installation", "remove_installation", "open_installation_log"):
            row.operator(f"maquette.{operator}")
        if (application := getattr(bpy.types.WindowManager, "maquette", None)) is not None:  # a room above this one
            folders, library = application.model_folders, application.session.library
            draw_models(column, folders, library, context.region.width)
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


def server_known() -> bool:
    """Whether there is a command that may start the server."""
    return bool(preferences().command.strip() or noted() or shutil.which("maquette"))


@cache
def torch_items() -> list[tuple[str, str, str, int]]:
    """The builds of torch for this system, as Blender's menus want them; kept, for Blender keeps no words."""
    offered = builds(this_machine())
    best = ("AUTO", f"This Machine: {offered[0].label}", "What suits what this machine has", 0)
    return [best, *((build.name, build.label, "", NUMBERS.index(build.name)) for build in offered)]


def installation_plan(folder: Path) -> InstallPlan:
    """What Install the Server… would do in a folder."""
    own = preferences()
    return InstallPlan(
        folder=folder,
        release=release.read(),
        build=choose(this_machine(), own.torch_build),
        wheel=_absolute(own.server_wheel),
        wheels=_absolute(own.wheel_folder).rstrip("/\\"),
        python=_absolute(own.server_python),
    )


def _absolute(path: str) -> str:
    return bpy.path.abspath(path.strip())


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
