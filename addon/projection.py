# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture thrown from a camera onto what the camera saw, as a node group: no UVs, no scripts, Cycles and EEVEE alike.

A point of the surface is seen by the camera when it lies in the frame, faces the camera, and is no farther than what
the camera saw in that direction, which a float depth image tells. There the group emits the picture, so that a render
with the Standard view transform gives the picture back; elsewhere it passes on the shader it is given. The camera is
baked into the group as numbers: moving the shot's camera drags nothing along, and no projector can be deleted.
"""

from math import ceil
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from .layout import View
from .raster import NOTHING, Floats, rasterise

DEPTH_SIDE = 1024  # pixels of the depth image's longer side
BEYOND = 1e6  # depth where nothing is: a finite number, for image files and shaders
TOLERANCE = 1e-3  # of the depth, against rounding in shaders

Socket = Any  # bpy.types.NodeSocket
Term = Any  # a socket, a number, or a triple of numbers


def depth_image(triangles: Floats, view: View, name: str) -> bpy.types.Image:
    """The depths that ``view`` sees in its frame, as a packed float image, farthest of each pixel and its neighbours.

    The farthest, because a silhouette falls between pixels: of the two errors possible there, picture on a strip that
    is just hidden or none on a strip that is seen, an artist at the camera notices only the second.
    """
    longer = max(view.aspect, 1.0)
    width, height = ceil(DEPTH_SIDE * view.aspect / longer), ceil(DEPTH_SIDE / longer)
    raster = rasterise(triangles, np.full(len(triangles), NOTHING), view.lens, width, height)
    depth = _farthest(np.minimum(raster.depth, BEYOND))[::-1]
    image = bpy.data.images.new(name, width, height, float_buffer=True, is_data=True)
    pixels = np.ones((height, width, 4), dtype=np.float32)  # opaque: EEVEE divides by alpha
    pixels[:, :, :3] = depth[:, :, None]
    image.pixels.foreach_set(pixels.ravel())
    image.pack()
    return image


def projector(picture: bpy.types.Image, depth: bpy.types.Image, view: View, name: str) -> bpy.types.ShaderNodeTree:
    """A group with a shader in and a shader out, which shows ``picture`` where ``view`` sees the surface."""
    tree = bpy.data.node_groups.new(name, "ShaderNodeTree")
    tree.interface.new_socket("Shader", in_out="INPUT", socket_type="NodeSocketShader")
    tree.interface.new_socket("Shader", in_out="OUTPUT", socket_type="NodeSocketShader")
    nodes = tree.nodes
    own, out = nodes.new("NodeGroupInput"), nodes.new("NodeGroupOutput")
    geometry, emission, mix = (
        nodes.new(kind) for kind in ("ShaderNodeNewGeometry", "ShaderNodeEmission", "ShaderNodeMixShader")
    )
    place, away = _frame(tree, geometry.outputs["Position"], view)
    seen = _seen(tree, geometry, place, away, depth, view)
    tree.links.new(_texture(tree, picture, place, "Linear", "EXTEND"), emission.inputs["Color"])
    tree.links.new(seen, mix.inputs[0])
    tree.links.new(own.outputs[0], mix.inputs[1])
    tree.links.new(emission.outputs[0], mix.inputs[2])
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
    facing = _maths(tree, "GREATER_THAN", _facing(tree, geometry, view), 0.0)
    return _maths(tree, "MULTIPLY", _maths(tree, "MULTIPLY", nearest, before), facing)


def _facing(tree: bpy.types.ShaderNodeTree, geometry: bpy.types.Node, view: View) -> Socket:
    """Above 0 where the side of the surface that is being shaded faces the camera."""
    camera = np.linalg.inv(view.pose)
    if view.lens.perspective:
        toward = _vector(tree, "SUBTRACT", camera[:3, 3], geometry.outputs["Position"]).outputs["Vector"]
    else:
        toward = camera[:3, 2]
    return _vector(tree, "DOT_PRODUCT", geometry.outputs["True Normal"], toward).outputs["Value"]


def _affine(tree: bpy.types.ShaderNodeTree, position: Socket, row: NDArray[np.float64]) -> Socket:
    return _maths(tree, "ADD", _vector(tree, "DOT_PRODUCT", position, row[:3]).outputs["Value"], float(row[3]))


def _maths(tree: bpy.types.ShaderNodeTree, operation: str, *terms: Term) -> Socket:
    node = tree.nodes.new("ShaderNodeMath")
    node.operation = operation
    _feed(tree, node, terms)
    return node.outputs[0]


def _vector(tree: bpy.types.ShaderNodeTree, operation: str, *terms: Term) -> bpy.types.Node:
    node = tree.nodes.new("ShaderNodeVectorMath")
    node.operation = operation
    _feed(tree, node, terms)
    return node


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
