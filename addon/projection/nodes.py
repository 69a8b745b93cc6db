# SPDX-License-Identifier: GPL-3.0-or-later
"""Shader nodes, made and linked: maths, textures, and groups of them."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import bpy
import numpy as np
from numpy.typing import NDArray

Tree: TypeAlias = bpy.types.ShaderNodeTree
Socket: TypeAlias = bpy.types.NodeSocket
Operand: TypeAlias = Socket | float | Sequence[float] | NDArray[np.float64]  # values are numbers and triples


def new_group(name: str, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> Tree:
    """A shader group with these sockets, their types by their names."""
    tree = bpy.data.node_groups.new(name, "ShaderNodeTree")
    assert isinstance(tree, bpy.types.ShaderNodeTree)
    for socket, kind in inputs.items():
        tree.interface.new_socket(socket, in_out="INPUT", socket_type=kind)
    for socket, kind in outputs.items():
        tree.interface.new_socket(socket, in_out="OUTPUT", socket_type=kind)
    return tree


def images_of(tree: Tree) -> list[bpy.types.Image]:
    """The images of a group and of those inside it."""
    images: list[bpy.types.Image] = []
    for node in tree.nodes:
        if isinstance(node, bpy.types.ShaderNodeTexImage) and node.image is not None:
            images.append(node.image)
        elif isinstance(node, bpy.types.ShaderNodeGroup) and isinstance(node.node_tree, bpy.types.ShaderNodeTree):
            images += images_of(node.node_tree)
    return images


def new_node(tree: Tree, kind: str, **settings: object) -> bpy.types.Node:
    """A node of that kind, by Blender's name, and its settings."""
    node = tree.nodes.new(kind)
    for name, value in settings.items():
        setattr(node, name, value)
    return node


def between(tree: Tree, low: Socket, high: Socket, share: Socket) -> Socket:
    """The low one where the share is 0, the high one where it is 1."""
    return maths(tree, "MULTIPLY_ADD", maths(tree, "SUBTRACT", high, low), share, low)


def channel(tree: Tree, colour: Socket, index: int) -> Socket:
    """A colour's red, green or blue."""
    parts = new_node(tree, "ShaderNodeSeparateColor")
    tree.links.new(colour, parts.inputs[0])
    return parts.outputs[index]


def smoothstep(tree: Tree, value: Socket, low: float, high: float) -> Socket:
    """0 up to ``low``, 1 from ``high`` on, and smoothly between."""
    node = new_node(tree, "ShaderNodeMapRange", interpolation_type="SMOOTHSTEP")
    feed(tree, node, (value, low, high, 0.0, 1.0))
    return node.outputs["Result"]


def affine(tree: Tree, point: Socket, row: NDArray[np.float64]) -> Socket:
    """One coordinate of where a row (4,) of a matrix takes a point."""
    return maths(tree, "ADD", vector(tree, "DOT_PRODUCT", point, row[:3]), float(row[3]))


def maths(tree: Tree, operation: str, *operands: Operand) -> Socket:
    """The result of an operation on numbers, by Blender's name."""
    node = new_node(tree, "ShaderNodeMath", operation=operation)
    feed(tree, node, operands)
    return node.outputs[0]


def vector(tree: Tree, operation: str, *operands: Operand) -> Socket:
    """The result of an operation on vectors, by Blender's name."""
    node = new_node(tree, "ShaderNodeVectorMath", operation=operation)
    feed(tree, node, operands)
    return node.outputs["Value" if operation == "DOT_PRODUCT" else "Vector"]


def feed(tree: Tree, node: bpy.types.Node, operands: Sequence[Operand]) -> None:
    """Links and values for a node's inputs. Blender hides those that an operation does not use."""
    for socket, operand in zip(node.inputs, operands, strict=False):
        if isinstance(operand, bpy.types.NodeSocket):
            tree.links.new(operand, socket)
        else:
            valued: Any = socket  # only the many classes of sockets that have a value know it
            valued.default_value = operand


def texture(tree: Tree, image: bpy.types.Image, position: Socket, interpolation: str) -> Socket:
    """The colour of an image at a position in 0..1; outside it goes on as at its edge."""
    node = new_node(tree, "ShaderNodeTexImage", image=image, interpolation=interpolation, extension="EXTEND")
    tree.links.new(position, node.inputs["Vector"])
    return node.outputs["Color"]
