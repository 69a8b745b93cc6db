# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects with what is projected onto them as an image over UVs: read as numbers, and given plain materials.

An artist goes on working while that is made, and Undo makes references stale: between slices there are session ids and
numbers alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from ..capture.corner_meshes import CornerMesh, read_corners
from ..capture.scene import evaluated
from ..compat import ensure_nodes
from ..cooperative import Slices
from ..custom_properties import has
from ..data_blocks import of_session
from ..messages.errors import Unbakeable
from ..raster.frustum import FARTHEST
from ..raster.triangles import PIECE, Bools, Floats, Indices, Singles
from .baking import MARGIN, BakedView, Surface, baked, fitting
from .keys import PROJECTED, PROJECTOR
from .light import png
from .materials import check
from .projectors import forget_projections, is_on, projectors
from .unwrapping import Faces, unwrapped
from .view_numbers import changed, read_view

SIDE = 2048  # texels
LAYER = "Maquette Bake"
PLAIN = (0.8, 0.8, 0.8)  # light of what has no material
MOST_LAYERS = 8  # of UVs, that a mesh can have


@dataclass(frozen=True, eq=False)
class Bake:
    """What one object is given, by session id: the ``file`` of its image over the UVs of ``layer``, which are its own,
    or ``uvs`` (corners, 2), new ones."""

    uid: int
    layer: str
    uvs: Singles | None
    file: bytes


@dataclass(frozen=True, eq=False)
class _Body:
    """One object as it was read: its evaluated mesh, where it stands, what shows where nothing is projected."""

    name: str
    mesh: CornerMesh
    world: Floats
    under: Floats
    corners: int  # of its mesh before any modifier
    is_full: bool  # as it has as many layers of UVs as it can


