# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps objects from being seen, in the view or in renders, and how both show them again."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Literal

import bpy

from .marks import collections

Chain = tuple[bpy.types.Object, ...]  # an object, and what instances it if something does
Hidden = Literal["in the view", "from renders", ""]


def hidden(
    scene: bpy.types.Scene,
    graph: bpy.types.Depsgraph,
    parts: Sequence[bpy.types.Object],
    present: AbstractSet[tuple[int, ...]] | None = None,
) -> Hidden:
    """Where none of ``parts`` is shown; "" when both view and renders show some of them. Holdouts are not shown.

    The view's depsgraph lacks what H or a monitor icon hides, and still has what only the eye of a collection does.
    ``present`` has the chains of its instances, as session ids, where somebody has walked over them already.
    """
    chains, render = list(_chains(scene, set(parts))), RenderVisibility(layer_of(graph))
    rendered = {chain for chain in chains if render.has(chain) and not render.cuts(chain)}
    if not chains:
        return ""
    if not rendered:
        return "from renders"
    if present is None:
        return "" if any(chain_of(instance) in rendered for instance in graph.object_instances) else "in the view"
    return "" if any(tuple(item.session_uid for item in chain) in present for chain in rendered) else "in the view"


def show(scene: bpy.types.Scene, graph: bpy.types.Depsgraph, parts: Sequence[bpy.types.Object]) -> Hidden:
    """Show ``parts``, and open their collections where it is these that hide them. Says what hides them still."""
    objects = {member for chain in _chains(scene, set(parts)) for member in chain}
    layer = layer_of(graph)
    _uncover(layer, objects)
    if hidden(scene, graph, parts):
        _open(scene, layer, objects)
        _uncover(layer, objects)
    return hidden(scene, graph, parts)


def layer_of(graph: bpy.types.Depsgraph) -> bpy.types.ViewLayer:
    """The view layer that a depsgraph is of."""
    assert graph.view_layer is not None
    return graph.view_layer


def _uncover(layer: bpy.types.ViewLayer, objects: set[bpy.types.Object]) -> None:
    """Clear what hides the objects themselves, and let drivers and keyframes have their say again."""
    present = set(layer.objects)
    for item in objects:
        item.hide_render = item.hide_viewport = False
        item.visible_camera, item.is_holdout = True, False
        if item in present:
            item.hide_set(False, view_layer=layer)
        item.update_tag(refresh={"TIME"})
    layer.update()


def _open(scene: bpy.types.Scene, layer: bpy.types.ViewLayer, objects: set[bpy.types.Object]) -> None:
    """Clear what hides the collections that hold the objects."""
    for collection in collections(scene):
        if objects & set(collection.all_objects):
            collection.hide_render = collection.hide_viewport = False
    for entry in _layer_collections(layer.layer_collection):
        if objects & set(entry.collection.all_objects):
            entry.exclude = entry.indirect_only = entry.holdout = False
    layer.update()


def _chains(scene: bpy.types.Scene, parts: set[bpy.types.Object]) -> Iterator[Chain]:
    """How the scene could show ``parts``: by themselves, and wherever they are instanced or instance others."""
    yield from ((part,) for part in parts if part.type != "EMPTY")
    for base in scene.objects:
        if collection := instanced(base):
            inside = {item for item in contents(collection) if item.type != "EMPTY"}
            yield from ((item, base) for item in (inside if base in parts else inside & parts))


def _layer_collections(layer: bpy.types.LayerCollection) -> Iterator[bpy.types.LayerCollection]:
    yield layer
    for child in layer.children:
        yield from _layer_collections(child)


def chain_of(instance: bpy.types.DepsgraphObjectInstance) -> Chain:
    """The artist's objects behind an instance: the object itself, then what instances it."""
    item = _original(instance.object)
    parent = _original(instance.parent) if instance.is_instance else item
    return (item,) if parent == item else (item, parent)


def _original(evaluated: bpy.types.Object | None) -> bpy.types.Object:
    original = evaluated.original if evaluated is not None else None
    assert isinstance(original, bpy.types.Object), "what is evaluated is evaluated from something"
    return original


