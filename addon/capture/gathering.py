# SPDX-License-Identifier: GPL-3.0-or-later
"""The meshes of a snapshot read a few at a time, so that a window can go on between them.

Nothing of the depsgraph outlives a slice: each finds scene and depsgraph anew, goes through them, and leaves them. What
lies between two slices are arrays that were read, and addresses to compare with. An artist edits meanwhile: a snapshot
keeps what it saw when Generate was pressed, unless a mesh was reshaped, undone or deleted before it was read. Then the
scene is seen anew, as it stands.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import bpy

from ..cooperative import Slices
from ..data_blocks import of_session
from ..messages.errors import Misfit
from ..raster.instances import MeshInstances
from .instance_walk import Meshes
from .scene import parts

T = TypeVar("T")

READ = 0.003  # seconds for which a slice reads meshes; it begins no further one then, and the last may take longer
RESTARTS = 8  # times that a scene is seen anew, before all is read at once: an animation that plays never rests


@dataclass(frozen=True)
class SceneKey:
    """A scene and its camera, by their session ids, and a view layer by its name, "" for that of a window which shows
    the scene; not by references, which an undo makes stale."""

    scene: int
    camera: int
    layer: str = ""

    def find(self) -> tuple[bpy.types.Scene, bpy.types.Object, bpy.types.Depsgraph]:
        """Both, and the scene's evaluated depsgraph as it is now. Raises Misfit when the file was closed meanwhile."""
        camera = of_session(bpy.data.objects, self.camera)
        scene = of_session(bpy.data.scenes, self.scene)
        if scene is None or camera is None:
            raise Misfit("The scene or its camera is gone, and was not captured yet.", "Press the button again.")
        windows = bpy.context.window_manager.windows if bpy.context.window_manager else ()
        layers = (window.view_layer for window in windows if window.scene == scene)
        layer = scene.view_layers.get(self.layer) or next(layers, scene.view_layers[0])
        layer.update()  # another timer may just have removed what the depsgraph still knows
        assert layer.depsgraph is not None, "it was just brought up to date"
        return scene, camera, layer.depsgraph


def gathering(
    first: T,
    instances: Callable[[T], Sequence[MeshInstances]],
    again: Callable[[float | None], T],
    key: SceneKey,
    meshes: Meshes,
) -> Slices[T]:
    """``first``, or what ``again`` sees later, with the meshes of all its ``instances`` read.

    ``meshes`` are shared with who else reads, and emptied whenever any geometry changes; ``again`` reads for so many
    seconds, None for all there is. Raises Misfit, and what ``again`` raises.
    """
    current, restarts = first, 0
    while number := unread(instances(current)):
        yield
        read_some(key, meshes)
        if unread(instances(current)) == number:
            restarts += 1
            current = again(READ if restarts < RESTARTS else None)
    return current


def read_some(key: SceneKey, meshes: Meshes) -> None:
    """Read meshes of a scene that nobody has read yet, one at least. Raises Misfit."""
    scene, _, graph = key.find()
    for _ in parts(scene, graph, meshes, READ):
        pass


def unread(instances: Sequence[MeshInstances]) -> int:
    """How many instances are of meshes that are yet to be read."""
    return sum(not instance.mesh.is_read for instance in instances)
