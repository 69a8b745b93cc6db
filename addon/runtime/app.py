# SPDX-License-Identifier: GPL-3.0-or-later
"""What one Blender has running while the add-on is enabled: the loop, the dispatcher, perhaps a server of its own."""

import asyncio
import logging
import subprocess
from contextlib import suppress
from pathlib import Path

import bpy

from ..extension import EXTENSION
from ..pictures.gallery import Gallery
from ..pictures.preview import PreviewImage
from ..request import styles
from ..session import pending, server_process
from ..session.dispatcher import Dispatcher
from ..session.reducer import server_starting, server_stopping
from ..session.state import Session
from .event_loop import EventLoop
from .preferences import dial, preferences

MIND = 0.25  # seconds between two looks at a server of our own
FAREWELL = 2.0  # seconds that Blender waits at the end for the server to hear what it was told

log = logging.getLogger(EXTENSION)


class App:
    """What one Blender has running while the add-on is enabled: the pump, the courier, perhaps a server of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "server.log"
        self.server: subprocess.Popen[bytes] | None = None
        self.logging = False
        self.event_loop = EventLoop()
        self.preview_image = PreviewImage()
        self.drawing: object | None = None
        self.gallery = Gallery(folder / "pictures")
        self.dispatcher = Dispatcher(dial, folder / "pictures")
        self.dispatcher.apply(pending.resumed, folder)
        self.calmed = False
        self.second_blender_lock = asyncio.Lock()  # one second Blender at a time: each wants the whole machine
        self.style_folder = folder / "styles"
        self.style_library = styles.read(self.style_folder)
        self.event_loop.keep(self.dispatcher.watch)
        self.event_loop.keep(self._mind_server)

    @property
    def session(self) -> Session:
        """What the panels show."""
        return self.dispatcher.session

    def read_styles(self) -> None:
        """Look again at what styles there are."""
        self.style_library = styles.read(self.style_folder)

    @property
    def startable(self) -> bool:
        """Whether a server started here would be of use: none was, and the artist did not say that it is elsewhere."""
        return self.server is None and not preferences().address

    def start_server(self, command: str) -> None:
        """Start ``maquette serve`` as a child. Raises OSError and ValueError when there is no such command."""
        self.server = server_process.start(command, self.log)
        self.logging = True
        self.dispatcher.apply(server_starting)
        self.dispatcher.nudge()

    def stop_server(self) -> None:
        """Ask our child to end: it finishes its step and removes its connection file. Asked again, it is killed."""
        if self.server is None:
            return
        if self.session.link.name == "stopping":
            self.server.kill()
        else:
            self.server.terminate()
            self.dispatcher.apply(server_stopping)

    def close(self) -> None:
        """Stop everything; called when the add-on is disabled and when Blender quits.

        What is not painted yet waits in the server's queue, and what is not received in the ledger, for the next time.
        """
        with suppress(TimeoutError):
            self.event_loop.loop.run_until_complete(self.dispatcher.settle(FAREWELL))
        if self.server is not None:
            self.server.terminate()
            server_process.let_go(self.server)
        self.event_loop.close()
        self.preview_image.close()
        self.gallery.close()
        try:
            pending.save(self.folder, self.session)
        except OSError:  # nobody is left to be told; the server has the pictures still
            log.exception("what is owed could not be written down")

    async def _mind_server(self) -> None:
        """Notice when our child has ended."""
        while True:
            await asyncio.sleep(MIND)
            if self.server is not None and self.server.poll() is not None:
                self.dispatcher.apply(server_process.ended, self.server.returncode, self.log)
                server_process.let_go(self.server)
                self.server = None


def app() -> App:
    """The one desk of this Blender."""
    found: App = bpy.types.WindowManager.maquette
    return found
