# SPDX-License-Identifier: GPL-3.0-or-later
"""The only reader of the scene: the evaluated depsgraph to camera-space triangles, and a Snapshot for a blockout.

Reads and never writes: what the artist sees, selects and renders is the same after a capture. What counts is what a
render would show: render-hidden things are left out even where the viewport shows them; holdouts hide what is behind.
What only the viewport hides is not in its depsgraph, and so in none of this.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import bpy
import numpy as np

from ..camera.reader import camera_of, view
from ..camera.view import View
from ..cooperative import finish
from ..protocol.answers import ModelInfo
from ..protocol.default_model import TOYBOX
from ..raster.instances import Mesh, MeshInstance, camera_triangles
from ..raster.triangles import Triangles
from ..raster.zbuffer import NOTHING
from ..regions.marks import marked, marks, of_phrase, parts_of, read
from ..regions.visibility import Chain, RenderVisibility, chain_of, hidden, layer_of
from ..request.limits import check_request
from ..request.phrases import Mark, named_in
from ..request.settings import Settings
from .canvas import canvas, scaled
from .frames import at
from .meshes import read as read_mesh
from .regions import Covers
from .snapshot import Snapshot


@dataclass(frozen=True, eq=False)
class Geometry:
    """What the camera could see: ``triangles``, whose owners index the marks or are NOTHING, and by owner the objects
    that its triangles come from. Undo and file loading make the objects stale."""

    triangles: Triangles
    sources: tuple[tuple[bpy.types.Object, ...], ...]


@dataclass(frozen=True, eq=False)
class Visible:
    """What a camera sees: its ``view``, the meshes as ``parts``, whose owners index the marks, and what a render shows
    of each mark, ``exact``, where that is known."""

    view: View
    parts: tuple[MeshInstance, ...]
    exact: Covers | None = None


Meshes = dict[int, Mesh]  # what was read of meshes, by their address; worth nothing once any geometry has changed
Look = Callable[[bpy.types.Scene, bpy.types.Object, Sequence[Mark], ModelInfo], Visible]


def capture(
    scene: bpy.types.Scene,
    settings: Settings,
    model: ModelInfo = TOYBOX,
    *,
    camera: bpy.types.Object | None = None,
    frame: int | None = None,
    depsgraph: bpy.types.Depsgraph | None = None,
    look: Look | None = None,
    meshes: Meshes | None = None,
    patience: float | None = None,
) -> Snapshot:
    """All that a request needs of the scene as ``camera`` (the scene's own by default) sees it.

    What remains to be done, ``snapshot.develop``, needs no Blender, and can go in slices. The prompt of ``settings`` is
    sent as it is, whatever their style. ``frame`` None takes the scene as it stands; another is visited, with the
    camera that it binds, and left again. ``look`` looks otherwise than at the viewport's geometry in ``depsgraph``, by
    default the one in use. ``meshes`` and ``patience`` are as in ``parts``: what is not read then, ``gathering`` reads.
    Raises UserError for what is wrong at first sight.
    """
    named = marks(scene)
    check_request(settings, named)
    named, model = named_in(settings.prompt, named), scaled(model, settings.size)
    with at(scene, frame):
        camera = camera_of(scene, camera)  # not before: a frame may bind one of its own
        usual = partial(viewport, depsgraph=depsgraph, meshes=meshes, patience=patience)
        visible = (look or usual)(scene, camera, named, model)
        graph, owners = depsgraph or evaluated(scene), {part.owner for part in visible.parts}
        explained = tuple(
            mark if index in owners else with_hidden(scene, graph, mark) for index, mark in enumerate(named)
        )
    return Snapshot(
        settings=settings,
        model=model,
        marks=explained,
        parts=visible.parts,
        view=visible.view,
        canvas=canvas(visible.view.aspect, model),
        exact=visible.exact,
    )


def with_hidden(scene: bpy.types.Scene, graph: bpy.types.Depsgraph, mark: Mark) -> Mark:
    """A mark of which there is no surface, and what hides its objects."""
    objects = [item for marked in of_phrase(scene, mark.phrase) for item in parts_of(marked)]
    return replace(mark, hidden=hidden(scene, graph, objects))


def viewport(
    scene: bpy.types.Scene,
    camera: bpy.types.Object,
    named: Sequence[Mark],
    model: ModelInfo,
    depsgraph: bpy.types.Depsgraph | None = None,
    meshes: Meshes | None = None,
    patience: float | None = None,
) -> Visible:
    """What the viewport's geometry shows. Raises PanoramicCamera."""
    graph, known = depsgraph or evaluated(scene), {} if meshes is None else meshes
    return Visible(view(scene, camera, graph), tuple(part for _, part in parts(scene, graph, known, patience)))


def geometry(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, view: View) -> Geometry:
    """The triangles that a render would show, in camera space, with the marks they belong to."""
    sources: list[dict[bpy.types.Object, None]] = [{} for _ in marks(scene)]
    rendered = []
    for original, part in parts(scene, depsgraph, {}):
        if part.owner != NOTHING:
            sources[part.owner][original] = None
        rendered.append(part)
    return Geometry(finish(camera_triangles(rendered, view.pose)), tuple(map(tuple, sources)))


def parts(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, meshes: Meshes, patience: float | None = None
) -> Iterator[tuple[bpy.types.Object, MeshInstance]]:
    """The artist's objects that a render would show, mesh by mesh, owned by an index into the scene's marks.

    Of ``meshes``, those that are yet to be read are read for ``patience`` seconds, one at least, and the others come
    unread; 0 reads none, and None all.
    """
    begun, eager = time.perf_counter(), patience is None or patience > 0.0
    for instance, original, owner in owned(scene, depsgraph):
        # curves, text and metaballs come a second time, as the meshes they are rendered as
        item = instance.object
        assert item is not None, "an instance is one of an object"
        if item.type == "MESH" and instance.show_self:
            key = item.data.as_pointer()
            mesh = meshes.setdefault(key, Mesh())
            if eager and not mesh.is_read:
                read_mesh(item, mesh)
                eager = patience is None or time.perf_counter() < begun + patience
            yield original, MeshInstance(mesh, np.array(instance.matrix_world), owner)


def owned(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph
) -> Iterator[tuple[bpy.types.DepsgraphObjectInstance, bpy.types.Object, int]]:
    """What a render would show, of any type, the artist's object, and its mark's index among the scene's or NOTHING.

    What was deleted, or never was in the scene, may still be instanced there: its mark is none of the scene's.
    """
    indices = {mark.phrase.casefold(): index for index, mark in enumerate(marks(scene))}
    by_collection, visibility = _collection_marks(scene), RenderVisibility(layer_of(depsgraph))
    for instance in depsgraph.object_instances:
        chain = chain_of(instance)
        if visibility.has(chain):
            mark = None if visibility.cuts(chain) else _mark(chain, by_collection)
            owner = NOTHING if mark is None or not mark.on else indices.get(mark.phrase.casefold(), NOTHING)
            yield instance, chain[0], owner


def evaluated(scene: bpy.types.Scene) -> bpy.types.Depsgraph:
    """The viewport's evaluated depsgraph of ``scene``, of the view layer in use where the scene is the one shown."""
    if bpy.context.scene == scene:
        return bpy.context.evaluated_depsgraph_get()
    with bpy.context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
        return bpy.context.evaluated_depsgraph_get()


def _mark(chain: Chain, by_collection: dict[bpy.types.Object, Mark]) -> Mark | None:
    """The mark that counts: an object's before a collection's, the object's own before its instancer's."""
    candidates = [read(item) for item in chain] + [by_collection.get(item) for item in chain]
    return next((mark for mark in candidates if mark is not None), None)


def _collection_marks(scene: bpy.types.Scene) -> dict[bpy.types.Object, Mark]:
    """The mark of the innermost marked collection that holds each object."""
    inherited: dict[bpy.types.Object, Mark] = {}
    collections = [(item, mark) for item, mark in marked(scene) if isinstance(item, bpy.types.Collection)]
    for collection, mark in sorted(collections, key=lambda pair: -len(pair[0].children_recursive)):
        inherited.update(dict.fromkeys(collection.all_objects, mark))
    return inherited
