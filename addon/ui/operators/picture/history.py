# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done with the history: look through it, keep pictures of it, throw them away."""

from collections.abc import Callable
from pathlib import Path

import bpy
from bpy.props import BoolProperty, StringProperty

from ....messages.notice import Notice
from ....pictures import gallery as album
from ....pictures import history
from ....pictures.history import Entry
from ....protocol.strict_json import ContractError
from ....runtime.app import app
from ..status import Status, refuse


class ChooseEntry(bpy.types.Operator):
    """Look closer; again to put it away"""

    bl_idname = "maquette.choose_entry"
    bl_label = "Choose Picture"

    name: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        gallery = app().gallery
        gallery.chosen = "" if gallery.chosen == self.name else self.name
        return {"FINISHED"}


class TurnPage(bpy.types.Operator):
    """More of the history"""

    bl_idname = "maquette.turn_page"
    bl_label = "Turn Page"

    older: BoolProperty(options={"HIDDEN"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return "Older pictures" if properties.older else "Newer pictures"

    def execute(self, context: bpy.types.Context) -> Status:
        gallery = app().gallery
        gallery.turn(album.page(context.scene, context.window_manager, gallery), self.older)
        return {"FINISHED"}


class Favour(bpy.types.Operator):
    """A favourite is never deleted to make room"""

    bl_idname = "maquette.favour"
    bl_label = "Favourite"
    bl_options = {"REGISTER", "UNDO"}

    name: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        gallery, item = app().gallery, context.scene.maquette_history.get(self.name)
        page = album.page(context.scene, context.window_manager, gallery)
        tile = next((tile for tile in page.tiles if tile.name == self.name), item)  # what is seen is what is switched
        if tile is None:
            return refuse(self, GONE)
        favourite = not tile.favourite
        try:
            history.favour(gallery.folder, self.name, favourite)
        except (OSError, ContractError) as error:
            return refuse(self, trouble("The favourite could not be kept", error))
        if item is not None:
            item.favourite = favourite
        gallery.look_again()
        return {"FINISHED"}


class CopyEntry(bpy.types.Operator):
    """Copy its whole request as JSON: maquette render paints it again, anywhere"""

    bl_idname = "maquette.copy_entry"
    bl_label = "Copy Request"

    name: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        return with_entry(self, context, self._copy)

    def _copy(self, context: bpy.types.Context, entry: Entry) -> Status:
        context.window_manager.clipboard = history.request(entry)
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

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        self.filepath = f"maquette-{self.name[:8]}.png"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> Status:
        where = Path(bpy.path.ensure_ext(bpy.path.abspath(self.filepath), ".png"))
        try:
            history.save_as(app().gallery.folder, self.name, where)
        except (OSError, ContractError) as error:
            return refuse(self, trouble("The picture could not be saved", error))
        self.report({"INFO"}, f"Saved: {where}")
        return {"FINISHED"}


class DeleteEntry(bpy.types.Operator):
    """Delete the picture from disk, for good, and from this file's history, where Undo brings its thumbnail back"""

    bl_idname = "maquette.delete_entry"
    bl_label = "Delete Picture"
    bl_options = {"REGISTER", "UNDO"}

    name: StringProperty(options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        told = "The full picture goes from the disk, for good."
        return context.window_manager.invoke_confirm(
            self, event, title="Delete Picture", message=told, confirm_text="Delete", icon="WARNING"
        )

    def execute(self, context: bpy.types.Context) -> Status:
        gallery = app().gallery
        try:
            history.forget(gallery.folder, self.name)
        except (OSError, ContractError) as error:
            return refuse(self, trouble("The picture could not be deleted", error))
        album.forget(context.scene, self.name)
        gallery.look_again()
        self.report({"INFO"}, "Deleted from disk and from this file's history")
        return {"FINISHED"}


GONE = Notice(message="This picture is not in the history any more.", code="entry-gone")


def trouble(what: str, error: Exception) -> Notice:
    """``what`` went wrong with the history's files, and why."""
    return Notice(message=f"{what}: {str(error).strip()}.", fix="Look into the folder.", code="history-unreadable")


def with_entry(
    operator: bpy.types.Operator, context: bpy.types.Context, act: Callable[[bpy.types.Context, Entry], Status]
) -> Status:
    """Act on the operator's entry, or say that it cannot be read."""
    try:
        entry = app().gallery.entry(context.scene, operator.name)
    except FileNotFoundError:
        return refuse(operator, GONE)
    except (OSError, ContractError) as error:
        return refuse(operator, trouble("This entry of the history cannot be read", error))
    return act(context, entry)


CLASSES = (ChooseEntry, TurnPage, Favour, CopyEntry, SaveEntry, DeleteEntry)
