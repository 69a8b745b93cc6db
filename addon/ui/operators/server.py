# SPDX-License-Identifier: GPL-3.0-or-later
"""Start, stop and find the server."""

import bpy

from ...messages import sentences
from ...runtime.app import app
from ...runtime.preferences import preferences, server_command, server_known
from ...session.reducer import connection_requested
from ..context import Context
from .status import Status, call, refuse


class StartServer(bpy.types.Operator):
    """Run the server on this machine until Blender quits"""

    bl_idname = "maquette.start_server"
    bl_label = "Start Server"

    def execute(self, context: Context) -> Status:
        server, command = app().server, server_command()
        if preferences().address:  # which is asked instead of one here
            return refuse(self, sentences.address_set(preferences().address))
        if server is not None and server.poll() is None:  # a second one would have nobody to end it
            return refuse(self, sentences.server_runs())
        if not server_known():
            return refuse(self, sentences.server_unknown())
        try:
            app().start_server(command)
        except OSError as error:
            where = f" ({error.filename})" if error.filename and str(error.filename) not in command else ""
            return refuse(self, sentences.command_fails(command, f"{error.strerror or error}{where}"))
        except ValueError as error:
            return refuse(self, sentences.command_fails(command, str(error)))
        return {"FINISHED"}


class StopServer(bpy.types.Operator):
    """Stop the server that was started here"""

    bl_idname = "maquette.stop_server"
    bl_label = "Stop Server"

    def execute(self, context: Context) -> Status:
        app().stop_server()
        return {"FINISHED"}


class Connect(bpy.types.Operator):
    """Look for the server again, now"""

    bl_idname = "maquette.connect"
    bl_label = "Connect"

    def execute(self, context: Context) -> Status:
        dispatcher = app().dispatcher
        dispatcher.apply(connection_requested)
        dispatcher.nudge()
        return {"FINISHED"}


class OpenLog(bpy.types.Operator):
    """Show what the server that was started here wrote"""

    bl_idname = "maquette.open_log"
    bl_label = "Open Its Log"

    @classmethod
    def poll(cls, context: Context) -> bool:
        cls.poll_message_set("The server was started elsewhere, and writes its log there")
        return app().logging

    def execute(self, context: Context) -> Status:
        return call("wm.path_open", filepath=str(app().log))


CLASSES = (StartServer, StopServer, Connect, OpenLog)