def bakeable(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The objects with a projection that is on. Raises Unbakeable, LockedObject."""
    active = {str(one[PROJECTOR]["key"]) for one in projectors(scene) if is_on(one)}
    items = [one for one in scene.objects if has(one, PROJECTED) and active & set(str(one[PROJECTED]).split())]
    if not items:
        raise Unbakeable("Nothing is projected.", "Press Project, or turn a view on, first.")
    for item in items:
        if item.type != "MESH":
            raise Unbakeable(f"{item.name} is no mesh.", "Convert it to one (Object > Convert), and bake.")
        check([item, mesh_of(item)])
    _check_left(items)
    return items


def baking(scene: bpy.types.Scene) -> Slices[tuple[Bake, ...]]:
    """What each of the ``bakeable`` is given. Raises what that raises."""
    active = [(one.session_uid, str(one[PROJECTOR]["key"])) for one in projectors(scene) if is_on(one)]
    work = [(item.session_uid, set(str(item[PROJECTED]).split())) for item in bakeable(scene)]
    scene_uid = scene.session_uid
    del scene
    views: dict[str, BakedView] = {}
    for uid, key in active:
        views[key] = yield from read_view(uid)
    bakes = []
    for uid, keys in work:
        body = _read(uid, scene_uid)
        yield
        surface, is_new = yield from _surface(body)
        image = yield from baked(surface, [views[key] for key in sorted(views) if key in keys], SIDE)
        file = yield from png(image)
        bakes.append(Bake(uid, LAYER if is_new else body.mesh.layer, surface.uvs if is_new else None, file))
    return tuple(bakes)


def apply_bakes(bakes: Sequence[Bake]) -> None:
    """Give the objects their images in place of what is projected onto them. Raises Unbakeable, before any change."""
    by_uid = {item.session_uid: item for item in bpy.data.objects}
    items = [by_uid.get(bake.uid) for bake in bakes]
    objects = [item for item, bake in zip(items, bakes, strict=True) if item is not None and _fits(item, bake)]
    if len(objects) != len(bakes):
        raise changed()
    _check_left(objects)
    lit = [_is_lit(item) for item in objects]
    forget_projections(objects)
    for item, bake, is_lit in zip(objects, bakes, lit, strict=True):
        _apply(item, bake, is_lit)


def mesh_of(item: bpy.types.Object) -> bpy.types.Mesh:
    """The data of an object that is a mesh."""
    assert isinstance(item.data, bpy.types.Mesh), f"{item.name} is no mesh"
    return item.data


def _check_left(items: Sequence[bpy.types.Object]) -> None:
    """Raise Unbakeable for one in Edit Mode: until that is left its mesh has no layers to write to."""
    editing = next((item for item in items if mesh_of(item).is_editmode), None)
    if editing is not None:
        raise Unbakeable(f"{editing.name} is in Edit Mode.", "Leave it (Tab), and bake.")


def _fits(item: bpy.types.Object, bake: Bake) -> bool:
    """Whether it still is what was baked."""
    if not has(item, PROJECTED) or not isinstance(item.data, bpy.types.Mesh):
        return False
    return bake.uvs is None or (len(item.data.loops) == len(bake.uvs) and not _is_full(item.data))


def _is_full(mesh: bpy.types.Mesh) -> bool:
    """Whether there is no room for a layer of UVs of ours."""
    return len(mesh.uv_layers) >= MOST_LAYERS and LAYER not in mesh.uv_layers


def _is_lit(item: bpy.types.Object) -> bool:
    keys = set(str(item[PROJECTED]).split())
    cameras = [one for one in bpy.data.objects if has(one, PROJECTOR)]
    return any(one[PROJECTOR].get("lit", False) for one in cameras if one[PROJECTOR]["key"] in keys)


def _read(uid: int, scene_uid: int) -> _Body:
    """An object as a render has it. Raises Unbakeable where it is gone."""
    item = of_session(bpy.data.objects, uid)
    scene = of_session(bpy.data.scenes, scene_uid)
    if item is None or scene is None or not isinstance(item.data, bpy.types.Mesh):
        raise changed()
    evaluated_item = item.evaluated_get(evaluated(scene))
    materials = [_own_colour(slot.material) for slot in item.material_slots] or [PLAIN]
    mesh, world = read_corners(evaluated_item), np.array(evaluated_item.matrix_world)
    before = mesh_of(item)  # any modifier
    return _Body(item.name, mesh, world, np.array(materials), len(before.loops), _is_full(before))


def _surface(body: _Body) -> Slices[tuple[Surface, bool]]:
    """The surface over its own UVs where those will do, else over new ones, and whether they are new. Raises
    Unbakeable."""
    mesh = body.mesh
    triangles = yield from mesh.triangles()
    placed, turn = np.empty_like(mesh.points), np.linalg.pinv(body.world[:3, :3])  # of normals, from the right
    for begin in range(0, len(placed), PIECE):
        some = slice(begin, begin + PIECE)
        placed[some] = mesh.points[some] @ body.world[:3, :3].T + body.world[:3, 3]
        yield
    materials = np.zeros(len(triangles), np.int32) if mesh.materials is None else mesh.materials
    drawn = yield from _make_finite(placed, mesh.vertices, triangles)
    triangles, materials = triangles[drawn], materials[drawn]
    points, normals = np.empty_like(mesh.normals), np.empty_like(mesh.normals)
    for begin in range(0, len(points), PIECE):
        some = slice(begin, begin + PIECE)
        points[some], normals[some] = placed[mesh.vertices[some]], np.nan_to_num(mesh.normals[some]) @ turn
        yield
    values = (triangles, materials.clip(0, len(body.under) - 1), body.under, mesh.is_closed)
    if mesh.uvs is not None:
        surface = Surface(points, normals, mesh.uvs, *values)
        if (yield from fitting(surface, SIDE)):
            return surface, False
    uvs = yield from _new_uvs(body, placed, points)
    surface = Surface(points, normals, uvs, *values)
    if not (yield from fitting(surface, SIDE, used=0.0)):
        raise Unbakeable(f"{body.name} folds over itself.", "Unwrap it (U in Edit Mode), and bake.")
    return surface, True


def _make_finite(points: Singles, vertices: Indices, triangles: Indices) -> Slices[Bools]:
    """Give points that are no numbers, or next to infinite, some place, in place; which triangles have none of them,
    and so are drawn."""
    finite = np.empty(len(points), bool)
    for begin in range(0, len(points), PIECE):
        some = slice(begin, begin + PIECE)
        finite[some] = (np.abs(points[some]) < FARTHEST).all(axis=1)
        yield
    drawn = np.ones(len(triangles), bool)
    if not finite.all():
        points[~finite] = points[finite.argmax()] if finite.any() else 0.0
        for begin in range(0, len(triangles), PIECE):
            drawn[begin : begin + PIECE] = finite[vertices[triangles[begin : begin + PIECE]]].all(axis=1)
            yield
    return drawn


def _new_uvs(body: _Body, placed: Singles, points: Singles) -> Slices[Singles]:
    """Those that an object is given; its points, and those at its corners, in the world. Raises Unbakeable."""
    mesh = body.mesh
    if len(mesh.vertices) != body.corners:
        raise Unbakeable(
            f"A modifier gives {body.name} other faces, and its UVs overlap or leave the image.",
            "Apply the modifier, or unwrap the object (U in Edit Mode).",
        )
    if body.is_full:
        raise Unbakeable(
            f"{body.name} has {MOST_LAYERS} UV maps, as many as a mesh can have, and the one of renders will not do.",
            "Remove one (Object Data > UV Maps), and bake.",
        )
    numbers = np.bincount(mesh.of) + 2 if len(mesh.of) else np.zeros(0, np.int64)
    starts = np.cumsum(numbers) - numbers
    of = np.repeat(np.arange(len(numbers), dtype=np.int32), numbers)
    yield
    normals = np.empty((len(numbers), 3), np.float32)
    for begin in range(0, len(normals), PIECE):
        first = starts[begin : begin + PIECE]
        a, b, c = (points[first + corner] for corner in range(3))
        normals[begin : begin + PIECE] = np.cross(b - a, c - a)
        yield
    try:
        faces = Faces(placed, mesh.vertices, starts, of, normals)
        return (yield from unwrapped(faces, SIDE, MARGIN))
    except ValueError as error:
        raise Unbakeable(
            f"{body.name} falls into too many pieces to be laid side by side.", "Unwrap it (U in Edit Mode), and bake."
        ) from error


def _own_colour(material: bpy.types.Material | None) -> tuple[float, float, float]:
    """What shows where no view sees the object: a plain base colour, or what Solid shading shows."""
    if material is None:
        return PLAIN
    colour: Any = material.diffuse_color
    nodes: Mapping[str, Any] = {} if material.node_tree is None else {n.bl_idname: n for n in material.node_tree.nodes}
    shader = nodes.get("ShaderNodeBsdfPrincipled")
    if shader is not None and not shader.inputs["Base Color"].is_linked:
        colour = shader.inputs["Base Color"].default_value
    red, green, blue = tuple(colour)[:3]
    return red, green, blue


def _apply(item: bpy.types.Object, bake: Bake, lit: bool) -> None:
    changes_mesh = bake.uvs is not None or not item.material_slots
    if changes_mesh and mesh_of(item).users > 1:
        item.data = mesh_of(item).copy()
    mesh: Any = item.data
    if bake.uvs is not None:
        _add_layer(mesh, bake)
    image = bpy.data.images.new(f"{item.name} Bake", 1, 1)
    image.source = "FILE"
    image.pack(data=bake.file, data_len=len(bake.file))
    material = _material(image, bake.layer, lit)
    if not item.material_slots:
        mesh.materials.append(None)
    for slot in item.material_slots:
        slot.link = "OBJECT"
        slot.material = material


def _add_layer(mesh: Any, bake: Bake) -> None:
    """New UVs beside those there are, which stay the active ones and those of renders."""
    active, rendered = mesh.uv_layers.active_index, next((one.name for one in mesh.uv_layers if one.active_render), "")
    layer = mesh.uv_layers.get(bake.layer) or mesh.uv_layers.new(name=bake.layer, do_init=False)
    layer.data.foreach_set("uv", bake.uvs.ravel())
    if rendered:
        mesh.uv_layers.active_index = active
        mesh.uv_layers[rendered].active_render = True


def _material(image: bpy.types.Image, layer: str, lit: bool) -> bpy.types.Material:
    """A plain one, which exporters know: the image is its base colour, or what it emits."""
    material = bpy.data.materials.new(image.name)
    ensure_nodes(material)
    tree: Any = material.node_tree
    shader = next(node for node in tree.nodes if node.bl_idname == "ShaderNodeBsdfPrincipled")
    texture, uvs = tree.nodes.new("ShaderNodeTexImage"), tree.nodes.new("ShaderNodeUVMap")
    texture.image, uvs.uv_map = image, layer
    shader.inputs["Roughness"].default_value, shader.inputs["Specular IOR Level"].default_value = 1.0, 0.0
    if not lit:
        shader.inputs["Base Color"].default_value = (0.0, 0.0, 0.0, 1.0)
        shader.inputs["Emission Strength"].default_value = 1.0
    tree.links.new(uvs.outputs[0], texture.inputs["Vector"])
    tree.links.new(texture.outputs["Color"], shader.inputs["Base Color" if lit else "Emission Color"])
    return material
