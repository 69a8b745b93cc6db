# SPDX-License-Identifier: GPL-3.0-or-later
"""What one Blender has running while the add-on is enabled: event loop, dispatcher, perhaps a server of its own.

Only ``runtime`` and ``ui`` ask for it; every other room is handed what it needs.
"""

import asyncio
import logging
import subprocess
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import bpy

from ..capture.instance_walk import Meshes
from ..cooperative import Slices
from ..extension import EXTENSION
from ..installation.installer import Installer
from ..installation.plan import InstallPlan
from ..messages import sentences
from ..pictures.comparison import Comparison
from ..pictures.contact_sheet import ContactSheet
from ..pictures.gallery import Gallery, LandedPicture
from ..pictures.pixels import Icons, ImagePixels
from ..pictures.preview import PreviewImage
from ..pictures.swatches import Swatches
from ..pictures.textures import Textures
from ..protocol.blockout import Blockout
from ..protocol.model_files import folders_path, read_folders
from ..regions.listing import Row
from ..regions.measures import RegionMeasure
from ..request import styles
from ..session import pending, server_process
from ..session.dispatcher import Dispatcher
from ..session.live_painter import LivePainter
from ..session.reducer import notice_changed, sequences_stopped, server_starting, server_stopping
from ..session.state import Session
from .event_loop import EventLoop
from .preferences import dial, preferences, server_command

APPLICATION = "maquette"  # the attribute of bpy.types.WindowManager that is the application
SERVER_CHECK = 0.25  # seconds between two looks at a server of our own
SHEET_SIDE, FULL_SIDE = 1024, 4096  # pixels of a picture's longer side on a contact sheet, and in a comparison
CLOSING = 2.0  # seconds that Blender waits at the end for the server to hear what it is still to be told

log = logging.getLogger(EXTENSION)


class Regions(Protocol):
    """The regions of the scenes in view, kept up to date unless ``paused``; made by the overlay, a room above this."""

    paused: bool

    @property
    def rows(self) -> Mapping[int, tuple[Row, ...]]:
        """The regions of a scene, by its session id."""

    @property
    def meshes(self) -> Meshes:
        """What was read of meshes, kept until any geometry changes."""

    @property
    def differences(self) -> Mapping[int, tuple[str, ...]]:
        """What a render may show otherwise of a region, by its session id."""

    @property
    def in_sets(self) -> Mapping[int, tuple[str, ...]]:
        """The names of what is marked in a scene's background, and so no region of it, by a scene's session id."""

    @property
    def measures(self) -> Mapping[int, Mapping[str, RegionMeasure]]:
        """The numbers of a scene's regions, by its session id, then by phrase; none yet, or no camera."""

    def request(self, picture: bpy.types.Image) -> Blockout | None:
        """What a picture was asked for; None of one that was not read yet, or cannot be."""

    def lay(self, scene: int, camera: int, pixels: ImagePixels) -> None:
        """Draw a picture over what a camera sees, instead of any before; both by their session ids."""

    def lift(self) -> None:
        """Draw none any more."""

    def close(self) -> None:
        """Keep up no more."""


