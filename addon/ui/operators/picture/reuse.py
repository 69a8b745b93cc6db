# SPDX-License-Identifier: GPL-3.0-or-later
"""An earlier picture taken up again: shown, its request set anew, its camera put back.

A room of its own beside the other operators, for it stands on ``pictures``, which stands on them.
"""

import bpy
from bpy.props import EnumProperty, StringProperty

from ....camera.placement import hold, stands
from ....camera.reader import camera_of
from ....messages.errors import UserError
from ....messages.notice import Notice, notice
from ....pictures import history
from ....pictures.history import Entry
from ....pictures.image import ENTRY, loaded
from ....regions.marks import PROMPT
from ....request.styles import avoided, styled
from ....runtime.app import app
from ....session.reducer import notice_changed
from ... import image_editor
from ...properties import EXACT, MODEL, NEGATIVE, SEED, SIZE, STEPS, STRENGTH, STYLE, VARY
from ..status import Status, refuse, settle
from .history import GONE, trouble, with_entry

REUSED = (
    ("PROMPT", "Prompt", "Write its prompt, and choose its style"),
    ("SEED", "Seed", "Set its seed"),
    ("EVERYTHING", "Everything", "Set its prompt, style, seed, strength, steps and model"),
)


class ShowEntry(bpy.types.Operator):
    """Make the full picture the scene's current one: in the Image Editor, for the camera and to project"""

    bl_idname = "maquette.show_entry"
    bl_label = "Show"
    bl_options = {"REGISTER", "UNDO"}

    name: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        return with_entry(self, context, self._show)

    def _show(self, context: bpy.types.Context, entry: Entry) -> Status:
        picture = history.picture(app().gallery.folder, entry.name)
        if picture is None:
            return refuse(self, _absent(entry.name))
        try:
            image = loaded(picture, history.request(entry), entry.achieved, entry.pose, _camera(context.scene, entry))
        except RuntimeError as error:  # Blender's word for a file that is no picture
            return refuse(self, trouble("The picture cannot be read", error))
        image[ENTRY] = entry.name
        image_editor.take(context.scene, image)
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
        return with_entry(self, context, self._reuse)

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
                app().dispatcher.apply(notice_changed, elsewhere)
                self.report({"INFO"}, f"{elsewhere.message} {elsewhere.fix}")
        return done

    def _say(self, shot: bpy.types.Scene, entry: Entry) -> None:
        """The artist's own words and the style, if they still make the prompt that was sent; else that prompt."""
        style = app().style_library.find(entry.wish.style)
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
        return with_entry(self, context, self._restore)

    def _restore(self, context: bpy.types.Context, entry: Entry) -> Status:
        shot = entry.wish.shot
        if shot is None:
            return refuse(self, GONE)
        try:
            camera = camera_of(context.scene, _camera(context.scene, entry))
            hold(camera, shot, context.view_layer)
        except UserError as error:
            return refuse(self, notice(error))
        context.scene.camera = camera
        return settle()


def _absent(name: str) -> Notice:
    message, fix = "The full picture is not on this machine.", "Reuse Everything sets what paints it again."
    return Notice(message=message, fix=fix, code="picture-absent", subject=name)


def _elsewhere(name: str) -> Notice:
    message, fix = "That picture was seen from another place.", "Camera as It Was puts the camera back there."
    return Notice(message=message, fix=fix, code="camera-elsewhere", subject=name)


def _camera(scene: bpy.types.Scene, entry: Entry) -> bpy.types.Object | None:
    """The camera that the entry was seen through, by its name; else the scene's; None where neither is one."""
    seen = entry.wish.shot
    camera = (scene.objects.get(seen.camera) if seen else None) or scene.camera
    return camera if camera is not None and camera.type == "CAMERA" else None


CLASSES = (ShowEntry, Reuse, RestoreCamera)
