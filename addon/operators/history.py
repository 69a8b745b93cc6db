# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done with an earlier picture: look at it, take it up again, keep it, throw it away.

A room of its own beside the other operators, for it stands on ``pictures``, which stands on them.
"""

from collections.abc import Callable
from pathlib import Path

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from .. import album, history, pictures
from ..apply import ENTRY, loaded
from ..contract import ContractError
from ..courier import notice
from ..faults import CaptureError
from ..history import Entry
from ..marks import PROMPT
from ..notices import Notice
from ..properties import EXACT, MODEL, NEGATIVE, SEED, SIZE, STEPS, STRENGTH, STYLE, VARY
from ..pump import desk
from ..scene import camera_of
from ..session import noticed
from ..standpoint import hold, stands
from ..styles import avoided, styled
from .answers import Status, refuse, settle

REUSED = (
    ("PROMPT", "Prompt", "Write its prompt, and choose its style"),
    ("SEED", "Seed", "Set its seed"),
    ("EVERYTHING", "Everything", "Set its prompt, style, seed, strength, steps and model"),
)


class ChooseEntry(bpy.types.Operator):
    """Look closer; again to put it away"""

    bl_idname = "maquette.choose_entry"
    bl_label = "Choose Picture"

    name: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        gallery = desk().gallery
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
        gallery = desk().gallery
        gallery.turn(album.page(context.scene, context.window_manager, gallery), self.older)
        return {"FINISHED"}


class ShowEntry(bpy.types.Operator):
    """Make the full picture the scene's current one: in the Image Editor, for the camera and to project"""

    bl_idname = "maquette.show_entry"
    bl_label = "Show"
    bl_options = {"REGISTER", "UNDO"}

    name: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        return _with_entry(self, context, self._show)

    def _show(self, context: bpy.types.Context, entry: Entry) -> Status:
        picture = history.picture(desk().gallery.folder, entry.name)
        if picture is None:
            return refuse(self, _absent(entry.name))
        try:
            image = loaded(picture, history.request(entry), entry.achieved, entry.pose, _camera(context.scene, entry))
        except RuntimeError as error:  # Blender's word for a file that is no picture
            return refuse(self, _trouble("The picture cannot be read", error))
        image[ENTRY] = entry.name
        pictures.take(context.scene, image)
        done = settle()
        if context.area is not None:
            bpy.ops.maquette.show()  # which may have something to say
        return done


