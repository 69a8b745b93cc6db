# SPDX-License-Identifier: GPL-3.0-or-later
"""Shader nodes, made and linked: maths, textures, and groups of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import bpy
import numpy as np
from numpy.typing import NDArray

Tree: TypeAlias = bpy.types.ShaderNodeTree
Socket: TypeAlias = bpy.types.NodeSocket
Operand: TypeAlias = Socket | float | Sequence[float] | NDArray[np.float64]  # values are numbers and triples


def new_group(name: str, sockets: Mapping[str, str]) -> Tree:
    """A shader group with the same sockets in and out, their types by their names."""
    tree = bpy.data.node_groups.new(name, "ShaderNodeTree")
    assert isinstance(tree, bpy.types.ShaderNodeTree)
    for socket, kind in sockets.items():
        tree.interface.new_socket(socket, in_out="INPUT", socket_type=kind)
        tree.interface.new_socket(socket, in_out="OUTPUT", socket_type=kind)
    return tree


def nested(
    tree: Tree, name: str, operands: Sequence[Socket], build: Callable[[Tree, Sequence[Socket]], Socket]
) -> Socket:
    """What ``build`` makes of the operands, in a group of its own: Blender goes over all of a tree whenever it changes,
    so that several small ones are made in a third of the time of a large one."""
    group = bpy.data.node_groups.new(f"Maquette {name}", "ShaderNodeTree")
    assert isinstance(group, bpy.types.ShaderNodeTree)
    for index, operand in enumerate(operands):
        kind = "NodeSocketVector" if operand.type == "VECTOR" else "NodeSocketFloat"
        group.interface.new_socket(f"Operand {index}", in_out="INPUT", socket_type=kind)
    group.interface.new_socket("Value", in_out="OUTPUT", socket_type="NodeSocketFloat")
    given, out = new_node(group, "NodeGroupInput"), new_node(group, "NodeGroupOutput")
    group.links.new(build(group, list(given.outputs)[: len(operands)]), out.inputs[0])
    node = new_node(tree, "ShaderNodeGroup", node_tree=group)
    feed(tree, node, operands)
    return node.outputs[0]


def nested_groups(tree: Tree) -> Iterator[Tree]:
    """A group, and those inside it."""
    yield tree
    for node in tree.nodes:
        inner = getattr(node, "node_tree", None)
        if inner is not None:
            yield from nested_groups(inner)


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
