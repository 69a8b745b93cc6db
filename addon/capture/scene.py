# SPDX-License-Identifier: GPL-3.0-or-later
"""The only reader of the scene: the evaluated depsgraph to camera-space triangles, and a Snapshot for a blockout.

Reads and never writes: what the artist sees, selects and renders is the same after a capture. What counts is what a
render would show: render-hidden things are left out even where the viewport shows them; holdouts hide what is behind.
What only the viewport hides is not in its depsgraph, and so in none of this.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import bpy
import numpy as np

from ..camera.reader import camera_of, view
from ..camera.view import View
from ..cooperative import finish
from ..protocol.answers import ModelInfo
from ..protocol.default_model import TOYBOX
from ..raster.frustum import Frustum
from ..raster.instances import Mesh, MeshInstances, camera_triangles
from ..raster.triangles import Singles, Triangles
from ..raster.zbuffer import NOTHING
from ..regions.marks import marked, marks, of_phrase, parts_of, read
from ..regions.visibility import Chain, RenderVisibility, chain_of, hidden, layer_of
from ..request.limits import check_request
from ..request.phrases import Mark, named_in
from ..request.settings import Settings
from .back_faces import culling
from .canvas import canvas, scaled
from .frames import at
from .meshes import fetch
from .meshes import read as read_mesh
from .metaballs import family, read_parts
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
    parts: tuple[MeshInstances, ...]
    exact: Covers | None = None


Meshes = dict[
    tuple[int, int], Mesh
]  # what was read of meshes, by address and part; worth nothing once any geometry has changed
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
    with at(scene, frame):
        camera = camera_of(scene, camera)  # not before: a frame may bind one of its own
        named = marks(scene)
        check_request(settings, named)
        named, model = named_in(settings.prompt, named), scaled(model, settings.size)
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
    return replace(mark, hidden=hidden(scene, graph, objects), kind=objects[0].type if objects else "")


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


def geometry(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, view: View, frustum: Frustum | None = None
) -> Geometry:
    """The triangles that a render would show, in camera space, with the marks they belong to; those that matter to
    a picture of ``frustum``, where it is given."""
    sources: list[dict[bpy.types.Object, None]] = [{} for _ in marks(scene)]
    rendered = []
    for original, part in parts(scene, depsgraph, {}):
        if part.owner != NOTHING:
            sources[part.owner][original] = None
        rendered.append(part)
    return Geometry(finish(camera_triangles(rendered, view.pose, frustum)), tuple(map(tuple, sources)))


def parts(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, meshes: Meshes, patience: float | None = None
) -> Iterator[tuple[bpy.types.Object, MeshInstances]]:
    """The artist's objects that a render would show, mesh by mesh, owned by an index into the scene's marks.

    Of ``meshes``, those that are yet to be read are read for ``patience`` seconds, one at least, and the others come
    unread; 0 reads none, and None all. The walk over the instances does not count: of a million it takes seconds.
    """
    spent, eager, count = 0.0, patience is None or patience > 0.0, 0
    verdicts, culled = Verdicts(scene, depsgraph), culling(scene, layer_of(depsgraph).material_override)
    groups: dict[tuple[int, int, int], _Group | None] = {}
    for index, instance in enumerate(depsgraph.object_instances):
        item = instance.object
        assert item is not None, "an instance is one of an object"
        count = index + 1
        if item.type != "MESH":  # curves, text and metaballs come a second time, as the meshes they are rendered as
            continue
        key = (*kin(instance), item.data.as_pointer())
        if key not in groups:
            owners = verdicts.owners(instance) if instance.show_self else ()
            lineage = tuple(one.session_uid for one in chain_of(instance)) if owners else ()
            group = groups[key] = _Group.of(owners, key[2], meshes, culled(item), lineage) if owners else None
            if group is not None and eager and not group.is_read:
                begun = time.perf_counter()
                group.read(item)
                spent += time.perf_counter() - begun
                eager = patience is None or spent < patience
        group = groups[key]
        if group is not None:
            group.indices.append(index)
    matrices = _matrices(depsgraph, count)
    for group in groups.values():
        if group is not None:
            for (original, owner), mesh in zip(group.owners, group.meshes, strict=True):
                yield original, MeshInstances(mesh, matrices[group.indices], owner, group.culled, group.lineage)


@dataclass(frozen=True, eq=False)
class _Group:
    """All instances of one mesh by one object: which of the depsgraph's they are; and whose, which of a family of
    metaballs are several, with a part of the mesh each."""

    owners: Sequence[tuple[bpy.types.Object, int]]
    meshes: tuple[Mesh, ...]
    culled: tuple[bool, ...]
    lineage: tuple[int, ...]
    indices: list[int] = field(default_factory=list)

    @staticmethod
    def of(
        owners: Sequence[tuple[bpy.types.Object, int]],
        address: int,
        meshes: Meshes,
        culled: tuple[bool, ...],
        lineage: tuple[int, ...],
    ) -> "_Group":
        """One whose meshes are among those that are shared, by the address of the data and the part of it."""
        shared = tuple(meshes.setdefault((address, part), Mesh()) for part in range(len(owners)))
        return _Group(owners, shared, culled, lineage)

    @property
    def is_read(self) -> bool:
        return all(mesh.is_read for mesh in self.meshes)

    def read(self, item: bpy.types.Object) -> None:
        """Read the mesh of an evaluated object that is one of the instances."""
        if len(self.meshes) == 1:
            read_mesh(item, self.meshes[0])
        else:
            read_parts(item, [owner for owner, _ in self.owners], self.meshes)


def _matrices(depsgraph: bpy.types.Depsgraph, count: int) -> Singles:
    """Those of all ``count`` instances, (n, 4, 4), in one call: asked for one by one they take twenty times as long;
    and Blender, asked for their number, counts them one by one."""
    flat = np.empty(16 * count, np.float32)
    fetch(depsgraph.object_instances, "matrix_world", flat)
    return flat.reshape(-1, 4, 4).transpose(0, 2, 1)  # Blender's are column by column


def owned(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph
) -> Iterator[tuple[bpy.types.DepsgraphObjectInstance, bpy.types.Object, int]]:
    """What a render would show, of any type, the artist's object, and its mark's index among the scene's or NOTHING.

    What was deleted, or never was in the scene, may still be instanced there: its mark is none of the scene's.
    """
    verdicts = Verdicts(scene, depsgraph)
    for instance in depsgraph.object_instances:
        verdict = verdicts.of(instance)
        if verdict is not None:
            yield instance, *verdict


def kin(instance: bpy.types.DepsgraphObjectInstance) -> tuple[int, int]:
    """What all instances of one object by one instancer share: the addresses of both, 0 for none.

    The object that an instance shows has none of its own.
    """
    source, parent = instance.instance_object, instance.parent
    if source is None or parent is None:
        return instance.object.as_pointer(), 0
    return source.as_pointer(), parent.as_pointer()


class Verdicts:
    """Whose the instances of a scene are, asked once for all of one object by one instancer: there may be a million."""

    def __init__(self, scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
        self._scene = scene
        self._indices = {mark.phrase.casefold(): index for index, mark in enumerate(marks(scene))}
        self._by_collection = _collection_marks(scene)
        self._visibility = RenderVisibility(layer_of(depsgraph))
        self._known: dict[tuple[int, int], tuple[bpy.types.Object, int] | None] = {}

    def of(self, instance: bpy.types.DepsgraphObjectInstance) -> tuple[bpy.types.Object, int] | None:
        """The artist's object and its mark's index, or NOTHING; None for what no render shows."""
        key = kin(instance)
        if key not in self._known:
            self._known[key] = self._of(chain_of(instance))
        return self._known[key]

    def owners(self, instance: bpy.types.DepsgraphObjectInstance) -> Sequence[tuple[bpy.types.Object, int]]:
        """The same; of a family of metaballs that are not all of one region, each of those that a render shows."""
        verdict = self.of(instance)
        if verdict is None or verdict[0].type != "META" or len(chain_of(instance)) > 1:
            return () if verdict is None else (verdict,)
        members = [found for one in family(verdict[0], self._scene) if (found := self._of((one,))) is not None]
        return members if len({owner for _, owner in members}) > 1 else (verdict,)

    def _of(self, chain: Chain) -> tuple[bpy.types.Object, int] | None:
        if not self._visibility.has(chain):
            return None
        mark = None if self._visibility.cuts(chain) else _mark(chain, self._by_collection)
        owner = NOTHING if mark is None or not mark.on else self._indices.get(mark.phrase.casefold(), NOTHING)
        return chain[0], owner


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
