# SPDX-License-Identifier: GPL-3.0-or-later
"""What a render may show otherwise than the view does, read from each region's settings: nothing is rendered for it.

Many of these settings are no news to the depsgraph, so that somebody has to look, again and again. That is done in
slices, and no reference is kept from one to the next. Of what stands before a region only the materials are looked at.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias, TypeVar

import bpy

from . import marks
from .listing import ObjectKey, Row
from .visibility import RenderVisibility, instanced

SLICE = 0.002  # seconds after which no further object is begun
DETAIL = {"SCREW": ("steps", "render_steps"), "OCEAN": ("viewport_resolution", "resolution")}
RAW = {"CURVES": "hair", "POINTCLOUD": "points"}  # never a mesh in the view
VALUE = "default_value"  # of a socket; the kinds of socket have it, their base has not

SceneLayers = Mapping[int, tuple[bpy.types.Scene, bpy.types.ViewLayer]]
Screens = Mapping[int, Mapping[str, frozenset[ObjectKey]]]  # what stands before regions, by scene and phrase
Subdivision: TypeAlias = bpy.types.SubsurfModifier | bpy.types.MultiresModifier
Owner = TypeVar("Owner", bound=bpy.types.ID)


class RenderDifferences:
    """``words`` has, by a region's session id, what of it a render may show otherwise."""

    def __init__(self) -> None:
        self.words: dict[int, tuple[str, ...]] = {}
        self._next_words: dict[int, set[str]] = {}
        self._done = 0
        self._of_tree: dict[int, tuple[str, ...]] = {}
        self._rendered: dict[int, frozenset[int]] = {}

    def look(
        self, scenes: SceneLayers, rows: Mapping[int, Sequence[Row]], screens: Screens = MappingProxyType({})
    ) -> bool:
        """A slice of a round over all objects of all regions, and over the ``screens`` before them. Says whether the
        words are others now."""
        until = time.perf_counter() + SLICE
        objects = [(uid, row.uid, item, True) for uid in scenes for row in rows[uid] for item in _objects(row)]
        for uid in scenes:
            before = screens.get(uid, {})
            objects += [(uid, row.uid, item, False) for row in rows[uid] for item in _screens(row, before)]
        for uid, region, item, is_own in objects[self._done :]:
            words = self._differences(item, *scenes[uid]) if is_own else self._before(item)
            self._next_words.setdefault(region, set()).update(words)
            self._done += 1
            if time.perf_counter() > until:
                break
        return self._done >= len(objects) and self._end()

    def _end(self) -> bool:
        before = self.words
        self.words = {region: tuple(sorted(words)) for region, words in self._next_words.items() if words}
        self._next_words, self._done, self._of_tree, self._rendered = {}, 0, {}, {}
        return self.words != before

    def _differences(self, item: bpy.types.Object, scene: bpy.types.Scene, layer: bpy.types.ViewLayer) -> Iterator[str]:
        yield from _of_kind(item)
        for modifier in item.modifiers:
            yield from self._of_modifier(modifier, scene.render)
        if item.show_instancer_for_viewport != item.show_instancer_for_render and item.is_instancer:
            yield "emitter"
        yield from self._of_materials(item)
        if self._only_renders(item, scene, layer):
            yield "hidden in the view only"

    def _before(self, item: bpy.types.Object) -> Iterator[str]:
        """Of what stands before a region: whether it hides more of it in the view than in renders, or less."""
        yield from (f"{word} before it" for word in self._of_materials(item))

    def _of_materials(self, item: bpy.types.Object) -> Iterator[str]:
        for slot in item.material_slots:
            if slot.material is not None and slot.material.node_tree is not None:
                yield from self._once(slot.material, of_material)

    def _only_renders(self, item: bpy.types.Object, scene: bpy.types.Scene, layer: bpy.types.ViewLayer) -> bool:
        if item.visible_get(view_layer=layer) or item.hide_render:
            return False
        return item.hide_viewport or item.session_uid in self._renders(scene, layer)

    def _of_modifier(self, modifier: bpy.types.Modifier, render: bpy.types.RenderSettings) -> Iterator[str]:
        if isinstance(modifier, bpy.types.ParticleSystemModifier):
            yield from _of_particles(modifier)
        elif modifier.show_render != modifier.show_viewport:
            yield "modifiers"
        elif not modifier.show_render:
            return
        elif isinstance(modifier, Subdivision) and _levels_differ(modifier, render):
            yield "subdivision"
        elif modifier.type in DETAIL and len({getattr(modifier, name) for name in DETAIL[modifier.type]}) > 1:
            yield "detail"
        elif isinstance(modifier, bpy.types.NodesModifier) and modifier.node_group is not None:
            yield from self._once(modifier.node_group, of_group)

    def _once(self, owner: Owner, read: Callable[[Owner], Iterator[str]]) -> tuple[str, ...]:
        """Objects share materials and node groups: each is read once a round."""
        if owner.session_uid not in self._of_tree:
            self._of_tree[owner.session_uid] = tuple(read(owner))
        return self._of_tree[owner.session_uid]

    def _renders(self, scene: bpy.types.Scene, layer: bpy.types.ViewLayer) -> frozenset[int]:
        """The session ids of what renders of a scene; asked for only where something is not in view."""
        if scene.session_uid not in self._rendered:
            rendered = RenderVisibility(layer).objects
            self._rendered[scene.session_uid] = frozenset(item.session_uid for item in rendered)
        return self._rendered[scene.session_uid]


