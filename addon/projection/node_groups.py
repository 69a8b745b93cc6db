# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures projected from cameras onto what they saw, as node groups: no UVs, no scripts, Cycles and EEVEE alike.

A point of the surface is visible to a camera when it lies in the frame, faces the camera, and is no farther than what
the camera saw in that direction, which a float depth image tells; the edges of that are soft. There the newest picture
wins, unless an older one shows the surface much more finely, for its angle and distance, or the point lies beside a
silhouette, where the picture may show what is on the other side. The pictures are emitted, so that a render with the
Standard view transform gives them back, or lit; where no camera saw anything the shader below shows. Cameras are baked
into the groups as numbers: moving the scene's camera drags nothing along.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import bpy
import numpy as np
from numpy.typing import NDArray

from ..camera.view import View
from .depth import depth_grid

TOLERANCE = 1e-3  # of the depth, against rounding in shaders
COARSE, FINE = 0.1, 0.6  # of the older pictures' fineness: between them a picture fades into them
FEATHER = 0.25  # of the frame's side, from its edge
GRAZING, SQUARE = 0.03, 0.2  # cosines from which a surface, and a flat piece of it, faces a camera for certain
TINY = 1e-9
SOCKETS = {  # of a layer, in and out; the first two are those of an older Maquette's
    "Color": "NodeSocketColor",
    "Seen": "NodeSocketFloat",
    "Presence": "NodeSocketFloat",
    "Fineness": "NodeSocketFloat",
}

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

    In and out: the colour of the layers so far; ``Seen``, 1 where one of them sees the surface, else 0; ``Presence``,
    the same but falling to 0 towards their frames' edges and silhouettes; and ``Fineness``, how finely what is shown
    shows it. A picture gives way to older ones towards its frame's edges and silhouettes, and where they are finer; not
    to one that is no better: a second one from the same camera leaves nothing of the first. With presences p of the
    older ones and e of its own, and its advantage a, its share is min(1, e / p) a + (1 - min(1, p / e)) (1 - a): all of
    it where the others end, nothing where it ends itself, and no step between.
    """
    tree = _new_group(name, SOCKETS)
    older, out = _new_node(tree, "NodeGroupInput"), _new_node(tree, "NodeGroupOutput")
    geometry = _new_node(tree, "ShaderNodeNewGeometry")
    position, distance = _frame(tree, geometry.outputs["Position"], view)
    inside = _inside(tree, position)
    visible = _visible(tree, geometry, distance, _nearest(tree, position, inside, distance, depth, view), view)
    fineness, presence = _fineness(tree, geometry, distance, view), _presence(tree, position, inside, depth)
    before, finer = older.outputs["Presence"], older.outputs["Fineness"]
    share = _maths(tree, "MULTIPLY", visible, _share(tree, presence, before, _advantage(tree, fineness, finer)))
    painted = _texture(tree, picture, position, "Linear")
    change = _vector(tree, "SUBTRACT", painted, older.outputs["Color"])
    results = {
        "Color": _vector(tree, "MULTIPLY_ADD", change, share, older.outputs["Color"]),
        "Seen": _maths(tree, "MAXIMUM", older.outputs["Seen"], visible),
        "Presence": _maths(tree, "MAXIMUM", before, _maths(tree, "MULTIPLY", visible, presence)),
        "Fineness": _maths(tree, "MULTIPLY_ADD", _maths(tree, "SUBTRACT", fineness, finer), share, finer),
    }
    for socket, value in results.items():
        tree.links.new(value, out.inputs[socket])
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


def _visible(tree: Tree, geometry: bpy.types.Node, distance: Socket, nearest: Socket, view: View) -> Socket:
    """1 where the camera sees the surface, else 0; between them at edges."""
    ahead = _maths(tree, "GREATER_THAN", distance, 0.0)
    flat, smooth = (_facing(tree, geometry, normal, view) for normal in ("True Normal", "Normal"))
    facing = _maths(tree, "GREATER_THAN", flat, 0.0)
    soft = _maths(tree, "MAXIMUM", _smooth(tree, smooth, 0.0, GRAZING), _smooth(tree, flat, 0.0, SQUARE))
    return _maths(tree, "MULTIPLY", _maths(tree, "MULTIPLY", nearest, ahead), _maths(tree, "MULTIPLY", facing, soft))


def _nearest(
    tree: Tree, position: Socket, inside: Socket, distance: Socket, depth: bpy.types.Image, view: View
) -> Socket:
    """1 in the frame where nothing is nearer, asked of the four pixels of ``depth`` around a position, and between
    their answers."""
    size = (*depth_grid(view), 1.0)
    pixels = _vector(tree, "SUBTRACT", _vector(tree, "MULTIPLY", position, size), (0.5, 0.5, 0.0))
    share = _new_node(tree, "ShaderNodeSeparateXYZ")
    tree.links.new(_vector(tree, "FRACTION", pixels), share.inputs[0])
    low = _vector(tree, "FLOOR", pixels)
    rows = []
    for up in (0.5, 1.5):
        answers = []
        for across in (0.5, 1.5):
            pixel = _vector(tree, "DIVIDE", _vector(tree, "ADD", low, (across, up, 0.0)), size)
            limit = _maths(tree, "MULTIPLY", _red(tree, _texture(tree, depth, pixel, "Closest")), 1.0 + TOLERANCE)
            answers.append(_maths(tree, "LESS_THAN", distance, limit))
        rows.append(_between(tree, *answers, share.outputs[0]))
    within = _maths(tree, "GREATER_THAN", inside, 0.0)
    return _maths(tree, "MULTIPLY", _between(tree, *rows, share.outputs[1]), within)


def _between(tree: Tree, low: Socket, high: Socket, share: Socket) -> Socket:
    return _maths(tree, "MULTIPLY_ADD", _maths(tree, "SUBTRACT", high, low), share, low)


def _red(tree: Tree, colour: Socket, channel: int = 0) -> Socket:
    """A colour's red, or another channel."""
    parts = _new_node(tree, "ShaderNodeSeparateColor")
    tree.links.new(colour, parts.inputs[0])
    return parts.outputs[channel]