class Reuse(bpy.types.Operator):
    """Take this up again"""

    bl_idname = "maquette.reuse"
    bl_label = "Reuse"
    bl_options = {"REGISTER", "UNDO"}

    name: StringProperty(options={"HIDDEN"})
    what: EnumProperty(items=REUSED, options={"HIDDEN"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return next(words for what, _, words in REUSED if what == properties.what)

    def execute(self, context: bpy.types.Context) -> Status:
        return _with_entry(self, context, self._reuse)

    def _reuse(self, context: bpy.types.Context, entry: Entry) -> Status:
        shot, request = context.scene, entry.request
        done = settle()
        if self.what != "SEED":
            self._say(shot, entry)
        if self.what != "PROMPT":
            shot[SEED], shot[VARY] = request.seed, False
        if self.what == "EVERYTHING":
            shot[STRENGTH], shot[STEPS], shot[MODEL] = request.strength, request.steps, request.model
            shot[SIZE], shot[EXACT] = entry.wish.size, entry.wish.exact
            if entry.wish.shot is not None and not stands(shot.camera, entry.wish.shot):
                elsewhere = _elsewhere(entry.name)
                desk().courier.move(noticed, elsewhere)
                self.report({"INFO"}, f"{elsewhere.message} {elsewhere.fix}")
        return done

    def _say(self, shot: bpy.types.Scene, entry: Entry) -> None:
        """The artist's own words and the style, if they still make the prompt that was sent; else that prompt."""
        style = desk().rack.find(entry.wish.style)
        kept = (style is not None) == bool(entry.wish.style)
        sent = styled(entry.wish.words, style), avoided(entry.wish.negative, style)
        if kept and sent == (entry.request.prompt, entry.request.negative):
            shot[PROMPT], shot[NEGATIVE], shot[STYLE] = entry.wish.words, entry.wish.negative, entry.wish.style
            return
        shot[PROMPT], shot[NEGATIVE], shot[STYLE] = entry.request.prompt, entry.request.negative, ""
        if entry.wish.style:
            self.report({"INFO"}, f"The style “{entry.wish.style}” is not what it was: its words are in the prompt now")


class RestoreCamera(bpy.types.Operator):
    """Put this picture's camera where it stood, with the lens it had, and look through it"""

    bl_idname = "maquette.restore_camera"
    bl_label = "Camera as It Was"
    bl_options = {"REGISTER", "UNDO"}

    name: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        return _with_entry(self, context, self._restore)

    def _restore(self, context: bpy.types.Context, entry: Entry) -> Status:
        shot = entry.wish.shot
        if shot is None:
            return refuse(self, GONE)
        try:
            camera = camera_of(context.scene, _camera(context.scene, entry))
            hold(camera, shot, context.view_layer)
        except CaptureError as error:
            return refuse(self, notice(error))
        context.scene.camera = camera
        return settle()


class Favour(bpy.types.Operator):
    """A favourite is never deleted to make room"""

    bl_idname = "maquette.favour"
    bl_label = "Favourite"
    bl_options = {"REGISTER", "UNDO"}

    name: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        gallery, item = desk().gallery, context.scene.maquette_history.get(self.name)
        page = album.page(context.scene, context.window_manager, gallery)
        tile = next((tile for tile in page.tiles if tile.name == self.name), item)  # what is seen is what is switched
        if tile is None:
            return refuse(self, GONE)
        favourite = not tile.favourite
        try:
            history.favour(gallery.folder, self.name, favourite)
        except (OSError, ContractError) as error:
            return refuse(self, _trouble("The favourite could not be kept", error))
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
        return _with_entry(self, context, self._copy)

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
            history.save_as(desk().gallery.folder, self.name, where)
        except (OSError, ContractError) as error:
            return refuse(self, _trouble("The picture could not be saved", error))
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
        gallery = desk().gallery
        try:
            history.forget(gallery.folder, self.name)
        except (OSError, ContractError) as error:
            return refuse(self, _trouble("The picture could not be deleted", error))
        album.forget(context.scene, self.name)
        gallery.look_again()
        self.report({"INFO"}, "Deleted from disk and from this file's history")
        return {"FINISHED"}


GONE = Notice(message="This picture is not in the history any more.", code="entry-gone")


def _absent(name: str) -> Notice:
    message, fix = "The full picture is not on this machine.", "Reuse Everything sets what paints it again."
    return Notice(message=message, fix=fix, code="picture-absent", subject=name)


def _elsewhere(name: str) -> Notice:
    message, fix = "That picture was seen from another place.", "Camera as It Was puts the camera back there."
    return Notice(message=message, fix=fix, code="camera-elsewhere", subject=name)


def _trouble(what: str, error: Exception) -> Notice:
    return Notice(message=f"{what}: {str(error).strip()}.", fix="Look into the folder.", code="history-unreadable")


def _camera(scene: bpy.types.Scene, entry: Entry) -> bpy.types.Object | None:
    """The camera that the entry was seen through, by its name; else the scene's; None where neither is one."""
    seen = entry.wish.shot
    camera = (scene.objects.get(seen.camera) if seen else None) or scene.camera
    return camera if camera is not None and camera.type == "CAMERA" else None


def _with_entry(
    operator: bpy.types.Operator, context: bpy.types.Context, act: Callable[[bpy.types.Context, Entry], Status]
) -> Status:
    """Act on the operator's entry, or say that it cannot be read."""
    try:
        entry = desk().gallery.entry(context.scene, operator.name)
    except FileNotFoundError:
        return refuse(operator, GONE)
    except (OSError, ContractError) as error:
        return refuse(operator, _trouble("This entry of the history cannot be read", error))
    return act(context, entry)


CLASSES = (ChooseEntry, TurnPage, ShowEntry, Reuse, RestoreCamera, Favour, CopyEntry, SaveEntry, DeleteEntry)
register, unregister = bpy.utils.register_classes_factory(CLASSES)
