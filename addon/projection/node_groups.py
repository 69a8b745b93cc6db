# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures projected from cameras onto what they saw, as node groups: no UVs, no scripts, Cycles and EEVEE alike.

A point of the surface is visible to a camera when it lies in the frame, faces the camera, and is no farther than what
the camera saw in that direction, which a float depth image tells. There the newest picture wins, unless an older one
shows the surface much more finely, for its angle and distance. The pictures are emitted, so that a render with the
Standard view transform gives them back, or lit; where no camera saw anything the shader below shows. Cameras are baked
into the groups as numbers: moving the scene's camera drags nothing along.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import bpy
import numpy as np
from numpy.typing import NDArray

from ..camera.view import View

TOLERANCE = 1e-3  # of the depth, against rounding in shaders
COARSE, FINE = 0.2, 0.5  # of the older pictures' fineness: between them a picture fades into them
FEATHER = 0.06  # of the frame's side, from its edge
TINY = 1e-9

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

    In and out: the colour of the layers so far; 1 where one of them sees the surface, else 0; and how finely it does.
    A picture gives way to the older ones where it shows the surface more coarsely than they, and towards its frame's
    edges, smoothly; to none that is no better: a second one from the same camera leaves nothing of the first.
    """
    tree = _new_group(name, {"Color": "NodeSocketColor", "Seen": "NodeSocketFloat", "Fineness": "NodeSocketFloat"})
    older, out = _new_node(tree, "NodeGroupInput"), _new_node(tree, "NodeGroupOutput")
    geometry = _new_node(tree, "ShaderNodeNewGeometry")
    position, distance = _frame(tree, geometry.outputs["Position"], view)
    visible = _visible(tree, geometry, position, distance, depth, view)
    fineness = _fineness(tree, geometry, position, distance, view)
    loss = _maths(tree, "SUBTRACT", _advantage(tree, fineness, older.outputs["Fineness"]), 1.0)
    share = _maths(tree, "MULTIPLY", visible, _maths(tree, "MULTIPLY_ADD", older.outputs["Seen"], loss, 1.0))
    painted = _texture(tree, picture, position, "Linear", "EXTEND")
    change = _vector(tree, "SUBTRACT", painted, older.outputs["Color"])
    mixed = _vector(tree, "MULTIPLY_ADD", change, share, older.outputs["Color"])
    finer = _maths(tree, "SUBTRACT", fineness, older.outputs["Fineness"])
    tree.links.new(mixed, out.inputs["Color"])
    tree.links.new(_maths(tree, "MAXIMUM", older.outputs["Seen"], visible), out.inputs["Seen"])
    tree.links.new(_maths(tree, "MULTIPLY_ADD", finer, share, older.outputs["Fineness"]), out.inputs["Fineness"])
    return tree


def stack(layers: Sequence[Tree], name: str, lit: bool = False) -> Tree:
    """A group with a shader in and a shader out: ``layers``, oldest first, over the shader.

    Their colours are emitted; or, ``lit``, they are the colours of a dull surface on which the scene's lights shine.
    """
    tree = _new_group(name, {"Shader": "NodeSocketShader"})
    own, out = _new_node(tree, "NodeGroupInput"), _new_node(tree, "NodeGroupOutput")
    painted = _new_node(tree, "ShaderNodeBsdfDiffuse" if lit else "ShaderNodeEmission")
    mix = _new_node(tree, "ShaderNodeMixShader")
    below: tuple[Socket, ...] = ()
    for group in layers:
        node = _new_node(tree, "ShaderNodeGroup", node_tree=group)
        _feed(tree, node, below)
        below = tuple(node.outputs)
    colour, visible = below[:2]
    tree.links.new(colour, painted.inputs["Color"])
    for output, socket in zip((visible, own.outputs[0], painted.outputs[0]), mix.inputs, strict=True):
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


def _fineness(tree: Tree, geometry: bpy.types.Node, position: Socket, distance: Socket, view: View) -> Socket:
    """How much of the frame a piece of the surface takes up: more where it is near and faces the camera squarely. It
    falls to nothing towards the frame's edges, so that no edge is seen where an older picture goes on."""
    facing = _maths(tree, "MAXIMUM", _facing(tree, geometry, "Normal", view), 0.0)
    scale = abs(float(view.lens.projection[0, 0]))
    dense = _maths(tree, "DIVIDE", scale, distance) if view.lens.perspective else scale
    centred = _vector(tree, "ABSOLUTE", _vector(tree, "SUBTRACT", position, (0.5, 0.5, 0.0)))
    within = _new_node(tree, "ShaderNodeSeparateXYZ")
    tree.links.new(centred, within.inputs[0])
    inside = _maths(tree, "SUBTRACT", 0.5, _maths(tree, "MAXIMUM", within.outputs[0], within.outputs[1]))
    return _maths(tree, "MULTIPLY", _maths(tree, "MULTIPLY", facing, dense), _smooth(tree, inside, 0.0, FEATHER))


def _advantage(tree: Tree, fineness: Socket, older: Socket) -> Socket:
    """1 where a picture is about as fine as the older ones, or finer, falling smoothly to 0 where it is far coarser."""
    ahead = _maths(tree, "MULTIPLY_ADD", older, -COARSE, fineness)
    band = _maths(tree, "MULTIPLY_ADD", older, FINE - COARSE, TINY)
    return _smooth(tree, _maths(tree, "DIVIDE", ahead, band), 0.0, 1.0)


def _smooth(tree: Tree, value: Socket, low: float, high: float) -> Socket:
    """0 up to ``low``, 1 from ``high`` on, and smoothly between."""
    between = _new_node(tree, "ShaderNodeMapRange", interpolation_type="SMOOTHSTEP")
    _feed(tree, between, (value, low, high, 0.0, 1.0))
    return between.outputs["Result"]


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
