# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture looked into: painted once more by ``maquette inspect``, and each of its steps a page in the browser."""

import os
from pathlib import Path

import bpy

from ....installation import child
from ....messages import sentences
from ....messages.errors import ReferenceGone
from ....pictures import history
from ....pictures.image import ENTRY, REQUEST
from ....protocol.blockout import Blockout
from ....protocol.strict_json import loads
from ....runtime.app import app
from ....runtime.preferences import server_command
from ....runtime.windows import EDITOR, redraw
from ....session import server_process
from ....session.reducer import notice_changed
from ...context import Context
from ...image_editor import current
from ..status import Status, refuse, refusing, settle

FOLDER = "maquette-inspection"  # in Blender's temporary folder: a page is whole once the browser has it


class Inspect(bpy.types.Operator):
    """Look into how this picture came about: it is painted once more, by a program of its own, and its steps are a page
    in the browser"""

    bl_idname = "maquette.inspect"
    bl_label = "Inspect"

    @classmethod
    def poll(cls, context: Context) -> bool:
        reason = _why_not(_image(context))
        cls.poll_message_set(reason)
        return not reason

    @refusing
    def execute(self, context: Context) -> Status:
        image = _image(context)
        assert image is not None, "as poll says"
        folder, command = Path(bpy.app.tempdir) / FOLDER, server_command()
        picture = app().gallery.folder / f"{image[ENTRY]}.png"
        page = folder / f"{image[ENTRY][:12]}.html"
        try:
            verb = ["inspect", str(picture), "--out", str(page), "--open", *_reference(image)]
            words = server_process.verb_words(command, verb)
        except ValueError as error:
            return refuse(self, sentences.command_fails(command, str(error)))
        inspecting = inspect(words, folder / "log")
        if not bpy.app.background:
            app().event_loop.start(inspecting)
            return settle()
        app().event_loop.wait(inspecting)
        return {"FINISHED"} if app().session.notice is None else {"CANCELLED"}


async def inspect(words: list[str], log: Path) -> None:
    """Run the program, which opens the page itself; what hinders it is said."""
    app().inspecting = True
    app().dispatcher.apply(notice_changed, None)
    redraw()
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        code, end = await child.run(words, os.environ, log, lambda line: None)
    except OSError as error:
        app().dispatcher.apply(notice_changed, sentences.command_fails(words[0], error.strerror or str(error)))
    else:
        if code == server_process.MISUNDERSTOOD:
            app().dispatcher.apply(notice_changed, sentences.command_misunderstood())
        elif code:
            app().dispatcher.apply(notice_changed, sentences.inspection_failed(_last_line(end)))
    finally:
        app().inspecting = False
        redraw()


def _image(context: Context) -> bpy.types.Image | None:
    """The picture that the Image Editor shows; elsewhere the scene's."""
    space = context.space_data if context.area is not None and context.area.ui_type == EDITOR else None
    return space.image if isinstance(space, bpy.types.SpaceImageEditor) else current(context.scene)


def _why_not(image: bpy.types.Image | None) -> str:
    """Why a picture cannot be inspected; "" where it can."""
    if image is None or not image.get(ENTRY):
        return "No picture of Maquette's is shown"
    if history.picture(app().gallery.folder, str(image[ENTRY])) is None:
        return "The full picture is not on this machine"
    return "A picture is being inspected" if app().inspecting else ""


def _reference(image: bpy.types.Image) -> list[str]:
    """The flag for the picture that it follows. Raises ReferenceGone."""
    reference = loads(Blockout, image[REQUEST]).reference
    if reference is None:
        return []
    file = history.picture(app().gallery.folder, reference.picture)
    if file is None:
        raise ReferenceGone()
    return ["--reference", str(file)]


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1].removesuffix(".") if lines else "it ended without a word"


CLASSES = (Inspect,)