class App:
    """What one Blender has running while the add-on is enabled.

    ``receive`` takes the picture of a job, by the job's id, into its scene, at once or in two calls; ``watch`` begins
    to keep up with the regions, and may ask at any time for the session.
    """

    def __init__(
        self, folder: Path, receive: Callable[[str, bool], None], watch: Callable[[Callable[[], Session]], Regions]
    ) -> None:
        self.folder, self.log = folder, folder / "server.log"
        self.receive = receive
        self.server: subprocess.Popen[bytes] | None = None
        self.logging = False
        self.event_loop = EventLoop()
        self.preview_image = PreviewImage()
        self.shortcuts: list[tuple[bpy.types.KeyMap, bpy.types.KeyMapItem]] = []  # ours, to be taken away again
        self.undo_handlers: tuple[tuple[str, Callable[..., None]], ...] = ()  # by the list of Blender's that has each
        self.finished: tuple[int, str] = (0, "")  # the picture asked for while a job is painted: session id, job
        self.inspecting = False  # whether a picture is painted again, to be looked into
        self.live_view: object | None = None  # what follows a scene's edits for Live
        self.drawing: object | None = None  # Blender's handle on what draws the preview in Image Editors
        self.sheet_drawing: object | None = None  # and on what draws contact sheets and comparisons there
        self.gallery = Gallery(folder / "pictures")
        self.landings: dict[str, Slices[None]] = {}  # by the job, while its picture is read
        self.landed: dict[str, LandedPicture] = {}  # by the job, until the picture's scene has it
        self.sheet: ContactSheet | None = None  # the one that is open
        self.sheet_textures = Textures(folder / "pictures", SHEET_SIDE)
        self.comparison: Comparison | None = None  # likewise; it lies over a sheet in the same editor
        self.comparison_textures = Textures(folder / "pictures", FULL_SIDE)
        self.swatches = Swatches()
        self.dispatcher = Dispatcher(dial, folder / "pictures")
        self.dispatcher.apply(pending.resumed, folder)
        self.live = LivePainter(self.dispatcher.tracker.client)
        self.installer = Installer(folder / "installation")
        self.heap_frozen = False
        self.duty = 0  # what the timer's next slice begins with
        self.drawn_state: object = None  # of session and installation, as panels were last drawn anew for
        self.second_blender_lock = asyncio.Lock()  # one second Blender at a time: each wants the whole machine
        self.is_baking = False
        self.style_folder = folder / "styles"
        self.style_library = styles.read(self.style_folder)
        self.style_icons = Icons()  # thumbnails, by the style's name
        self.model_folders = read_folders(folders_path())
        self.event_loop.keep(self.dispatcher.watch)
        self.event_loop.keep(self._watch_server)
        self.regions = watch(lambda: self.session)

    @property
    def session(self) -> Session:
        """What the panels show."""
        return self.dispatcher.session

    def read_model_folders(self) -> None:
        """Look again at which folders of models are named."""
        self.model_folders = read_folders(folders_path())

    def read_styles(self) -> None:
        """Look again at what styles there are, and at their thumbnails."""
        self.style_library = styles.read(self.style_folder)
        for name in self.style_icons.names():
            self.style_icons.drop(name)

    def style_icon(self, name: str) -> int:
        """Blender's number of a style's thumbnail; 0, which draws nothing, for a style without one."""
        file = self.style_library.thumbnail(name)
        if file is not None and name not in self.style_icons:
            self.style_icons.load(name, file)
        return self.style_icons.find(name)

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

    def install_server(self, plan: InstallPlan, anew: bool = False) -> Coroutine[Any, Any, None]:
        """Install the server, or ``anew`` all of it, and start it."""
        return self._start_when(self.installer.install(plan, anew))

    async def _start_when(self, installation: Coroutine[Any, Any, bool]) -> None:
        """Start the server once it is there, unless another runs."""
        if not await installation or not self.startable or self.session.link.name == "online":
            return
        command = server_command()
        try:
            self.start_server(command)
        except (OSError, ValueError) as error:
            self.dispatcher.apply(notice_changed, sentences.command_fails(command, str(error)))

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

        What is not painted yet waits in the server's queue, and what is not received among the pending jobs.
        """
        self.regions.close()
        self.installer.cancel()
        self.dispatcher.apply(sequences_stopped, {sequence.id for sequence in self.session.sequences})
        with suppress(TimeoutError):
            self.event_loop.loop.run_until_complete(self._end_live())
        with suppress(TimeoutError):
            self.event_loop.loop.run_until_complete(self.dispatcher.settle(CLOSING))
        if self.server is not None:
            self.server.terminate()
            server_process.let_go(self.server)
        self.event_loop.close()
        self.preview_image.close()
        self.gallery.close()
        self.swatches.close()
        self.style_icons.close()
        try:
            pending.save(self.folder, self.session)
        except OSError:  # no panel is left to say so; the server has the pictures still
            log.exception("the pending jobs could not be written")

    async def _end_live(self) -> None:
        """Have the server stop what Live wanted. Raises TimeoutError."""
        async with asyncio.timeout(CLOSING):
            await self.live.cancel()

    async def _watch_server(self) -> None:
        """Notice when our child has ended."""
        while True:
            await asyncio.sleep(SERVER_CHECK)
            if self.server is not None and self.server.poll() is not None:
                self.dispatcher.apply(server_process.ended, self.server.returncode, self.log)
                server_process.let_go(self.server)
                self.server = None


def app() -> App:
    """The application of this Blender."""
    application: App = getattr(bpy.types.WindowManager, APPLICATION)
    return application


def register(receive: Callable[[str, bool], None], watch: Callable[[Callable[[], Session]], Regions]) -> None:
    """Start the application with what the rooms above do for it, as ``App`` has them."""
    try:
        folder = Path(bpy.utils.extension_path_user(EXTENSION, create=True))
    except OSError:  # it cannot be written: what is painted is kept for as long as Blender runs
        log.exception("the extension's folder cannot be made")
        folder = Path(bpy.app.tempdir)
    setattr(bpy.types.WindowManager, APPLICATION, App(folder, receive, watch))


def unregister() -> None:
    """Close it."""
    app().close()
    delattr(bpy.types.WindowManager, APPLICATION)
