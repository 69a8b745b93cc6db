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

from .contract import TOYBOX, Blockout, ModelInfo
from .faults import NoCamera, PanoramicCamera
from .hidden import hidden
from .layout import Covers, View, canvas
from .marks import PROMPT, mark, marked, marks, of_phrase, parts_of, read, unmark
from .meshes import read as read_mesh
from .parts import Mesh, Part, seen_from
from .phrases import Mark, named_in
from .raster import NOTHING, Lens
from .shown import Shown, chain_of
from .slices import finish
from .snapshot import Snapshot, develop
from .triangles import Triangles

__all__ = ["Geometry", "capture", "geometry", "mark", "marks", "numbers", "parts", "snapshot", "unmark", "view"]

FLAT = {"PERSP", "ORTHO"}


@dataclass(frozen=True, eq=False)
class Geometry:
    """What the camera could see: ``triangles``, whose owners index the marks or are NOTHING, and by owner the objects
    its triangles come from. Undo and file loading make the objects stale."""

    triangles: Triangles
    sources: tuple[tuple[bpy.types.Object, ...], ...]


Sight = tuple[View, tuple[Part, ...], Covers | None]
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


def view(scene: bpy.types.Scene, camera: bpy.types.Object, depsgraph: bpy.types.Depsgraph) -> View:
    """What ``camera`` frames at the scene's resolution, percentage and pixel aspect. Raises PanoramicCamera."""
    if camera.data.type not in FLAT:
        raise PanoramicCamera(
            f"{camera.name} is a panoramic camera; a picture needs a flat view.",
            "Set its type to Perspective or Orthographic.",
        )
    render = scene.render
    width, height = (
        int(side * render.resolution_percentage / 100) for side in (render.resolution_x, render.resolution_y)
    )
    aspect_x, aspect_y = render.pixel_aspect_x, render.pixel_aspect_y
    seen = camera.evaluated_get(depsgraph)
    projection = seen.calc_matrix_camera(depsgraph, x=width, y=height, scale_x=aspect_x, scale_y=aspect_y)
    lens = Lens(np.array(projection), seen.data.clip_start, seen.data.clip_end)
    pose = np.array(seen.matrix_world.normalized().inverted())
    return View(pose, lens, (width * aspect_x) / (height * aspect_y))


def numbers(seen: View) -> tuple[float, ...]:
    """A view's pose and lens as plain numbers, to tell later whether the camera has moved since."""
    return tuple(float(number) for number in (*seen.pose.ravel(), *seen.lens.projection.ravel()))


def unmoved(now: Sequence[float], then: Sequence[float]) -> bool:
    """Whether views of these ``numbers`` show the same, as far as rounding a small frame to whole pixels allows.

    Of the projection that is what its first two rows do: the third has the clip planes.
    """
    one, other = np.array(now), np.array(then)
    if one.shape != other.shape:
        return False
    pose, lens = slice(0, 16), slice(16, 24)
    same_pose = np.allclose(one[pose], other[pose], rtol=0.0, atol=1e-4)
    return same_pose and np.allclose(one[lens], other[lens], rtol=1.5e-3, atol=1e-5)


def geometry(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, view: View) -> Geometry:
    """The triangles that a render would show, in camera space, with the marks they belong to."""
    sources: list[dict[bpy.types.Object, None]] = [{} for _ in marks(scene)]
    shown = []
    for thing, part in parts(scene, depsgraph, {}):
        if part.owner != NOTHING:
            sources[part.owner][thing] = None
        shown.append(part)
    return Geometry(finish(seen_from(shown, view.pose)), tuple(map(tuple, sources)))


def parts(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, meshes: dict[int, Mesh]
) -> Iterator[tuple[bpy.types.Object, Part]]:
    """The artist's objects that a render would show, mesh by mesh, owned by an index into the scene's marks.

    ``meshes`` keeps what was read of each mesh, by its address; it is worth nothing once any geometry has changed.
    """
    for instance, thing, owner in owned(scene, depsgraph):
        # curves, text and metaballs come a second time, as the meshes they are rendered as
        if instance.object.type == "MESH" and instance.show_self:
            key = instance.object.data.as_pointer()
            if key not in meshes:
                meshes[key] = read_mesh(instance.object)
            yield thing, Part(meshes[key], np.array(instance.matrix_world), owner)


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


def camera_of(scene: bpy.types.Scene, camera: bpy.types.Object | None = None) -> bpy.types.Object:
    """``camera``, or the scene's own. Raises NoCamera."""
    chosen = camera or scene.camera
    if chosen is None or chosen.type != "CAMERA":
        raise NoCamera("The scene has no camera.", "Add one, and make it the scene's camera.")
    return chosen


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
