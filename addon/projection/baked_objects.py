# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects with what is projected onto them as an image over UVs: read as numbers, and given plain materials."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from ..camera.view import View
from ..capture.meshes import converted, fetch, forget, triangulate
from ..compat import ensure_nodes
from ..cooperative import Slices
from ..custom_properties import has
from ..messages.errors import LockedObject, Misfit
from ..raster.lens import Lens
from ..raster.triangles import Floats, Singles
from .baking import BakedView, Surface, baked, grid, png
from .materials import check
from .projectors import PROJECTED, PROJECTOR, forget_projections, is_on, projectors

SIDE = 2048  # texels
LAYER = "Maquette Bake"
LIGHT = 2.2  # of an object's own colour as pictures have it


@dataclass(frozen=True, eq=False)
class Bake:
    """What one object is given, by session id: ``uvs`` (corners, 2) and the ``file`` of its image."""

    uid: int
    uvs: Singles
    file: bytes


def bakeable(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The objects with a projection that is on. Raises Misfit, LockedObject."""
    shown = {str(one[PROJECTOR]["key"]) for one in projectors(scene) if is_on(one)}
    items = [one for one in scene.objects if has(one, PROJECTED) and shown & set(str(one[PROJECTED]).split())]
    if not items:
        raise Misfit("Nothing is projected.", "Press Project, or turn a view on, first.")
    for item in items:
        if item.type != "MESH":
            raise LockedObject(f"{item.name} is no mesh.", "Convert it to one (Object > Convert), and bake.", item.name)
        check([item, mesh_of(item)])
    return items


def baking(scene: bpy.types.Scene, graph: bpy.types.Depsgraph) -> Slices[tuple[Bake, ...]]:
    """What each of the ``bakeable`` is given; only numbers are kept between slices. Raises what that raises."""
    shown = [one for one in projectors(scene) if is_on(one)]
    views = {str(one[PROJECTOR]["key"]): _view(one) for one in shown}
    work = []
    for item in bakeable(scene):
        keys = sorted(key for key in str(item[PROJECTED]).split() if key in views)
        work.append((item.session_uid, _read(item, graph), [views[key] for key in keys]))
    yield
    bakes = []
    for uid, (surface, uvs), seen in work:
        image = yield from baked(surface, seen, SIDE)
        bakes.append(Bake(uid, uvs, (yield from png(image))))
    return tuple(bakes)


def apply_bakes(bakes: Sequence[Bake]) -> None:
    """Give the objects their images in place of what is projected onto them. Raises Misfit, before any change."""
    by_uid = {item.session_uid: item for item in bpy.data.objects}
    pairs = [(by_uid.get(bake.uid), bake) for bake in bakes]
    known = [(item, bake) for item, bake in pairs if item is not None and has(item, PROJECTED)]
    items = [item for item, bake in known if len(mesh_of(item).loops) == len(bake.uvs)]
    if len(items) != len(bakes):
        raise Misfit("An object has changed since Bake was pressed.", "Press it again.")
    lit = [_is_lit(item) for item in items]
    forget_projections(items)
    for item, bake, is_lit in zip(items, bakes, lit, strict=True):
        _apply(item, bake, is_lit)


def mesh_of(item: bpy.types.Object) -> bpy.types.Mesh:
    """The data of an object that is a mesh."""
    assert isinstance(item.data, bpy.types.Mesh), f"{item.name} is no mesh"
    return item.data


def _is_lit(item: bpy.types.Object) -> bool:
    keys = set(str(item[PROJECTED]).split())
    cameras = [one for one in bpy.data.objects if has(one, PROJECTOR)]
    return any(one[PROJECTOR].get("lit", False) for one in cameras if one[PROJECTOR]["key"] in keys)


def _view(projector: bpy.types.Object) -> BakedView:
    """A projector as numbers. Raises Misfit for one that an older Maquette set up."""
    record = projector[PROJECTOR]
    if "seen_from" not in record:
        raise Misfit(f"{projector.name} is from an older Maquette.", "Project its picture again, then bake.")
    pose, projection = np.array(record["seen_from"]).reshape(2, 4, 4)
    images = [node.image for node in record["group"].nodes if node.bl_idname == "ShaderNodeTexImage"]
    depth = next(image for image in images if image != record["picture"])
    view = View(pose, Lens(projection, 0.0, 0.0), record["aspect"])
    return BakedView(view, _pixels(record["picture"])[..., :3], _pixels(depth)[..., 0])


def _pixels(image: bpy.types.Image) -> Singles:
    width, height = image.size
    pixels = np.empty((height, width, 4), np.float32)
    buffer: Any = image.pixels  # one number, says its stub
    buffer.foreach_get(pixels.ravel())
    return pixels


def _read(item: bpy.types.Object, graph: bpy.types.Depsgraph) -> tuple[Surface, Singles]:
    """The surface as a render has it, and the UVs of its corners. Raises Misfit."""
    evaluated = item.evaluated_get(graph)
    mesh = converted(evaluated)
    try:
        return _surface(item, mesh, np.array(evaluated.matrix_world))
    except ValueError as error:
        raise Misfit(f"{item.name} has too many faces to bake.", "Remove its view, or simplify it.") from error
    finally:
        forget(evaluated)


def _surface(item: bpy.types.Object, mesh: bpy.types.Mesh, world: Floats) -> tuple[Surface, Singles]:
    if len(mesh.loops) != len(mesh_of(item).loops):
        raise Misfit(f"A modifier gives {item.name} other faces.", "Apply its modifiers, and bake.")
    triangulate(mesh)
    points, normals = np.empty((len(mesh.vertices), 3), np.float32), np.empty((len(mesh.loops), 3), np.float32)
    vertices, counts = np.empty(len(mesh.loops), np.int32), np.empty(len(mesh.polygons), np.int32)
    corners, flat = np.empty((len(mesh.loop_triangles), 3), np.int32), np.empty((len(mesh.polygons), 3), np.float32)
    fetch(mesh.vertices, "co", points.ravel())
    fetch(mesh.corner_normals, "vector", normals.ravel())
    fetch(mesh.loops, "vertex_index", vertices)
    fetch(mesh.polygons, "loop_total", counts)
    fetch(mesh.polygons, "normal", flat.ravel())
    fetch(mesh.loop_triangles, "loops", corners.ravel())
    turn = np.linalg.inv(world[:3, :3])  # of normals, from the right
    uvs = grid(points[vertices].astype(float), flat.astype(float), np.repeat(np.arange(len(counts)), counts), SIDE)
    placed = (points @ world[:3, :3].T + world[:3, 3])[vertices]
    if np.linalg.det(world[:3, :3]) < 0.0:
        corners = corners[:, ::-1]
    under = np.tile(np.array(_own_colour(item)) ** (1 / LIGHT), (len(corners), 1))
    return Surface(placed[corners], (normals @ turn)[corners], uvs[corners], under), uvs.astype(np.float32)


def _own_colour(item: bpy.types.Object) -> tuple[float, float, float]:
    """What shows where no view sees the object: its viewport colour, one an object."""
    material = item.material_slots[0].material if item.material_slots else None
    red, green, blue = (0.8, 0.8, 0.8) if material is None else tuple(material.diffuse_color)[:3]
    return red, green, blue


def _apply(item: bpy.types.Object, bake: Bake, lit: bool) -> None:
    if mesh_of(item).users > 1:
        item.data = mesh_of(item).copy()
    mesh: Any = item.data
    active, rendered = mesh.uv_layers.active_index, next((one.name for one in mesh.uv_layers if one.active_render), "")
    layer = mesh.uv_layers.get(LAYER) or mesh.uv_layers.new(name=LAYER, do_init=False)
    layer.data.foreach_set("uv", bake.uvs.ravel())
    if rendered:
        mesh.uv_layers.active_index = active
        mesh.uv_layers[rendered].active_render = True
    image = bpy.data.images.new(f"{item.name} Bake", 1, 1)
    image.source = "FILE"
    image.pack(data=bake.file, data_len=len(bake.file))
    material = _material(image, layer.name, lit)
    if not item.material_slots:
        mesh.materials.append(None)
    for slot in item.material_slots:
        slot.link = "OBJECT"
        slot.material = material


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
