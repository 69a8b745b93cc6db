# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures projected from cameras onto what they saw, as node groups: no UVs, no scripts, Cycles and EEVEE alike.

A point of the surface is visible to a camera when it lies in the frame, faces the camera, and is no farther than what
the camera saw in that direction, which a float depth image tells. There the newest picture wins, unless an older one
shows the surface much more finely, for its angle and distance. The pictures are emitted, so that a render with the
Standard view transform gives them back, or lit; where no camera saw anything the shader below shows. Cameras are baked
into the groups as numbers: moving the scene's camera drags nothing along.

A layer consists of three groups, for a node and a link cost Blender a tenth of a millisecond each: so a window can make
one, go on, and make the next.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import bpy
import numpy as np
from numpy.typing import NDArray

from ..camera.view import View

TOLERANCE = 1e-3  # of the depth, against rounding in shaders
COARSE, FINE = 0.1, 0.6  # of the older pictures' fineness: between them a picture fades into them
FEATHER = 0.25  # of the frame's side, from its edge
TINY = 1e-9
SOCKETS = {  # of a layer, in and out; the first two are those of an older Maquette's
    "Color": "NodeSocketColor",
    "Seen": "NodeSocketFloat",
    "Presence": "NodeSocketFloat",
    "Fineness": "NodeSocketFloat",
}
SHADER = {"Shader": "NodeSocketShader"}
SIGHT = {"Position": "NodeSocketVector", "Distance": "NodeSocketFloat", "Seen": "NodeSocketFloat"}
STANDING = {"Fineness": "NodeSocketFloat", "Presence": "NodeSocketFloat"}

Tree: TypeAlias = bpy.types.ShaderNodeTree
Socket: TypeAlias = bpy.types.NodeSocket
Operand: TypeAlias = Socket | float | Sequence[float] | NDArray[np.float64]  # values are numbers and triples


def depth_image(file: bytes, name: str) -> bpy.types.Image:
    """A file of depths as an image, packed; Blender reads it when it is first needed."""
    image = bpy.data.images.new(name, 1, 1, float_buffer=True, is_data=True)
    image.source = "FILE"
    image.pack(data=file, data_len=len(file))
    return image


def sight(depth: bpy.types.Image, view: View, name: str) -> Tree:
    """A group that says where in the frame of ``view`` the surface is, how far from its camera, and whether it is seen
    from there: 1, else 0."""
    tree = _new_group(name, {}, SIGHT)
    geometry, out = _new_node(tree, "ShaderNodeNewGeometry"), _new_node(tree, "NodeGroupOutput")
    position, distance = _frame(tree, geometry.outputs["Position"], view)
    _feed(tree, out, (position, distance, _visible(tree, geometry, position, distance, depth, view)))
    return tree


def standing(view: View, name: str) -> Tree:
    """A group that says how finely ``view`` shows the surface, of that position and distance, and how much its frame
    has of it: 1, and less towards the edges."""
    tree = _new_group(name, {"Position": "NodeSocketVector", "Distance": "NodeSocketFloat"}, STANDING)
    geometry = _new_node(tree, "ShaderNodeNewGeometry")
    own, out = _new_node(tree, "NodeGroupInput"), _new_node(tree, "NodeGroupOutput")
    fineness = _fineness(tree, geometry, own.outputs["Distance"], view)
    _feed(tree, out, (fineness, _presence(tree, own.outputs["Position"])))
    return tree


def layer(picture: bpy.types.Image, sight: Tree, standing: Tree, name: str) -> Tree:
    """A group that lays ``picture`` over older ones where the view of ``sight`` and ``standing`` sees the surface.

    In and out: the colour of the layers so far; ``Seen``, 1 where one of them sees the surface, else 0; ``Presence``,
    the same but falling to 0 towards their frames' edges; and ``Fineness``, how finely what is shown shows it. A
    picture gives way to older ones towards its frame's edges, and where they are finer; not to one that is no better:
    a second one from the same camera leaves nothing of the first. With presences p of the older ones and e of its own,
    and its advantage a, its share is min(1, e / p) a + (1 - min(1, p / e)) (1 - a): all of it where the others end,
    nothing where it ends itself, and no step between.
    """
    tree = _new_group(name, SOCKETS, SOCKETS)
    older, out = _new_node(tree, "NodeGroupInput"), _new_node(tree, "NodeGroupOutput")
    position, distance, visible = _new_node(tree, "ShaderNodeGroup", node_tree=sight).outputs
    stands = _new_node(tree, "ShaderNodeGroup", node_tree=standing)
    _feed(tree, stands, (position, distance))
    fineness, presence = stands.outputs
    before, finer = older.outputs["Presence"], older.outputs["Fineness"]
    share = _maths(tree, "MULTIPLY", visible, _share(tree, presence, before, _advantage(tree, fineness, finer)))
    painted = _texture(tree, picture, position, "Linear", "EXTEND")
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
    tree = _new_group(name, SHADER, SHADER)
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


def _new_group(name: str, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> Tree:
    """A shader group with these sockets, their types by their names."""
    tree = bpy.data.node_groups.new(name, "ShaderNodeTree")
    assert isinstance(tree, bpy.types.ShaderNodeTree)
    for socket, kind in inputs.items():
        tree.interface.new_socket(socket, in_out="INPUT", socket_type=kind)
    for socket, kind in outputs.items():
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


def _fineness(tree: Tree, geometry: bpy.types.Node, distance: Socket, view: View) -> Socket:
    """How much of the frame a piece of the surface takes up: more where it is near and faces the camera squarely."""
    facing = _maths(tree, "MAXIMUM", _facing(tree, geometry, "Normal", view), 0.0)
    scale = abs(float(view.lens.projection[0, 0]))
    dense = _maths(tree, "DIVIDE", scale, distance) if view.lens.perspective else scale
    return _maths(tree, "MULTIPLY", facing, dense)


def _presence(tree: Tree, position: Socket) -> Socket:
    """1 in the middle of the frame, falling smoothly to 0 at its edges."""
    centred = _vector(tree, "ABSOLUTE", _vector(tree, "SUBTRACT", position, (0.5, 0.5, 0.0)))
    across = _new_node(tree, "ShaderNodeSeparateXYZ")
    tree.links.new(centred, across.inputs[0])
    inside = _maths(tree, "SUBTRACT", 0.5, _maths(tree, "MAXIMUM", across.outputs[0], across.outputs[1]))
    return _smooth(tree, inside, 0.0, FEATHER)


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


def _texture(tree: Tree, image: bpy.types.Image, position: Socket, interpolation: str, extension: str) -> Socket:
    node = _new_node(tree, "ShaderNodeTexImage", image=image, interpolation=interpolation, extension=extension)
    tree.links.new(position, node.inputs["Vector"])
    return node.outputs["Color"]
