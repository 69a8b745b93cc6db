# SPDX-License-Identifier: GPL-3.0-or-later
"""The only reader of the scene: the evaluated depsgraph to camera-space triangles, a View, and a Blockout.

Reads and never writes: what the artist sees, selects and renders is the same after a capture. What counts is what a
render would show: render-hidden things are left out even where the viewport shows them; holdouts hide what is behind.
What only the viewport hides is not in its depsgraph, and so in none of this.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import bpy
import numpy as np

from ..camera.reader import camera_of, view
from ..camera.view import View
from ..cooperative import finish
from ..protocol.default_model import TOYBOX
from ..protocol.records import Blockout, ModelInfo
from ..raster.instances import Mesh, MeshInstance, camera_triangles
from ..raster.triangles import Triangles
from ..raster.zbuffer import NOTHING
from ..regions.marks import PROMPT, marked, marks, of_phrase, parts_of, read
from ..regions.visibility import Shown, chain_of, hidden
from ..request.phrases import Mark, named_in
from .canvas import canvas
from .meshes import read as read_mesh
from .regions import Covers
from .snapshot import MASKS_UNTIL, Snapshot, develop

__all__ = ["Geometry", "capture", "geometry", "parts", "snapshot"]


@dataclass(frozen=True, eq=False)
class Geometry:
    """What the camera could see: ``triangles``, whose owners index the marks or are NOTHING, and by owner the objects
    its triangles come from. Undo and file loading make the objects stale."""

    triangles: Triangles
    sources: tuple[tuple[bpy.types.Object, ...], ...]


Sight = tuple[View, tuple[MeshInstance, ...], Covers | None]
Look = Callable[[bpy.types.Scene, bpy.types.Object, Sequence[Mark], ModelInfo], Sight]


def capture(
    scene: bpy.types.Scene,
    camera: bpy.types.Object | None = None,
    frame: int | None = None,
    *,
    depsgraph: bpy.types.Depsgraph | None = None,
    look: Look | None = None,
    model: ModelInfo = TOYBOX,
    prompt: str | None = None,
    seed: int = 0,
    steps: int | None = None,
    strength: float | None = None,
    scale: float | None = None,
    masks_until: float = MASKS_UNTIL,
) -> Blockout:
    """What ``camera`` (the scene's own by default) sees, as a request for a picture.

    ``frame`` None takes the scene as it stands. A frame is visited and left again: edits without a key on animated
    properties are lost on the way, as whenever the frame changes, so that live capture leaves it None.
    ``look`` looks otherwise than with a glance at the ``depsgraph``, the viewport's by default. ``prompt`` defaults to
    the scene's, steps, strength and scale to the model's. Raises CaptureError.
    """
    shot = snapshot(
        scene,
        camera,
        frame,
        depsgraph=depsgraph,
        look=look,
        model=model,
        seed=seed,
        prompt=prompt,
        steps=steps,
        strength=strength,
        scale=scale,
        masks_until=masks_until,
    )
    return finish(develop(shot))


def snapshot(
    scene: bpy.types.Scene,
    camera: bpy.types.Object | None = None,
    frame: int | None = None,
    *,
    depsgraph: bpy.types.Depsgraph | None = None,
    look: Look | None = None,
    model: ModelInfo = TOYBOX,
    seed: int = 0,
    prompt: str | None = None,
    steps: int | None = None,
    strength: float | None = None,
    scale: float | None = None,
    negative: str = "",
    masks_until: float = MASKS_UNTIL,
) -> Snapshot:
    """All that ``capture`` reads of the scene; what remains to be done needs no Blender, and can go in slices.

    Raises CaptureError for what is wrong at first sight.
    """
    eye = camera_of(scene, camera)
    words = scene.get(PROMPT, "") if prompt is None else prompt
    named = named_in(words, marks(scene))
    with _at(scene, frame):
        seen, shown, exact = (look or partial(glance, depsgraph=depsgraph))(scene, eye, named, model)
        graph, there = depsgraph or evaluated(scene), {part.owner for part in shown}
        told = tuple(found if place in there else _told(scene, graph, found) for place, found in enumerate(named))
    return Snapshot(
        prompt=words,
        marks=told,
        parts=shown,
        view=seen,
        canvas=canvas(seen.aspect, model),
        model=model,
        seed=seed,
        steps=model.steps if steps is None else steps,
        strength=model.strength if strength is None else strength,
        scale=model.scale if scale is None else scale,
        negative=negative,
        masks_until=masks_until,
        exact=exact,
    )


def _told(scene: bpy.types.Scene, graph: bpy.types.Depsgraph, found: Mark) -> Mark:
    """A mark of which there is no surface, and what hides its things."""
    parts = [part for thing in of_phrase(scene, found.phrase) for part in parts_of(thing)]
    return replace(found, hidden=hidden(scene, graph, parts))


def glance(
    scene: bpy.types.Scene,
    camera: bpy.types.Object,
    named: Sequence[Mark],
    model: ModelInfo,
    depsgraph: bpy.types.Depsgraph | None = None,
) -> Sight:
    """What the viewport's geometry shows. Raises PanoramicCamera."""
    graph = depsgraph or evaluated(scene)
    seen = view(scene, camera, graph)
    return seen, tuple(part for _, part in parts(scene, graph, {})), None


def geometry(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, view: View) -> Geometry:
    """The triangles that a render would show, in camera space, with the marks they belong to."""
    sources: list[dict[bpy.types.Object, None]] = [{} for _ in marks(scene)]
    shown = []
    for thing, part in parts(scene, depsgraph, {}):
        if part.owner != NOTHING:
            sources[part.owner][thing] = None
        shown.append(part)
    return Geometry(finish(camera_triangles(shown, view.pose)), tuple(map(tuple, sources)))


def parts(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, meshes: dict[int, Mesh]
) -> Iterator[tuple[bpy.types.Object, MeshInstance]]:
    """The artist's objects that a render would show, mesh by mesh, owned by an index into the scene's marks.

    ``meshes`` keeps what was read of each mesh, by its address; it is worth nothing once any geometry has changed.
    """
    for instance, thing, owner in owned(scene, depsgraph):
        # curves, text and metaballs come a second time, as the meshes they are rendered as
        if instance.object.type == "MESH" and instance.show_self:
            key = instance.object.data.as_pointer()
            if key not in meshes:
                meshes[key] = read_mesh(instance.object)
            yield thing, MeshInstance(meshes[key], np.array(instance.matrix_world), owner)


def owned(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph
) -> Iterator[tuple[bpy.types.DepsgraphObjectInstance, bpy.types.Object, int]]:
    """What a render would show, of any type, the artist's object, and its mark's place among the scene's or NOTHING.

    What was deleted, or never was in the scene, may still be instanced there: its mark is none of the scene's.
    """
    places = {found.phrase.casefold(): place for place, found in enumerate(marks(scene))}
    homes, shown = _homes(scene), Shown(depsgraph.view_layer)
    for instance in depsgraph.object_instances:
        chain = chain_of(instance)
        if shown.has(chain):
            found = None if shown.cuts(chain) else _mark(chain, homes)
            owner = NOTHING if found is None or not found.on else places.get(found.phrase.casefold(), NOTHING)
            yield instance, chain[0], owner


def evaluated(scene: bpy.types.Scene) -> bpy.types.Depsgraph:
    """The viewport's evaluated depsgraph of ``scene``, of the view layer in use where the scene is the one shown."""
    if bpy.context.scene == scene:
        return bpy.context.evaluated_depsgraph_get()
    with bpy.context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
        return bpy.context.evaluated_depsgraph_get()


@contextmanager
def _at(scene: bpy.types.Scene, frame: int | None) -> Iterator[None]:
    """The scene at ``frame``, and back."""
    current, part = scene.frame_current, scene.frame_subframe
    if frame is None or (frame == current and part == 0.0):
        yield
        return
    scene.frame_set(frame)
    try:
        yield
    finally:
        scene.frame_set(current, subframe=part)


def _mark(chain: list[bpy.types.Object], homes: dict[bpy.types.Object, Mark]) -> Mark | None:
    """The mark that counts: an object's before a collection's, the thing's own before its instancer's."""
    candidates = [read(thing) for thing in chain] + [homes.get(thing) for thing in chain]
    return next((found for found in candidates if found is not None), None)


def _homes(scene: bpy.types.Scene) -> dict[bpy.types.Object, Mark]:
    """The mark of the innermost marked collection that holds each object."""
    homes: dict[bpy.types.Object, Mark] = {}
    held = [(thing, found) for thing, found in marked(scene) if isinstance(thing, bpy.types.Collection)]
    for collection, found in sorted(held, key=lambda pair: -len(pair[0].children_recursive)):
        homes.update(dict.fromkeys(collection.all_objects, found))
    return homes
