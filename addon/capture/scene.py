# SPDX-License-Identifier: GPL-3.0-or-later
"""The only reader of the scene: the evaluated depsgraph to camera-space triangles, and a Snapshot for a blockout.

Reads and never writes: what the artist sees, selects and renders is the same after a capture. What counts is what a
render would show: render-hidden things are left out even where the viewport shows them; holdouts hide what is behind.
What only the viewport hides is not in its depsgraph, and so in none of this.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import bpy

from ..camera.reader import camera_of, view
from ..camera.view import View
from ..cooperative import finish
from ..protocol.answers import ModelInfo
from ..protocol.default_model import TOYBOX
from ..raster.frustum import Frustum
from ..raster.instances import MeshInstances, camera_triangles
from ..raster.triangles import Triangles
from ..raster.zbuffer import NOTHING
from ..regions.marks import marked, marks, of_phrase, parts_of, read
from ..regions.visibility import Chain, RenderVisibility, chain_of, hidden, layer_of
from ..request.limits import check_request
from ..request.phrases import Mark, named_in
from ..request.settings import Settings
from .back_faces import Culled, culling
from .canvas import canvas, scaled
from .frames import at
from .instance_walk import InstanceWalk, Meshes, Originals, ReadableMesh, read_for, walk
from .metaballs import family
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
        named, scaled_model = named_in(settings.prompt, named), scaled(model, settings.size)
        known = Meshes() if meshes is None else meshes
        usual = partial(viewport, depsgraph=depsgraph, meshes=known, patience=patience)
        visible = (look or usual)(scene, camera, named, scaled_model)
        graph, owners = depsgraph or evaluated(scene), {part.owner for part in visible.parts}
        explained = tuple(
            mark if index in owners else with_hidden(scene, graph, mark, known) for index, mark in enumerate(named)
        )
    return Snapshot(
        settings=settings,
        model=model,
        marks=explained,
        parts=visible.parts,
        view=visible.view,
        canvas=canvas(visible.view.aspect, scaled_model),
        exact=visible.exact,
    )


def with_hidden(scene: bpy.types.Scene, graph: bpy.types.Depsgraph, mark: Mark, meshes: Meshes) -> Mark:
    """A mark of which there is no surface, and what hides its objects; ``meshes`` may have a walk over the scene."""
    objects = [item for marked in of_phrase(scene, mark.phrase) for item in parts_of(marked)]
    present = None if meshes.walk is None else {kind.lineage for kind in meshes.walk.kinds}
    where = hidden(scene, graph, objects, present)
    return replace(mark, hidden=where, kind=objects[0].type if objects else "")


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
    graph, known = depsgraph or evaluated(scene), Meshes() if meshes is None else meshes
    return Visible(view(scene, camera, graph), tuple(part for _, part in parts(scene, graph, known, patience)))


def geometry(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, view: View, frustum: Frustum | None = None
) -> Geometry:
    """The triangles that a render would show, in camera space, with the marks they belong to; those that matter to
    a picture of ``frustum``, where it is given."""
    sources: list[dict[bpy.types.Object, None]] = [{} for _ in marks(scene)]
    rendered = []
    for original, part in parts(scene, depsgraph, Meshes()):
        if part.owner != NOTHING:
            sources[part.owner][original] = None
        rendered.append(part)
    return Geometry(finish(camera_triangles(rendered, view.pose, frustum)), tuple(map(tuple, sources)))


def parts(
    scene: bpy.types.Scene,
    depsgraph: bpy.types.Depsgraph,
    meshes: Meshes,
    patience: float | None = None,
    *,
    culled: Culled | None = None,
) -> Iterator[tuple[bpy.types.Object, MeshInstances]]:
    """The artist's objects that a render would show, mesh by mesh, owned by an index into the scene's marks.

    Of ``meshes``, those that are yet to be read are read for ``patience`` seconds, one at least, and the others come
    unread; 0 reads none, and None all. The walk over the instances does not count: of a million it takes a second. It
    is kept with the meshes until something changes. ``culled`` says which materials are not drawn from behind, by
    default the scene's engine.
    """
    walk, originals = _walk(scene, depsgraph, meshes, culled)
    verdicts = Verdicts(scene, depsgraph)
    groups = []
    for number, kind in enumerate(walk.kinds):
        if kind.address and kind.shows and (owners := verdicts.owners(tuple(originals[uid] for uid in kind.lineage))):
            shared = meshes.shared(kind.address, len(owners))
            groups.append((number, kind, ReadableMesh(kind.address, originals[kind.lineage[0]], owners, shared)))
    if patience is None or patience > 0.0:
        read_for(patience, [readable for *_, readable in groups], depsgraph)
    for number, kind, readable in groups:
        matrices, indices = walk.standing(number)
        for (original, owner), mesh in zip(readable.owners, readable.meshes, strict=True):
            yield original, MeshInstances(mesh, matrices, owner, kind.culled, kind.lineage, indices)


def _walk(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, meshes: Meshes, culled: Culled | None
) -> tuple[InstanceWalk, Originals]:
    """The walk that is kept with ``meshes``, or a new one; and the file's objects by session id."""
    override = layer_of(depsgraph).material_override
    shading = (scene.render.engine, scene.display.shading.show_backface_culling, override and override.session_uid)
    origin = (depsgraph.as_pointer(), *shading)
    originals = {item.session_uid: item for item in bpy.data.objects}
    kept = meshes.walk
    if kept is not None and (
        kept.origin != origin or not all(originals.keys() >= {*one.lineage} for one in kept.kinds)
    ):
        kept = None
    if kept is not None and meshes.moved:
        kept = kept.after(meshes.moved, depsgraph, originals)
    if kept is None:
        kept = walk(depsgraph, culled or culling(scene, override), origin)
    meshes.walk, meshes.moved = kept, set()
    return kept, originals


