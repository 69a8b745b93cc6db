# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures projected from cameras onto what they saw, as node groups: no UVs, no scripts, Cycles and EEVEE alike.

A point of the surface is visible to a camera when it lies in the frame, faces the camera, and is no farther than what
the camera saw in that direction, which a float depth image tells. There the newest picture wins, unless it would only
graze a surface that an older one shows too. The pictures are emitted, so that a render with the Standard view transform
gives them back; where no camera saw anything the shader below shows. Cameras are baked into the groups as numbers:
moving the scene's camera drags nothing along.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import bpy
import numpy as np
from numpy.typing import NDArray

from ..camera.view import View

TOLERANCE = 1e-3  # of the depth, against rounding in shaders
GRAZING, SQUARE = 0.1, 0.4  # cosines, 84° and 66°: between them a picture fades into the older ones

Tree: TypeAlias = bpy.types.ShaderNodeTree
Socket: TypeAlias = bpy.types.NodeSocket
Operand: TypeAlias = Socket | float | Sequence[float] | NDArray[np.float64]  # values are numbers and triples


def depth_image(file: bytes, name: str) -> bpy.types.Image:
    """A file of depths as an image, packed; Blender reads it when it is first needed."""
    image = bpy.data.images.new(name, 1, 1, float_buffer=True, is_data=True)
    image.source = "FILE"
    image.pack(data=file, data_len=len(file))
    return image


def layer(picture: bpy.types.Image, depth: bpy.types.Image, view: View, name: str) -> Tree:
    """A group that lays ``picture`` over older ones where ``view`` sees the surface.

    In and out: the colour of the layers so far, and 1 where one of them sees the surface, else 0.
    """
    tree = _new_group(name, {"Color": "NodeSocketColor", "Seen": "NodeSocketFloat"})
    older, out = _new_node(tree, "NodeGroupInput"), _new_node(tree, "NodeGroupOutput")
    geometry = _new_node(tree, "ShaderNodeNewGeometry")
    position, distance = _frame(tree, geometry.outputs["Position"], view)
    visible = _visible(tree, geometry, position, distance, depth, view)
    loss = _loss(tree, _facing(tree, geometry, "Normal", view))
    share = _maths(tree, "MULTIPLY", visible, _maths(tree, "MULTIPLY_ADD", older.outputs["Seen"], loss, 1.0))
    painted = _texture(tree, picture, position, "Linear", "EXTEND")
    change = _vector(tree, "SUBTRACT", painted, older.outputs["Color"])
    mixed = _vector(tree, "MULTIPLY_ADD", change, share, older.outputs["Color"])
    tree.links.new(mixed, out.inputs["Color"])
    tree.links.new(_maths(tree, "MAXIMUM", older.outputs["Seen"], visible), out.inputs["Seen"])
    return tree


def stack(layers: Sequence[Tree], name: str) -> Tree:
    """A group with a shader in and a shader out: ``layers``, oldest first, over the shader."""
    tree = _new_group(name, {"Shader": "NodeSocketShader"})
    own, out = _new_node(tree, "NodeGroupInput"), _new_node(tree, "NodeGroupOutput")
    emission, mix = _new_node(tree, "ShaderNodeEmission"), _new_node(tree, "ShaderNodeMixShader")
    below: tuple[Socket, ...] = ()
    for group in layers:
        node = _new_node(tree, "ShaderNodeGroup", node_tree=group)
        _feed(tree, node, below)
        below = tuple(node.outputs)
    colour, visible = below
    tree.links.new(colour, emission.inputs["Color"])
    for output, socket in zip((visible, own.outputs[0], emission.outputs[0]), mix.inputs, strict=True):
        tree.links.new(output, socket)
    tree.links.new(mix.outputs[0], out.inputs[0])
    return tree


def splice(material: bpy.types.Material, group: Tree) -> None:
    """Put ``group`` between the material's own shaders and its outputs; what has no surface stays as it is."""
    tree = material.node_tree
    assert tree is not None, "a material that is projected on has nodes"
    for output in [node for node in tree.nodes if node.bl_idname == "ShaderNodeOutputMaterial"]:
        surface = output.inputs["Surface"]
        shader = surface.links[0].from_socket if surface.is_linked and surface.links else None
        if shader is not None:
            node = _new_node(tree, "ShaderNodeGroup", node_tree=group)
            node.location = (output.location.x, output.location.y + 150)
            tree.links.new(shader, node.inputs[0])
            tree.links.new(node.outputs[0], surface)


