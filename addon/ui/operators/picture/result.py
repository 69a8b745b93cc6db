# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done with a finished picture: shown, laid behind the camera, projected."""

from collections.abc import Callable
from dataclasses import dataclass

import bpy
from bpy.props import BoolProperty

from ....camera.reader import view
from ....camera.view import View
from ....capture.gathering import SceneKey, gathering
from ....capture.instance_walk import Meshes
from ....capture.scene import parts
from ....cooperative import Slices, one_slice
from ....messages import sentences
from ....messages.errors import Displaced, Misfit, UserError
from ....messages.notice import notice
from ....pictures.camera_background import background
from ....pictures.image import ENTRY, POSE, camera_of_picture
from ....pictures.origin import viewpoint
from ....projection.depth import depth_file, depth_frustum
from ....projection.node_groups import PARTS
from ....projection.projectors import next_part, project, projectable
from ....projection.receivers import owned_by_receivers
from ....protocol.views import unmoved
from ....raster.instances import MeshInstances, camera_triangles
from ....regions.visibility import layer_of
from ....runtime.app import app
from ....runtime.windows import EDITOR
from ...context import Context, view_3d
from ...image_editor import current, show_in, shows_materials, split_off
from ...sheet_views import uncover
from ..status import Status, refuse, refusing, say, settle

PERIOD = 0.005  # seconds between two slices of what a camera sees


@dataclass(frozen=True, eq=False)
class SceneMeshes:
    """The meshes of a scene, some yet to be read, and the camera that sees them."""

    instances: tuple[MeshInstances, ...]
    view: View


class Show(bpy.types.Operator):
    """Show the picture in an Image Editor, beside this view when none is open"""

    bl_idname = "maquette.show"
    bl_label = "Show Picture"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return context.area is not None and current(context.scene) is not None

    def execute(self, context: Context) -> Status:
        screen, image = context.screen, current(context.scene)
        assert image is not None, "as poll says"
        editor = next((area for area in screen.areas if area.ui_type == EDITOR), None) or split_off(screen)
        if editor is None:
            return refuse(self, sentences.no_editor())
        active = app().session.active
        app().finished = (image.session_uid, "" if active is None else active.job.id)
        uncover(editor)
        show_in(context.window, editor, image)
        return {"FINISHED"}


class Background(bpy.types.Operator):
    """Show the picture over the scene when looking through its camera"""

    bl_idname = "maquette.background"
    bl_label = "Camera Background"
    bl_options = {"REGISTER", "UNDO"}

    @refusing
    def execute(self, context: Context) -> Status:
        return _apply(context, lambda scene, camera, image: background(camera, image))


class Project(bpy.types.Operator):
    """Paint the picture onto the regions' objects, as a slide projector in the camera's place would"""

    bl_idname = "maquette.project"
    bl_label = "Project onto Objects"
    bl_options = {"REGISTER", "UNDO"}

    selected: BoolProperty(
        name="Selected Objects Too",
        description="Onto what is selected besides, such as the ground or a backdrop, though it is no region",
        options={"SKIP_SAVE"},
    )

    def invoke(self, context: Context, event: bpy.types.Event) -> Status:
        """What the camera sees is worked out slice by slice; scripts, and the background, have it at once."""
        return self.execute(context) if bpy.app.background else self._begin(context)

    @refusing
    def execute(self, context: Context) -> Status:
        def act(scene: bpy.types.Scene, camera: bpy.types.Object, image: bpy.types.Image) -> None:
            chosen, graph = self._selected(context), context.evaluated_depsgraph_get()
            self._locked = projectable(scene, graph, camera, image, chosen)[0].locked
            project(scene, camera, image, graph, selected=chosen)

        return self._end_well(context, _apply(context, act))

    @refusing
    def _begin(self, context: Context) -> Status:
        image = _image(context.scene)
        graph = context.evaluated_depsgraph_get()
        camera = _camera(context.scene, graph, image)
        self._onto = self._selected(context)
        self._locked = projectable(context.scene, graph, camera, image, self._onto)[0].locked
        self._key = SceneKey(context.scene.session_uid, camera.session_uid, layer_of(graph).name)
        self._picture = image.session_uid
        self._depth, self._file = depths(self._key, app().regions.meshes, self._onto), b""
        self._groups: tuple[int, ...] = ()
        self._timer = context.window_manager.event_timer_add(PERIOD, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: Context, event: bpy.types.Event) -> Status:
        """A slice whenever the timer says so; the artist's own events go where they would."""
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        try:
            if not self._file:
                self._file = one_slice(self._depth) or b""
            elif len(self._groups) < PARTS:
                self._groups += (self._new_group().session_uid,)
            else:
                status = self._end_well(context, self._finish())
                self.cancel(context)
                return status
        except UserError as error:
            self.cancel(context)
            return refuse(self, notice(error))
        return {"PASS_THROUGH"}

    def cancel(self, context: Context) -> None:
        """Stop the timer; what was worked out so far is forgotten with this operator."""
        context.window_manager.event_timer_remove(self._timer)

    def _new_group(self) -> bpy.types.ShaderNodeTree:
        """The next of the picture's node groups: each is enough for one slice."""
        scene, camera, graph = self._key.find()
        image, groups = self._checked(scene, camera, graph), self._groups_now()
        return next_part(image, self._file, view(scene, camera, graph), groups)

    def _finish(self) -> Status:
        scene, camera, graph = self._key.find()
        project(scene, camera, self._checked(scene, camera, graph), graph, self._groups_now()[-1], self._onto)
        return {"FINISHED"}

    def _groups_now(self) -> list[bpy.types.ShaderNodeTree]:
        """Those made so far, by their session ids, since references die on undo. Raises Misfit."""
        trees = {tree.session_uid: tree for tree in bpy.data.node_groups if isinstance(tree, bpy.types.ShaderNodeTree)}
        if not all(uid in trees for uid in self._groups):
            raise Misfit("The projection was undone before it was there.", "Press the button again.")
        return [trees[uid] for uid in self._groups]

    def _checked(self, scene: bpy.types.Scene, camera: bpy.types.Object, graph: bpy.types.Depsgraph) -> bpy.types.Image:
        """The picture, for the artist has gone on working. Raises Misfit."""
        image = _image(scene)
        if image.session_uid != self._picture or _camera(scene, graph, image) != camera:
            raise Misfit("Another picture has come since the button was pressed.", "Press it again.")
        return image

    def _selected(self, context: Context) -> frozenset[int]:
        """The session ids of what is selected, where that counts."""
        return frozenset(item.session_uid for item in context.selected_objects) if self.selected else frozenset()

    def _end_well(self, context: Context, status: Status) -> Status:
        space = view_3d(context)
        if self._locked:
            say(self, sentences.partly_locked(", ".join(self._locked)))
        elif space is not None and not shows_materials(space):
            say(self, sentences.unseen())
        return status