def of_material(material: bpy.types.Material) -> Iterator[str]:
    """What Cycles makes of a material that a mesh in the view knows nothing of."""
    out = material.node_tree.get_output_node("CYCLES")
    if out is None:
        return
    surface, volume, displacement = (out.inputs[name] for name in ("Surface", "Volume", "Displacement"))
    if displacement.is_linked and material.displacement_method != "BUMP":
        yield "displacement"
    if volume.is_linked and not surface.is_linked:
        yield "volume"
    if any(_lets_through(node) for node in _leading_to(surface, set())):
        yield "transparency"


def of_group(group: bpy.types.NodeTree) -> Iterator[str]:
    """Whether a group of Geometry Nodes asks if it works for the view."""
    if any(node.bl_idname == "GeometryNodeIsViewport" for node in _nodes(group, set())):
        yield "modifiers"


def _objects(row: Row) -> Iterator[bpy.types.Object]:
    """What a region consists of, with what its objects instance."""
    region = row.find(bpy.data)
    if region is None or region.get(marks.OFF, False):
        return
    for part in marks.parts_of(region):
        if part.session_uid in row.members:
            yield part
            if collection := instanced(part):
                holders = marks.nested(collection)
                yield from (item for holder in holders for item in holder.objects if marks.read(item) is None)


def _screens(row: Row, before: Mapping[str, frozenset[ObjectKey]]) -> Iterator[bpy.types.Object]:
    """What stands before a region and is no part of it."""
    region = row.find(bpy.data)
    if region is None or region.get(marks.OFF, False):
        return
    for key in sorted(before.get(row.phrase.casefold(), ()), key=lambda key: key.uid):
        item = key.find(bpy.data)
        if item is not None:
            yield item


def _of_kind(item: bpy.types.Object) -> Iterator[str]:
    data = item.data
    if item.type in RAW:
        yield RAW[item.type]
    elif isinstance(data, bpy.types.Curve):
        u, v = (data.render_resolution_u, data.resolution_u), (data.render_resolution_v, data.resolution_v)
        if any(render not in (0, viewport) for render, viewport in (u, v)):
            yield "detail"


def _of_particles(modifier: bpy.types.ParticleSystemModifier) -> Iterator[str]:
    settings = modifier.particle_system.settings
    if settings.type == "HAIR" and settings.render_type == "PATH":
        if modifier.show_render:
            yield "hair"
    elif settings.render_type in {"OBJECT", "COLLECTION"}:
        if modifier.show_render != modifier.show_viewport:
            yield "particles"
        if not (modifier.show_render and modifier.show_viewport):
            return
        children = settings.child_type != "NONE" and settings.child_percent != settings.rendered_child_count
        if children or settings.display_percentage != 100:
            yield "particles"


def _levels_differ(modifier: Subdivision, render: bpy.types.RenderSettings) -> bool:
    """Whether a surface is divided more often for a render than for the view, or less."""
    viewport, final = modifier.levels, modifier.render_levels
    if render.use_simplify:
        viewport = min(viewport, render.simplify_subdivision)
        final = min(final, render.simplify_subdivision_render)
    return bool(viewport != final)


def _lets_through(node: bpy.types.Node) -> bool:
    """Whether a shader lets through what is behind it."""
    if node.bl_idname == "ShaderNodeBsdfPrincipled":
        alpha = node.inputs["Alpha"]
        return bool(alpha.is_linked or getattr(alpha, VALUE) < 1.0)
    return bool(node.bl_idname == "ShaderNodeBsdfTransparent")


def _leading_to(socket: bpy.types.NodeSocket, visited: set[str]) -> Iterator[bpy.types.Node]:
    """Every node that leads to a socket, and all of the groups among them."""
    for link in socket.links or ():
        node = link.from_node
        if node is not None and node.name not in visited:
            visited.add(node.name)
            yield node
            if tree := _group(node):
                yield from _nodes(tree, set())
            for entry in node.inputs:
                yield from _leading_to(entry, visited)


def _nodes(tree: bpy.types.NodeTree, visited: set[int]) -> Iterator[bpy.types.Node]:
    """Every node of a tree and of its groups."""
    if tree.session_uid in visited:
        return
    visited.add(tree.session_uid)
    for node in tree.nodes:
        yield node
        if group := _group(node):
            yield from _nodes(group, visited)


def _group(node: bpy.types.Node) -> bpy.types.NodeTree | None:
    """The tree of a node that is a group of others."""
    return node.node_tree if isinstance(node, bpy.types.ShaderNodeGroup | bpy.types.GeometryNodeGroup) else None