def _facing(tree: Tree, geometry: bpy.types.Node, normal: str, view: View) -> Socket:
    """The cosine between ``normal`` and the way to the camera: above 0 where the side being shaded faces it."""
    camera = np.linalg.inv(view.pose)
    toward: Operand = camera[:3, 2]
    if view.lens.perspective:
        toward = _vector(tree, "NORMALIZE", _vector(tree, "SUBTRACT", camera[:3, 3], geometry.outputs["Position"]))
    return _vector(tree, "DOT_PRODUCT", geometry.outputs[normal], toward)


def _fineness(tree: Tree, geometry: bpy.types.Node, distance: Socket, view: View) -> Socket:
    """How much of the frame a piece of the surface takes up: more where it is near and faces the camera squarely."""
    facing = _maths(tree, "MAXIMUM", _facing(tree, geometry, "Normal", view), 0.0)
    scale = abs(float(view.lens.projection[0, 0]))
    dense = _maths(tree, "DIVIDE", scale, distance) if view.lens.perspective else scale
    return _maths(tree, "MULTIPLY", facing, dense)


def _inside(tree: Tree, position: Socket) -> Socket:
    """How far from the frame's edges a position is, of its side; below 0 outside."""
    centred = _vector(tree, "ABSOLUTE", _vector(tree, "SUBTRACT", position, (0.5, 0.5, 0.0)))
    across = _new_node(tree, "ShaderNodeSeparateXYZ")
    tree.links.new(centred, across.inputs[0])
    return _maths(tree, "SUBTRACT", 0.5, _maths(tree, "MAXIMUM", across.outputs[0], across.outputs[1]))


def _presence(tree: Tree, position: Socket, inside: Socket, depth: bpy.types.Image) -> Socket:
    """1 in the middle of the frame, falling smoothly to 0 at its edges and at silhouettes."""
    clearance = _red(tree, _texture(tree, depth, position, "Linear"), 1)
    return _maths(tree, "MULTIPLY", _smooth(tree, inside, 0.0, FEATHER), _smooth(tree, clearance, 0.0, 1.0))


def _share(tree: Tree, presence: Socket, before: Socket, advantage: Socket) -> Socket:
    """What of a surface that a picture sees it is given, as ``layer`` says."""
    own, other = (_maths(tree, "ADD", value, TINY) for value in (presence, before))
    ahead = _maths(tree, "MINIMUM", _maths(tree, "DIVIDE", own, other), 1.0)
    behind = _maths(tree, "MINIMUM", _maths(tree, "DIVIDE", other, own), 1.0)
    alone = _maths(tree, "SUBTRACT", 1.0, behind)
    return _maths(tree, "MULTIPLY_ADD", advantage, _maths(tree, "SUBTRACT", ahead, alone), alone)


def _advantage(tree: Tree, fineness: Socket, older: Socket) -> Socket:
    """1 where a picture is about as fine as the older ones, or finer, falling smoothly to 0 where it is far coarser."""
    ahead = _maths(tree, "ADD", _maths(tree, "MULTIPLY_ADD", older, -COARSE, fineness), TINY)  # 1 where both are 0
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


def _texture(tree: Tree, image: bpy.types.Image, position: Socket, interpolation: str) -> Socket:
    node = _new_node(tree, "ShaderNodeTexImage", image=image, interpolation=interpolation, extension="EXTEND")
    tree.links.new(position, node.inputs["Vector"])
    return node.outputs["Color"]
