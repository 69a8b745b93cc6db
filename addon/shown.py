# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a render shows a thing: the rules of Cycles, read from the viewport's depsgraph or a render's."""

from collections.abc import Iterator

import bpy


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
