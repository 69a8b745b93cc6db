# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures thrown from cameras onto what the cameras saw, as node groups: no UVs, no scripts, Cycles and EEVEE alike.

A point of the surface is seen by a camera when it lies in the frame, faces the camera, and is no farther than what the
camera saw in that direction, which a float depth image tells. There the newest picture wins, unless it would only graze
a surface that an older one shows too. The pictures are emitted, so that a render with the Standard view transform gives
them back; where no camera saw anything the shader below shows. Cameras are baked into the groups as numbers: moving the
shot's camera drags nothing along.
"""

from collections.abc import Sequence
from math import ceil
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..camera.view import View
from ..raster.rasterise import rasterise
from ..raster.triangles import Triangles
from ..raster.zbuffer import NOTHING

DEPTH_SIDE = 1024  # pixels of the depth image's longer side
BEYOND = 1e6  # depth where nothing is: a finite number, for image files and shaders
TOLERANCE = 1e-3  # of the depth, against rounding in shaders
GRAZING, SQUARE = 0.1, 0.4  # cosines, 84° and 66°: between them a picture fades into the older ones

Socket = Any  # bpy.types.NodeSocket
Term = Any  # a socket, a number, or a triple of numbers


def depth_image(triangles: Triangles, view: View, name: str) -> bpy.types.Image:
    """The depths of the regions that ``view`` sees, as a packed float image, farthest of each pixel and its neighbours.

    The farthest, because a silhouette falls between pixels: of the two errors possible there, picture on a strip that
    is just hidden or none on a strip that is seen, an artist at the camera notices only the second. Where what is seen
    is no region the depth is 0 and nothing is nearer: another instance of a region's object stays as it is.
    """
    longer = max(view.aspect, 1.0)
    width, height = ceil(DEPTH_SIDE * view.aspect / longer), ceil(DEPTH_SIDE / longer)
    raster = rasterise(triangles, view.lens, width, height)
    foreign = (raster.owners == NOTHING) & np.isfinite(raster.depth)
    depth = _farthest(np.where(foreign, 0.0, np.minimum(raster.depth, BEYOND)))[::-1]
    image = bpy.data.images.new(name, width, height, float_buffer=True, is_data=True)
    pixels = np.ones((height, width, 4), dtype=np.float32)  # opaque: EEVEE divides by alpha
    pixels[:, :, :3] = depth[:, :, None]
    image.pixels.foreach_set(pixels.ravel())
    image.pack()
    return image


def layer(picture: bpy.types.Image, depth: bpy.types.Image, view: View, name: str) -> bpy.types.ShaderNodeTree:
    """A group that lays ``picture`` over older ones where ``view`` sees the surface.

    In and out: the colour of the layers so far, and 1 where one of them sees the surface, else 0.
    """
    tree = bpy.data.node_groups.new(name, "ShaderNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Color", in_out=way, socket_type="NodeSocketColor")
        tree.interface.new_socket("Seen", in_out=way, socket_type="NodeSocketFloat")
    older, out, geometry = (
        tree.nodes.new(kind) for kind in ("NodeGroupInput", "NodeGroupOutput", "ShaderNodeNewGeometry")
    )
    place, away = _frame(tree, geometry.outputs["Position"], view)
    seen = _seen(tree, geometry, place, away, depth, view)
    loss = _loss(tree, _facing(tree, geometry, "Normal", view))
    share = _maths(tree, "MULTIPLY", seen, _maths(tree, "MULTIPLY_ADD", older.outputs["Seen"], loss, 1.0))
    painted = _texture(tree, picture, place, "Linear", "EXTEND")
    change = _vector(tree, "SUBTRACT", painted, older.outputs["Color"])
    mixed = _vector(tree, "MULTIPLY_ADD", change, share, older.outputs["Color"])
    tree.links.new(mixed, out.inputs["Color"])
    tree.links.new(_maths(tree, "MAXIMUM", older.outputs["Seen"], seen), out.inputs["Seen"])
    return tree


def stack(layers: Sequence[bpy.types.ShaderNodeTree], name: str) -> bpy.types.ShaderNodeTree:
    """A group with a shader in and a shader out: ``layers``, oldest first, over the shader."""
    tree = bpy.data.node_groups.new(name, "ShaderNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Shader", in_out=way, socket_type="NodeSocketShader")
    own, out, emission, mix = (
        tree.nodes.new(kind)
        for kind in ("NodeGroupInput", "NodeGroupOutput", "ShaderNodeEmission", "ShaderNodeMixShader")
    )
    below: tuple[Socket, ...] = ()
    for group in layers:
        node = tree.nodes.new("ShaderNodeGroup")
        node.node_tree = group
        _feed(tree, node, below)
        below = tuple(node.outputs)
    colour, seen = below
    tree.links.new(colour, emission.inputs["Color"])
    for term, socket in zip((seen, own.outputs[0], emission.outputs[0]), mix.inputs, strict=True):
        tree.links.new(term, socket)
    tree.links.new(mix.outputs[0], out.inputs[0])
    return tree


def splice(material: bpy.types.Material, group: bpy.types.ShaderNodeTree) -> None:
    """Put ``group`` between the material's own shaders and its outputs; what has no surface stays as it is."""
    tree = material.node_tree
    for output in [node for node in tree.nodes if node.bl_idname == "ShaderNodeOutputMaterial"]:
        surface = output.inputs["Surface"]
        if surface.is_linked:
            node = tree.nodes.new("ShaderNodeGroup")
            node.node_tree = group
            node.location = (output.location.x, output.location.y + 150)
            tree.links.new(surface.links[0].from_socket, node.inputs[0])
            tree.links.new(node.outputs[0], surface)


