# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps things from being seen, in the view or in renders, and how both show them again."""

from collections.abc import Iterator, Sequence
from typing import Literal

import bpy

from .marks import collections

Way = tuple[bpy.types.Object, ...]  # a thing, and what instances it if something does
Hidden = Literal["in the view", "from renders", ""]


def hidden(scene: bpy.types.Scene, graph: bpy.types.Depsgraph, parts: Sequence[bpy.types.Object]) -> Hidden:
    """Where none of ``parts`` is shown; "" when both view and renders show some of them. Holdouts are not shown.

    The view's depsgraph lacks what H or a monitor icon hides, and still has what only the eye of a collection does.
    """
    ways, render = list(_ways(scene, set(parts))), Shown(graph.view_layer)
    rendered = {way for way in ways if render.has(list(way)) and not render.cuts(list(way))}
    if ways and not rendered:
        return "from renders"
    return (
        "in the view" if ways and not any(tuple(chain_of(seen)) in rendered for seen in graph.object_instances) else ""
    )


def show(scene: bpy.types.Scene, graph: bpy.types.Depsgraph, parts: Sequence[bpy.types.Object]) -> Hidden:
    """Show ``parts``, and open their collections where it is these that hide them. Says what hides them still."""
    things = {thing for way in _ways(scene, set(parts)) for thing in way}
    _uncover(graph.view_layer, things)
    if hidden(scene, graph, parts):
        _open(scene, graph.view_layer, things)
        _uncover(graph.view_layer, things)
    return hidden(scene, graph, parts)


def _uncover(layer: bpy.types.ViewLayer, things: set[bpy.types.Object]) -> None:
    """Clear what hides the things themselves, and let drivers and keyframes have their say again."""
    for thing in things:
        thing.hide_render = thing.hide_viewport = False
        thing.visible_camera, thing.is_holdout = True, False
        if thing.name in layer.objects:
            thing.hide_set(False, view_layer=layer)
        thing.update_tag(refresh={"TIME"})
    layer.update()


def _open(scene: bpy.types.Scene, layer: bpy.types.ViewLayer, things: set[bpy.types.Object]) -> None:
    """Clear what hides the collections that hold the things."""
    for home in collections(scene):
        if things & set(home.all_objects):
            home.hide_render = home.hide_viewport = False
    for held in _layers(layer.layer_collection):
        if things & set(held.collection.all_objects):
            held.exclude = held.indirect_only = held.holdout = False
    layer.update()


def _ways(scene: bpy.types.Scene, parts: set[bpy.types.Object]) -> Iterator[Way]:
    """How the scene could show ``parts``: by themselves, and wherever they are instanced or instance others."""
    yield from ((part,) for part in parts if part.type != "EMPTY")
    for base in scene.objects:
        if instances(base):
            inside = {thing for thing in contents(base.instance_collection) if thing.type != "EMPTY"}
            yield from ((thing, base) for thing in (inside if base in parts else inside & parts))


def _layers(layer: bpy.types.LayerCollection) -> Iterator[bpy.types.LayerCollection]:
    yield layer
    for child in layer.children:
        yield from _layers(child)


def chain_of(instance: bpy.types.DepsgraphObjectInstance) -> list[bpy.types.Object]:
    """The artist's objects behind an instance: the thing itself, then what instances it."""
    thing = instance.object.original
    parent = instance.parent.original if instance.is_instance else thing
    return [thing] if parent == thing else [thing, parent]


class Shown:
    """What a render of a view layer shows of instances, each given as its chain."""

    def __init__(self, layer: bpy.types.ViewLayer) -> None:
        self.layer = layer
        self.objects = set(_of_layer(layer.layer_collection))
        self.insides: dict[bpy.types.Collection, set[bpy.types.Object]] = {}

    def has(self, chain: list[bpy.types.Object]) -> bool:
        """Whether it is there, be it as a holdout."""
        base = chain[-1]
        if base not in self.objects or base.indirect_only_get(view_layer=self.layer):
            return False
        if len(chain) == 2 and base.instance_type == "COLLECTION" and chain[0] not in self.inside(base):
            return False
        return all(thing.visible_camera for thing in chain)

    def cuts(self, chain: list[bpy.types.Object]) -> bool:
        """Whether it is a holdout, which hides what is behind and shows nothing."""
        thing, base = chain[0], chain[-1]
        return bool(thing.is_holdout or base.holdout_get(view_layer=self.layer))

    def inside(self, instancer: bpy.types.Object) -> set[bpy.types.Object]:
        """What renders of the collection that it instances."""
        collection = instancer.instance_collection
        if collection not in self.insides:
            self.insides[collection] = set(contents(collection, rendered=True))
        return self.insides[collection]


def _of_layer(layer: bpy.types.LayerCollection) -> Iterator[bpy.types.Object]:
    """What renders of a layer collection and its children."""
    if layer.exclude:
        # an excluded collection's children may still be included, one by one
        yield from (thing for child in layer.children for thing in _of_layer(child))
    elif not layer.collection.hide_render:
        yield from (thing for thing in layer.collection.objects if not thing.hide_render)
        yield from (thing for child in layer.children for thing in _of_layer(child))


def contents(collection: bpy.types.Collection, rendered: bool = False) -> Iterator[bpy.types.Object]:
    """The objects of an instanced collection, its children, and the collections instanced inside; all that there are,
    or what is ``rendered``."""
    if rendered and collection.hide_render:
        return
    for thing in collection.objects:
        if not (rendered and thing.hide_render):
            yield thing
            if instances(thing):
                yield from contents(thing.instance_collection, rendered)
    for child in collection.children:
        yield from contents(child, rendered)


def instances(thing: bpy.types.Object) -> bool:
    """Whether it stands for a collection."""
    return thing.instance_type == "COLLECTION" and thing.instance_collection is not None
