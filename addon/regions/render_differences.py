# SPDX-License-Identifier: GPL-3.0-or-later
"""What a render may show otherwise than the view does, told from each region's settings: nothing is rendered for it.

Many of these settings are no news to the depsgraph, so that somebody has to look, again and again. That is done in
slices, and no reference is kept from one to the next. What stands before a region is not looked at.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import bpy

from . import marks
from .listing import Row
from .visibility import Shown

SLICE = 0.002  # seconds that begin no further look at a thing
DETAIL = {"SCREW": ("steps", "render_steps"), "OCEAN": ("viewport_resolution", "resolution")}
LEVELS = {"SUBSURF", "MULTIRES"}
RAW = {"CURVES": "hair", "POINTCLOUD": "points"}  # never a mesh in the view

Windows = Mapping[int, tuple[bpy.types.Scene, bpy.types.ViewLayer]]
Found = dict[int, set[str]]


class RenderDifferences:
    """``words`` has, by a region's session id, what of it a render may show otherwise."""

    def __init__(self) -> None:
        self.words: dict[int, tuple[str, ...]] = {}
        self._found: Found = {}
        self._place = 0
        self._of_tree: dict[int, tuple[str, ...]] = {}
        self._rendered: dict[int, frozenset[int]] = {}

    def look(self, scenes: Windows, rows: Mapping[int, Sequence[Row]]) -> bool:
        """A slice of a round over all things of all regions. Says whether the words are others now."""
        until = time.perf_counter() + SLICE
        things = [(row.uid, thing, *scenes[uid]) for uid in scenes for row in rows[uid] for thing in _things(row)]
        for region, thing, scene, layer in things[self._place :]:
            self._found.setdefault(region, set()).update(self._differences(thing, scene, layer))
            self._place += 1
            if time.perf_counter() > until:
                break
        return self._place >= len(things) and self._end()

    def _end(self) -> bool:
        before = self.words
        self.words = {region: tuple(sorted(words)) for region, words in self._found.items() if words}
        self._found, self._place, self._of_tree, self._rendered = {}, 0, {}, {}
        return self.words != before

    def _differences(
        self, thing: bpy.types.Object, scene: bpy.types.Scene, layer: bpy.types.ViewLayer
    ) -> Iterator[str]:
        yield from _of_kind(thing)
        for modifier in thing.modifiers:
            yield from self._of_modifier(modifier, scene.render)
        if thing.show_instancer_for_viewport != thing.show_instancer_for_render and thing.is_instancer:
            yield "emitter"
        for slot in thing.material_slots:
            if slot.material is not None and slot.material.node_tree is not None:
                yield from self._once(slot.material, of_material)
        if self._only_renders(thing, scene, layer):
            yield "hidden here"

    def _only_renders(self, thing: bpy.types.Object, scene: bpy.types.Scene, layer: bpy.types.ViewLayer) -> bool:
        if thing.visible_get(view_layer=layer) or thing.hide_render:
            return False
        return thing.hide_viewport or thing.session_uid in self._renders(scene, layer)

    def _of_modifier(self, modifier: bpy.types.Modifier, render: bpy.types.RenderSettings) -> Iterator[str]:
        if modifier.type == "PARTICLE_SYSTEM":
            if modifier.show_render:
                yield from _of_particles(modifier.particle_system.settings)
        elif modifier.show_render != modifier.show_viewport:
            yield "modifiers"
        elif not modifier.show_render:
            return
        elif modifier.type in LEVELS and _levels(modifier, render):
            yield "subdivision"
        elif modifier.type in DETAIL and len({getattr(modifier, name) for name in DETAIL[modifier.type]}) > 1:
            yield "detail"
        elif modifier.type == "NODES" and modifier.node_group is not None:
            yield from self._once(modifier.node_group, of_group)

    def _once(self, owner: bpy.types.ID, told: Callable[[bpy.types.ID], Iterator[str]]) -> tuple[str, ...]:
        """Things share materials and node groups: each is read once a round."""
        if owner.session_uid not in self._of_tree:
            self._of_tree[owner.session_uid] = tuple(told(owner))
        return self._of_tree[owner.session_uid]

    def _renders(self, scene: bpy.types.Scene, layer: bpy.types.ViewLayer) -> frozenset[int]:
        """The session ids of what renders of a scene; asked for only where something is not in view."""
        if scene.session_uid not in self._rendered:
            self._rendered[scene.session_uid] = frozenset(thing.session_uid for thing in Shown(layer).objects)
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
    if any(_clear(node) for node in _behind(surface, set())):
        yield "transparency"