def _frame(tree: bpy.types.ShaderNodeTree, position: Socket, view: View) -> tuple[Socket, Socket]:
    """Where in the frame ``position`` is, (0, 0) the left bottom corner and (1, 1) the right top one, and its depth."""
    clip = view.lens.projection @ view.pose
    w = _affine(tree, position, clip[3])
    u, v = (
        _maths(tree, "MULTIPLY_ADD", _maths(tree, "DIVIDE", _affine(tree, position, row), w), 0.5, 0.5)
        for row in clip[:2]
    )
    place = tree.nodes.new("ShaderNodeCombineXYZ")
    tree.links.new(u, place.inputs[0])
    tree.links.new(v, place.inputs[1])
    return place.outputs[0], _affine(tree, position, -view.pose[2])


def _seen(
    tree: bpy.types.ShaderNodeTree, geometry: bpy.types.Node, place: Socket, away: Socket, depth: Any, view: View
) -> Socket:
    """1 where the camera sees the surface, else 0. Outside the frame the depth image reads 0: nothing is nearer."""
    limit = _maths(tree, "MULTIPLY", _texture(tree, depth, place, "Closest", "CLIP"), 1.0 + TOLERANCE)
    nearest = _maths(tree, "LESS_THAN", away, limit)
    before = _maths(tree, "GREATER_THAN", away, 0.0)
    facing = _maths(tree, "GREATER_THAN", _facing(tree, geometry, "True Normal", view), 0.0)
    return _maths(tree, "MULTIPLY", _maths(tree, "MULTIPLY", nearest, before), facing)


def _facing(tree: bpy.types.ShaderNodeTree, geometry: bpy.types.Node, normal: str, view: View) -> Socket:
    """The cosine between ``normal`` and the way to the camera: above 0 where the side being shaded faces it."""
    camera = np.linalg.inv(view.pose)
    if view.lens.perspective:
        toward = _vector(tree, "NORMALIZE", _vector(tree, "SUBTRACT", camera[:3, 3], geometry.outputs["Position"]))
    else:
        toward = camera[:3, 2]
    return _vector(tree, "DOT_PRODUCT", geometry.outputs[normal], toward)


def _loss(tree: bpy.types.ShaderNodeTree, facing: Socket) -> Socket:
    """0 where the surface is seen squarely, falling smoothly to -1 where it is only grazed."""
    fade = tree.nodes.new("ShaderNodeMapRange")
    fade.interpolation_type = "SMOOTHSTEP"
    _feed(tree, fade, (facing, GRAZING, SQUARE, -1.0, 0.0))
    return fade.outputs["Result"]


def _affine(tree: bpy.types.ShaderNodeTree, position: Socket, row: NDArray[np.float64]) -> Socket:
    return _maths(tree, "ADD", _vector(tree, "DOT_PRODUCT", position, row[:3]), float(row[3]))


def _maths(tree: bpy.types.ShaderNodeTree, operation: str, *terms: Term) -> Socket:
    node = tree.nodes.new("ShaderNodeMath")
    node.operation = operation
    _feed(tree, node, terms)
    return node.outputs[0]


def _vector(tree: bpy.types.ShaderNodeTree, operation: str, *terms: Term) -> Socket:
    node = tree.nodes.new("ShaderNodeVectorMath")
    node.operation = operation
    _feed(tree, node, terms)
    return node.outputs["Value" if operation == "DOT_PRODUCT" else "Vector"]


def _feed(tree: bpy.types.ShaderNodeTree, node: bpy.types.Node, terms: tuple[Term, ...]) -> None:
    for socket, term in zip(node.inputs, terms, strict=False):  # Blender hides the inputs an operation does not use
        if isinstance(term, bpy.types.NodeSocket):
            tree.links.new(term, socket)
        else:
            socket.default_value = term


def _texture(tree: bpy.types.ShaderNodeTree, image: Any, place: Socket, interpolation: str, extension: str) -> Socket:
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image, node.interpolation, node.extension = image, interpolation, extension
    tree.links.new(place, node.inputs["Vector"])
    return node.outputs["Color"]


def _farthest(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """The largest value of each pixel's 3 x 3 neighbourhood."""
    height, width = depth.shape
    padded = np.pad(depth, 1, mode="edge")
    shifted = [padded[y : y + height, x : x + width] for y in range(3) for x in range(3)]
    largest: NDArray[np.float32] = np.max(shifted, axis=0)
    return largest