def owned(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph
) -> Iterator[tuple[bpy.types.DepsgraphObjectInstance, bpy.types.Object, int]]:
    """What a render would show, of any type, the artist's object, and its mark's index among the scene's or NOTHING.

    What was deleted, or never was in the scene, may still be instanced there: its mark is none of the scene's.
    """
    verdicts = Verdicts(scene, depsgraph)
    known: dict[tuple[int, int], tuple[bpy.types.Object, int] | None] = {}  # there may be a million of one kind
    for instance in depsgraph.object_instances:
        key = _kin(instance)
        if key not in known:
            known[key] = verdicts.of(chain_of(instance))
        verdict = known[key]
        if verdict is not None:
            yield instance, *verdict


def _kin(instance: bpy.types.DepsgraphObjectInstance) -> tuple[int, int]:
    """What all instances of one object by one instancer share: the addresses of both, 0 for none.

    The object that an instance shows has none of its own.
    """
    source, parent = instance.instance_object, instance.parent
    if source is None or parent is None:
        return instance.object.as_pointer(), 0
    return source.as_pointer(), parent.as_pointer()


class Verdicts:
    """Whose the instances of a scene are, each given as its chain."""

    def __init__(self, scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
        self._scene = scene
        self._indices = {mark.phrase.casefold(): index for index, mark in enumerate(marks(scene))}
        self._marked = {item for item, _ in marked(scene) if isinstance(item, bpy.types.Object)}
        self._by_collection = _collection_marks(scene)
        self._visibility = RenderVisibility(layer_of(depsgraph))

    def owners(self, chain: Chain) -> Sequence[tuple[bpy.types.Object, int]]:
        """As ``of``; of a family of metaballs that are not all of one region, each of those that a render shows."""
        verdict = self.of(chain)
        if verdict is None or verdict[0].type != "META" or len(chain) > 1:
            return () if verdict is None else (verdict,)
        members = [owned for one in family(verdict[0], self._scene) if (owned := self.of((one,))) is not None]
        return members if len({owner for _, owner in members}) > 1 else (verdict,)

    def of(self, chain: Chain) -> tuple[bpy.types.Object, int] | None:
        """The artist's object and its mark's index, or NOTHING; None for what no render shows."""
        if not self._visibility.has(chain):
            return None
        mark = None if self._visibility.cuts(chain) else self._mark(chain)
        owner = NOTHING if mark is None or not mark.on else self._indices.get(mark.phrase.casefold(), NOTHING)
        return chain[0], owner

    def _mark(self, chain: Chain) -> Mark | None:
        """The mark that counts: an object's before a collection's, the object's own before its instancer's; none that
        is another scene's, as of the background."""
        candidates = [read(item) for item in chain if item in self._marked]
        candidates += [self._by_collection.get(item) for item in chain]
        return next((mark for mark in candidates if mark is not None), None)


def evaluated(scene: bpy.types.Scene) -> bpy.types.Depsgraph:
    """The viewport's evaluated depsgraph of ``scene``, of the view layer in use where the scene is the one shown."""
    if bpy.context.scene == scene:
        return bpy.context.evaluated_depsgraph_get()
    with bpy.context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
        return bpy.context.evaluated_depsgraph_get()


def _collection_marks(scene: bpy.types.Scene) -> dict[bpy.types.Object, Mark]:
    """The mark of the innermost marked collection that holds each object."""
    inherited: dict[bpy.types.Object, Mark] = {}
    collections = [(item, mark) for item, mark in marked(scene) if isinstance(item, bpy.types.Collection)]
    for collection, mark in sorted(collections, key=lambda pair: -len(pair[0].children_recursive)):
        inherited.update(dict.fromkeys(collection.all_objects, mark))
    return inherited
