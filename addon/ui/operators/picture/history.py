# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done with the history: look through it, keep pictures of it, throw them away."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
from bpy.props import BoolProperty, StringProperty

from ....messages.errors import EntryGone, HistoryUnreadable, UserError
from ....messages.notice import notice
from ....pictures import gallery, history
from ....pictures.history import Entry
from ....pictures.request_file import saved
from ....protocol.strict_json import ContractError
from ....request.settings import Settings
from ....runtime.app import app
from ....runtime.sheets import leave_views
from ...context import Context
from ..status import Status, refuse, refusing

WORDS, LETTERS = 8, 60  # of a prompt, in the name of a file


class ChooseEntry(bpy.types.Operator):
    """Look closer; again to put it away"""

    bl_idname = "maquette.choose_entry"
    bl_label = "Choose Picture"

    name: StringProperty(options={"HIDDEN"})

    def execute(self, context: Context) -> Status:
        chosen = app().gallery.chosen
        app().gallery.chosen = "" if chosen == self.name else self.name
        return {"FINISHED"}


class TurnPage(bpy.types.Operator):
    """More of the history"""

    bl_idname = "maquette.turn_page"
    bl_label = "Turn Page"

    older: BoolProperty(options={"HIDDEN"})

    @classmethod
    def description(cls, context: Context, properties: bpy.types.OperatorProperties) -> str:
        return "Older pictures" if properties.older else "Newer pictures"

    def execute(self, context: Context) -> Status:
        page = gallery.page(context.scene, context.window_manager, app().gallery)
        app().gallery.turn(page, self.older)
        return {"FINISHED"}


class Favour(bpy.types.Operator):
    """A favourite is never deleted to make room"""

    bl_idname = "maquette.favour"
    bl_label = "Favourite"
    bl_options = {"REGISTER", "UNDO"}

    name: StringProperty(options={"HIDDEN"})

    @refusing
    def execute(self, context: Context) -> Status:
        item = context.scene.maquette_history.get(self.name)
        page = gallery.page(context.scene, context.window_manager, app().gallery)
        tile = next((tile for tile in page.tiles if tile.name == self.name), item)  # the visible one is switched
        if tile is None and history.picture(app().gallery.folder, self.name) is None:
            raise EntryGone()
        favourite = not (app().gallery.is_starred(self.name) if tile is None else tile.favourite)
        with files("The favourite could not be kept"):
            history.favour(app().gallery.folder, self.name, favourite)
        if item is not None:
            item.favourite = favourite
        app().gallery.reread()
        return {"FINISHED"}


class CopyEntry(bpy.types.Operator):
    """Copy its whole request as JSON: maquette render paints it again, anywhere"""

    bl_idname = "maquette.copy_entry"
    bl_label = "Copy Request"

    name: StringProperty(options={"HIDDEN"})

    @refusing
    def execute(self, context: Context) -> Status:
        context.window_manager.clipboard = history.request(entry_of(context, self.name))
        self.report({"INFO"}, "The request is in the clipboard")
        return {"FINISHED"}


class SaveEntry(bpy.types.Operator):
    """Save the full picture as a PNG file that carries its whole request"""

    bl_idname = "maquette.save_entry"
    bl_label = "Save As"

    name: StringProperty(options={"HIDDEN"})
    filepath: StringProperty(subtype="FILE_PATH")
    filter_glob: StringProperty(default="*.png", options={"HIDDEN"})
    check_existing: BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: Context, event: bpy.types.Event) -> Status:
        try:
            self.filepath = file_name(entry_of(context, self.name).settings)
        except UserError as error:
            return refuse(self, notice(error))
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @refusing
    def execute(self, context: Context) -> Status:
        path = Path(bpy.path.ensure_ext(bpy.path.abspath(self.filepath), ".png"))
        with files("The picture could not be saved"):
            history.save_as(app().gallery.folder, self.name, path)
            path.write_bytes(saved(path.read_bytes(), entry_of(context, self.name)))
        self.report({"INFO"}, f"Saved: {path}")
        return {"FINISHED"}


class DeleteEntry(bpy.types.Operator):
    """Delete the picture from disk, for good, and from this file's history, where Undo brings its thumbnail back"""

    bl_idname = "maquette.delete_entry"
    bl_label = "Delete Picture"
    bl_options = {"REGISTER", "UNDO"}

    name: StringProperty(options={"HIDDEN"})

    def invoke(self, context: Context, event: bpy.types.Event) -> Status:
        message = "The full picture goes from the disk, for good."
        confirm = context.window_manager.invoke_confirm
        return set(confirm(self, event, title="Delete Picture", message=message, confirm_text="Delete", icon="WARNING"))

    @refusing
    def execute(self, context: Context) -> Status:
        with files("The picture could not be deleted"):
            history.forget(app().gallery.folder, self.name)
        gallery.forget(context.scene, self.name)
        if app().gallery.chosen == self.name:  # or Undo would bring it back chosen
            app().gallery.chosen = ""
        app().gallery.reread()
        leave_views(app(), self.name)
        self.report({"INFO"}, "Deleted from disk and from this file's history")
        return {"FINISHED"}


def file_name(settings: Settings) -> str:
    """What a saved picture is called: the prompt's first words, and the seed."""
    words = "-".join(re.findall(r"\w+", settings.prompt.lower())[:WORDS])
    return f"{words[:LETTERS] or 'maquette'}-{settings.seed}.png"


@contextmanager
def files(failure: str) -> Iterator[None]:
    """The history's files are at work; raises HistoryUnreadable, ``failure`` says which act failed."""
    try:
        yield
    except (OSError, ContractError) as error:
        raise HistoryUnreadable(failure, error) from error


def entry_of(context: Context, name: str) -> Entry:
    """The history's entry of that name. Raises EntryGone and HistoryUnreadable."""
    with files("This entry of the history cannot be read"):
        try:
            return app().gallery.entry(context.scene, name)
        except FileNotFoundError as error:
            raise EntryGone() from error


CLASSES = (ChooseEntry, TurnPage, Favour, CopyEntry, SaveEntry, DeleteEntry)