def _new_group(name: str, sockets: Mapping[str, str]) -> Tree:
    """A shader group with the same sockets in and out, their types by their names."""
    tree = bpy.data.node_groups.new(name, "ShaderNodeTree")
    assert isinstance(tree, bpy.types.ShaderNodeTree)
    for socket, kind in sockets.items():
        tree.interface.new_socket(socket, in_out="INPUT", socket_type=kind)
        tree.interface.new_socket(socket, in_out="OUTPUT", socket_type=kind)
    return tree


def _new_node(tree: Tree, kind: str, **settings: object) -> bpy.types.Node:
    node = tree.nodes.new(kind)
    for name, value in settings.items():
        setattr(node, name, value)
    return node


def _frame(tree: Tree, surface: Socket, view: View) -> tuple[Socket, Socket]:
    """Where in the frame ``surface`` is, (0, 0) the left bottom corner and (1, 1) the right top one, and its depth."""
    clip = view.lens.projection @ view.pose
    w = _affine(tree, surface, clip[3])
    u, v = (
        _maths(tree, "MULTIPLY_ADD", _maths(tree, "DIVIDE", _affine(tree, surface, row), w), 0.5, 0.5)
        for row in clip[:2]
    )
    position = _new_node(tree, "ShaderNodeCombineXYZ")
    tree.links.new(u, position.inputs[0])
    tree.links.new(v, position.inputs[1])
    return position.outputs[0], _affine(tree, surface, -view.pose[2])


def _visible(
    tree: Tree, geometry: bpy.types.Node, position: Socket, distance: Socket, depth: bpy.types.Image, view: View
) -> Socket:
    """1 where the camera sees the surface, else 0. Outside the frame the depth image reads 0: nothing is nearer."""
    limit = _maths(tree, "MULTIPLY", _texture(tree, depth, position, "Closest", "CLIP"), 1.0 + TOLERANCE)
    nearest = _maths(tree, "LESS_THAN", distance, limit)
    ahead = _maths(tree, "GREATER_THAN", distance, 0.0)
    facing = _maths(tree, "GREATER_THAN", _facing(tree, geometry, "True Normal", view), 0.0)
    return _maths(tree, "MULTIPLY", _maths(tree, "MULTIPLY", nearest, ahead), facing)


def _facing(tree: Tree, geometry: bpy.types.Node, normal: str, view: View) -> Socket:
    """The cosine between ``normal`` and the way to the camera: above 0 where the side being shaded faces it."""
    camera = np.linalg.inv(view.pose)
    toward: Operand = camera[:3, 2]
    if view.lens.perspective:
        toward = _vector(tree, "NORMALIZE", _vector(tree, "SUBTRACT", camera[:3, 3], geometry.outputs["Position"]))
    return _vector(tree, "DOT_PRODUCT", geometry.outputs[normal], toward)


def _loss(tree: Tree, facing: Socket) -> Socket:
    """0 where the surface faces the camera squarely, falling smoothly to -1 where it is only grazed."""
    fade = _new_node(tree, "ShaderNodeMapRange", interpolation_type="SMOOTHSTEP")
    _feed(tree, fade, (facing, GRAZING, SQUARE, -1.0, 0.0))
    return fade.outputs["Result"]


def _affine(tree: Tree, point: Socket, row: NDArray[np.float64]) -> Socket:
    return _maths(tree, "ADD", _vector(tree, "DOT_PRODUCT", point, row[:3]), float(row[3]))


def _maths(tree: Tree, operation: str, *operands: Operand) -> Socket:
    node = _new_node(tree, "ShaderNodeMath", operation=operation)
    _feed(tree, node, operands)
    return node.outputs[0]


def _vector(tree: Tree, operation: str, *operands: Operand) -> Socket:
    node = _new_node(tree, "ShaderNodeVectorMath", operation=operation)
    _feed(tree, node, operands)
    return node.outputs["Value" if operation == "DOT_PRODUCT" else "Vector"]


def _feed(tree: Tree, node: bpy.types.Node, operands: Sequence[Operand]) -> None:
    """Links and values for a node's inputs. Blender hides those that an operation does not use."""
    for socket, operand in zip(node.inputs, operands, strict=False):
        if isinstance(operand, bpy.types.NodeSocket):
            tree.links.new(operand, socket)
        else:
            valued: Any = socket  # only the many classes of sockets that have a value know it
            valued.default_value = operand


def _texture(tree: Tree, image: bpy.types.Image, position: Socket, interpolation: str, extension: str) -> Socket:
    node = _new_node(tree, "ShaderNodeTexImage", image=image, interpolation=interpolation, extension=extension)
    tree.links.new(position, node.inputs["Vector"])
    return node.outputs["Color"]