def of_group(group: bpy.types.NodeTree) -> Iterator[str]:
    """Whether a group of Geometry Nodes asks if it works for the view."""
    if any(node.bl_idname == "GeometryNodeIsViewport" for node in _inside(group, set())):
        yield "modifiers"


def _things(row: Row) -> Iterator[bpy.types.Object]:
    """What a region consists of, with what its objects instance."""
    found = row.find(bpy.data)
    if found is None or found.get(marks.OFF, False):
        return
    for part in marks.parts_of(found):
        if part.session_uid in row.members:
            yield part
            if part.instance_type == "COLLECTION" and part.instance_collection is not None:
                held = marks.held(part.instance_collection)
                yield from (thing for home in held for thing in home.objects if marks.read(thing) is None)


def _of_kind(thing: bpy.types.Object) -> Iterator[str]:
    if thing.type in RAW:
        yield RAW[thing.type]
    elif thing.type in {"CURVE", "SURFACE", "FONT"}:
        data = thing.data
        across, along = (data.render_resolution_u, data.resolution_u), (data.render_resolution_v, data.resolution_v)
        if any(final not in (0, seen) for final, seen in (across, along)):
            yield "detail"


def _of_particles(settings: bpy.types.ParticleSettings) -> Iterator[str]:
    if settings.type == "HAIR" and settings.render_type == "PATH":
        yield "hair"
    elif settings.render_type in {"OBJECT", "COLLECTION"}:
        children = settings.child_type != "NONE" and settings.child_percent != settings.rendered_child_count
        if children or settings.display_percentage != 100:
            yield "particles"


def _levels(modifier: bpy.types.Modifier, render: bpy.types.RenderSettings) -> bool:
    """Whether a surface is divided more often for a render than for the view, or less."""
    seen, final = modifier.levels, modifier.render_levels
    if render.use_simplify:
        seen, final = min(seen, render.simplify_subdivision), min(final, render.simplify_subdivision_render)
    return bool(seen != final)


def _clear(node: bpy.types.Node) -> bool:
    """Whether a shader lets through what is behind it."""
    if node.bl_idname == "ShaderNodeBsdfPrincipled":
        alpha = node.inputs["Alpha"]
        return bool(alpha.is_linked or alpha.default_value < 1.0)
    return bool(node.bl_idname == "ShaderNodeBsdfTransparent")


def _behind(socket: bpy.types.NodeSocket, seen: set[str]) -> Iterator[bpy.types.Node]:
    """Every node that leads to a socket, and all of the groups among them."""
    for link in socket.links:
        node = link.from_node
        if node.name not in seen:
            seen.add(node.name)
            yield node
            if node.type == "GROUP" and node.node_tree is not None:
                yield from _inside(node.node_tree, set())
            for entry in node.inputs:
                yield from _behind(entry, seen)


def _inside(tree: bpy.types.NodeTree, seen: set[int]) -> Iterator[bpy.types.Node]:
    """Every node of a tree and of its groups."""
    if tree.session_uid in seen:
        return
    seen.add(tree.session_uid)
    for node in tree.nodes:
        yield node
        if node.type == "GROUP" and node.node_tree is not None:
            yield from _inside(node.node_tree, seen)