class RenderVisibility:
    """What a render of a view layer shows of instances, each given as its chain. The layer's scene may have another as
    its background, and that a third: what they hold is rendered too."""

    def __init__(self, layer: bpy.types.ViewLayer) -> None:
        layers = [layer, *(_default_layer(scene) for scene in background_sets(_scene_of(layer)))]
        self.objects = {item: own for own in reversed(layers) for item in _rendered(own.layer_collection)}
        self._hidden: dict[bpy.types.Collection, set[bpy.types.Object]] = {}

    def has(self, chain: Chain) -> bool:
        """Whether it is there, be it as a holdout."""
        base = chain[-1]
        if base not in self.objects or base.indirect_only_get(view_layer=self.objects[base]):
            return False
        if len(chain) == 2 and not self._is_instanced(chain[0], base):
            return False
        return all(item.visible_camera for item in chain)

    def cuts(self, chain: Chain) -> bool:
        """Whether it is a holdout, which hides what is behind and shows nothing."""
        item, base = chain[0], chain[-1]
        return bool(item.is_holdout or (base in self.objects and base.holdout_get(view_layer=self.objects[base])))

    def _is_instanced(self, item: bpy.types.Object, base: bpy.types.Object) -> bool:
        """Whether a render has the instances of ``item`` that a viewport has by ``base``: of what a collection holds
        itself that which it renders, and all that is scattered there; of what stands on vertices or faces the same."""
        if (collection := instanced(base)) is not None:
            return item not in self._hidden_inside(collection)
        return item in self.objects or base.instance_type not in {"VERTS", "FACES"} or item.parent != base

    def _hidden_inside(self, collection: bpy.types.Collection) -> set[bpy.types.Object]:
        """What an instanced collection holds and no render shows."""
        if collection not in self._hidden:
            self._hidden[collection] = {*contents(collection)} - {*contents(collection, rendered=True)}
        return self._hidden[collection]


def background_sets(scene: bpy.types.Scene) -> list[bpy.types.Scene]:
    """The scene's background, its background, and so on, each once."""
    sets: list[bpy.types.Scene] = []
    behind = scene.background_set
    while behind is not None and behind != scene and behind not in sets:
        sets.append(behind)
        behind = behind.background_set
    return sets


def _scene_of(layer: bpy.types.ViewLayer) -> bpy.types.Scene:
    scene = layer.id_data
    assert isinstance(scene, bpy.types.Scene), "view layers are of scenes"
    return scene


def _default_layer(scene: bpy.types.Scene) -> bpy.types.ViewLayer:
    """The view layer of a scene that others show as their background: the first that renders."""
    chosen = next((layer for layer in scene.view_layers if layer.use), scene.view_layers[0])
    if chosen.layer_collection is None:  # of a scene that nobody has looked at yet, from 5.0 on
        chosen.update()
    return chosen


def _rendered(layer: bpy.types.LayerCollection) -> Iterator[bpy.types.Object]:
    """What renders of a layer collection and its children."""
    if layer.exclude:
        # an excluded collection's children may still be included, one by one
        yield from (item for child in layer.children for item in _rendered(child))
    elif not layer.collection.hide_render:
        yield from (item for item in layer.collection.objects if not item.hide_render)
        yield from (item for child in layer.children for item in _rendered(child))


def contents(collection: bpy.types.Collection, rendered: bool = False) -> Iterator[bpy.types.Object]:
    """The objects of an instanced collection, its children, and the collections instanced inside; all that there are,
    or what is ``rendered``."""
    if rendered and collection.hide_render:
        return
    for item in collection.objects:
        if not (rendered and item.hide_render):
            yield item
            if inner := instanced(item):
                yield from contents(inner, rendered)
    for child in collection.children:
        yield from contents(child, rendered)


def instanced(item: bpy.types.Object) -> bpy.types.Collection | None:
    """The collection that an object stands for, if it does."""
    return item.instance_collection if item.instance_type == "COLLECTION" else None