class ShowMaterials(bpy.types.Operator):
    """Have this view show materials, and what is projected onto them"""

    bl_idname = "maquette.show_materials"
    bl_label = "Material Preview"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return view_3d(context) is not None

    def execute(self, context: Context) -> Status:
        space = view_3d(context)
        assert space is not None, "as poll says"
        space.shading.type = "MATERIAL"
        return settle()


def depths(key: SceneKey, meshes: Meshes, selected: frozenset[int]) -> Slices[bytes]:
    """The file of depths of what a scene's camera sees; ``selected`` objects count as regions do. Raises Misfit."""

    def look(patience: float | None) -> SceneMeshes:
        scene, camera, graph = key.find()
        instances = tuple(part for _, part in owned_by_receivers(parts(scene, graph, meshes, patience), selected))
        return SceneMeshes(instances, view(scene, camera, graph))

    gathered = yield from gathering(look(0.0), lambda gathered: gathered.instances, look, key, meshes)
    triangles = yield from camera_triangles(gathered.instances, gathered.view.pose, depth_frustum(gathered.view))
    return (yield from depth_file(triangles, gathered.view))


def _apply(context: Context, apply: Callable[[bpy.types.Scene, bpy.types.Object, bpy.types.Image], object]) -> Status:
    """Put the scene's picture to use. Raises Misfit where it fits the scene no more, and what ``apply`` raises."""
    image = _image(context.scene)
    apply(context.scene, _camera(context.scene, context.evaluated_depsgraph_get(), image), image)
    return {"FINISHED"}


def _image(scene: bpy.types.Scene) -> bpy.types.Image:
    """The scene's picture. Raises Misfit where there is none."""
    image = current(scene)
    if image is None:
        raise Misfit("There is no picture yet.", "Press Generate first.")
    return image


def _camera(scene: bpy.types.Scene, graph: bpy.types.Depsgraph, image: bpy.types.Image) -> bpy.types.Object:
    """The camera that the picture was seen through. Raises Misfit when it no longer stands there."""
    camera, entry = camera_of_picture(image), image.get(ENTRY)
    if camera is None or camera not in set(scene.objects):
        message = "The camera of this picture is gone."
        if entry is None:
            raise Misfit(message, "Generate again from another one.")
        raise Displaced(message, "Put the scene's camera in its place, or generate again.", entry)
    if not unmoved(viewpoint(scene, camera, graph).pose, image[POSE]):
        message, fix = "The camera or its frame has changed since this picture.", "Put it back, or generate again."
        raise Misfit(message, fix) if entry is None else Displaced(message, fix, entry)
    return camera


CLASSES = (Show, Background, Project, ShowMaterials)
