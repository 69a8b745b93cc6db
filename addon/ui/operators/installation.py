# SPDX-License-Identifier: GPL-3.0-or-later
"""Install the server from inside Blender, go on with that, stop it, repair it, take it away."""

from collections.abc import Coroutine
from typing import Any

import bpy

from ...installation.torch_builds import amount
from ...messages.installation_errors import AccessNotAllowed
from ...runtime.app import app
from ...runtime.preferences import installation_plan, preferences
from ..context import Context
from .status import Status, call, refusing, settle

WIDTH = 460  # pixels of the dialog, at a scale of 1


class Installing:
    """What begins only while nothing is being installed, and no server runs out of what would change."""

    @classmethod
    def poll(cls: Any, context: Context) -> bool:
        cls.poll_message_set("Stop the server first" if app().server is not None else "The installation is under way")
        return app().server is None and not app().installer.state.busy


class InstallServer(Installing, bpy.types.Operator):
    """Install the server on this machine: says first what, where, and how large it is"""

    bl_idname = "maquette.install_server"
    bl_label = "Install the Server…"

    def invoke(self, context: Context, event: bpy.types.Event) -> Status:
        manager = context.window_manager
        return set(manager.invoke_props_dialog(self, width=WIDTH, title="Install the Server", confirm_text="Install"))

    def draw(self, context: Context) -> None:
        assert self.layout is not None, "Blender draws it"
        plan, own, column = installation_plan(app().installer.folder), preferences(), self.layout.column()
        release = plan.release
        named = f"server {release.version}".strip()  # a zip made without a wheel knows of no version
        torch = "the folder's torch" if plan.wheels else f"torch for {plan.build.label}"
        column.label(text=f"Maquette's {named} with its model Toybox, and {torch}")
        size = f"Download about {amount(plan.build.download)}" if plan.online else "No download"
        column.label(text=f"{size}; then about {amount(plan.disk)} on disk, in", icon="DISK_DRIVE")
        column.label(text=str(plan.folder), icon="BLANK1")
        column.use_property_split = True
        build = column.row()
        build.enabled = not plan.wheels  # a folder is taken as it is
        build.prop(own, "torch_build")
        column.prop(
            own, "server_wheel", placeholder=release.download or f"choose the file {release.name or 'of the wheel'}"
        )
        if not release.download:
            column.label(text="Only the wheel has to be chosen: it lies beside the add-on's zip", icon="BLANK1")
        column.prop(own, "wheel_folder", placeholder="none: from the network")
        column.prop(own, "server_python", placeholder="Blender's own")
        if plan.online and not bpy.app.online_access:
            row = column.row()
            row.label(text="Needs Allow Online Access", icon="INTERNET_OFFLINE")
            row.prop(context.preferences.system, "use_online_access", text="Allow")

    @refusing
    def execute(self, context: Context) -> Status:
        return _install()


class ContinueInstallation(Installing, bpy.types.Operator):
    """Go on where the installation stopped; what is done is not done again"""

    bl_idname = "maquette.continue_installation"
    bl_label = "Go On"

    @refusing
    def execute(self, context: Context) -> Status:
        return _install()


class RepairInstallation(Installing, bpy.types.Operator):
    """Install the whole server anew, where it was"""

    bl_idname = "maquette.repair_installation"
    bl_label = "Repair"

    @refusing
    def execute(self, context: Context) -> Status:
        return _install(anew=True)


class RemoveInstallation(Installing, bpy.types.Operator):
    """Delete the server that was installed from here; pictures, styles and settings stay"""

    bl_idname = "maquette.remove_installation"
    bl_label = "Remove"

    def execute(self, context: Context) -> Status:
        _run(app().installer.remove())
        return settle()


class CancelInstallation(bpy.types.Operator):
    """Stop installing; what is done is kept"""

    bl_idname = "maquette.cancel_installation"
    bl_label = "Stop Installing"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return app().installer.state.stage == "working"

    def execute(self, context: Context) -> Status:
        app().installer.cancel()
        return {"FINISHED"}


class OpenInstallationLog(bpy.types.Operator):
    """Show what the installation wrote"""

    bl_idname = "maquette.open_installation_log"
    bl_label = "Installation Log"

    @classmethod
    def poll(cls, context: Context) -> bool:
        cls.poll_message_set("Nothing was installed from here")
        return app().installer.log.exists()

    def execute(self, context: Context) -> Status:
        return call("wm.path_open", filepath=str(app().installer.log))


def _install(anew: bool = False) -> Status:
    """Begin, or go on. Raises AccessNotAllowed."""
    plan = installation_plan(app().installer.folder)
    if plan.online and not bpy.app.online_access:
        raise AccessNotAllowed
    _run(app().install_server(plan, anew))
    return settle()


def _run(work: Coroutine[Any, Any, None]) -> None:
    """In slices; in the background, where no timer ticks, to its end."""
    if bpy.app.background:
        app().event_loop.wait(work)
    else:
        app().event_loop.start(work)


CLASSES = (
    InstallServer,
    ContinueInstallation,
    RepairInstallation,
    RemoveInstallation,
    CancelInstallation,
    OpenInstallationLog,
)
