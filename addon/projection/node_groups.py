# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures projected from cameras onto what they saw, as node groups: no UVs, no scripts, Cycles and EEVEE alike.

A point of the surface is visible to a camera when it lies in the frame, faces the camera, and is no farther than what
the camera saw in that direction, which a float depth image tells; the edges of that are soft. There the newest picture
wins, unless an older one shows the surface much more finely, for its angle and distance, or the point lies beside a
silhouette, where the picture may show what is on the other side. The pictures are emitted, so that a render with the
Standard view transform gives them back, or lit; where no camera saw anything the shader below shows. Cameras are baked
into the groups as numbers: moving the scene's camera drags nothing along.

A layer consists of PARTS groups, for a node and a link cost Blender a tenth of a millisecond each: so a window can make
one, go on, and make the next.
"""

from collections.abc import Sequence

import bpy
import numpy as np

from ..camera.view import View
from .depth import depth_grid
from .nodes import (
    Operand,
    Socket,
    Tree,
    affine,
    between,
    channel,
    feed,
    maths,
    new_group,
    new_node,
    smoothstep,
    texture,
    vector,
)

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
SHADER = {"Shader": "NodeSocketShader"}
WHERE = {"Position": "NodeSocketVector", "Inside": "NodeSocketFloat", "Distance": "NodeSocketFloat"}
SEEN = {"Seen": "NodeSocketFloat"}
STANDING = {"Fineness": "NodeSocketFloat", "Presence": "NodeSocketFloat"}
PARTS = 4


def depth_image(file: bytes, name: str) -> bpy.types.Image:
    """A file of depths as an image, packed; Blender reads it when it is first needed."""
    image = bpy.data.images.new(name, 1, 1, float_buffer=True, is_data=True)
    image.source = "FILE"
    image.pack(data=file, data_len=len(file))
    return image


def nearest(depth: bpy.types.Image, view: View, name: str) -> Tree:
    """A group that says whether nothing that ``depth`` tells of is nearer to the camera of ``view``, at a position of
    its frame, that far inside it, and at that distance: 1, else 0, and between them at edges."""
    tree = new_group(name, WHERE, SEEN)
    own, out = new_node(tree, "NodeGroupInput"), new_node(tree, "NodeGroupOutput")
    feed(tree, out, (_nearest(tree, list(own.outputs)[:3], depth, depth_grid(view)),))
    return tree


def sight(nearest: Tree, view: View, name: str) -> Tree:
    """A group that says where in the frame of ``view`` the surface is, how far inside it, how far from its camera, and
    whether it is seen from there, as ``nearest`` tells: 1, else 0, and between them at edges."""
    tree = new_group(name, {}, {**WHERE, **SEEN})
    geometry, out = new_node(tree, "ShaderNodeNewGeometry"), new_node(tree, "NodeGroupOutput")
    position, distance = _frame(tree, geometry.outputs["Position"], view)
    inside, first = _inside(tree, position), new_node(tree, "ShaderNodeGroup", node_tree=nearest)
    feed(tree, first, (position, inside, distance))
    visible = _visible(tree, first.outputs[0], distance, _facing(tree, geometry, view))
    feed(tree, out, (position, inside, distance, visible))
    return tree


def standing(depth: bpy.types.Image, view: View, name: str) -> Tree:
    """A group that says how finely ``view`` shows the surface that is there, and how much its frame has of it: 1, and
    less towards the edges and silhouettes, from which ``depth`` tells how far it is."""
    tree = new_group(name, WHERE, STANDING)
    geometry = new_node(tree, "ShaderNodeNewGeometry")
    own, out = new_node(tree, "NodeGroupInput"), new_node(tree, "NodeGroupOutput")
    position, inside, distance = list(own.outputs)[:3]
    _, smooth = _facing(tree, geometry, view)
    feed(tree, out, (_fineness(tree, smooth, distance, view), _presence(tree, position, inside, depth)))
    return tree


def layer(picture: bpy.types.Image, sight: Tree, standing: Tree, name: str) -> Tree:
    """A group that lays ``picture`` over older ones where the view of ``sight`` and ``standing`` sees the surface.

    In and out: the colour of the layers so far; ``Seen``, 1 where one of them sees the surface, else 0; ``Presence``,
    the same but falling to 0 towards their frames' edges and silhouettes; and ``Fineness``, how finely what is shown
    shows it. A picture gives way to older ones towards its frame's edges and silhouettes, and where they are finer; not
    to one that is no better: a second one from the same camera leaves nothing of the first. With presences p of the
    older ones and e of its own, and its advantage a, its share is min(1, e / p) a + (1 - min(1, p / e)) (1 - a): all of
    it where the others end, nothing where it ends itself, and no step between.
    """
    tree = new_group(name, SOCKETS, SOCKETS)
    older, out = new_node(tree, "NodeGroupInput"), new_node(tree, "NodeGroupOutput")
    position, inside, distance, visible = new_node(tree, "ShaderNodeGroup", node_tree=sight).outputs
    stands = new_node(tree, "ShaderNodeGroup", node_tree=standing)
    feed(tree, stands, (position, inside, distance))
    fineness, presence = stands.outputs
    before, finer = older.outputs["Presence"], older.outputs["Fineness"]
    part = _share(tree, presence, before, _advantage(tree, fineness, finer))
    share = maths(tree, "MULTIPLY", _covered(tree, visible, older.outputs["Seen"]), part)
    painted = texture(tree, picture, position, "Linear")
    change = vector(tree, "SUBTRACT", painted, older.outputs["Color"])
    results = {
        "Color": vector(tree, "MULTIPLY_ADD", change, share, older.outputs["Color"]),
        "Seen": maths(tree, "MAXIMUM", older.outputs["Seen"], visible),
        "Presence": maths(tree, "MAXIMUM", before, maths(tree, "MULTIPLY", visible, presence)),
        "Fineness": maths(tree, "MULTIPLY_ADD", maths(tree, "SUBTRACT", fineness, finer), share, finer),
    }
    for socket, value in results.items():
        tree.links.new(value, out.inputs[socket])
    return tree


def stack(layers: Sequence[Tree], name: str, lit: bool = False) -> Tree:
    """A group with a shader in and a shader out: ``layers``, oldest first, over the shader.

    Their colours are emitted; or, ``lit``, they are the colours of a dull surface on which the scene's lights shine.
    """
    tree = new_group(name, SHADER, SHADER)
    own, out = new_node(tree, "NodeGroupInput"), new_node(tree, "NodeGroupOutput")
    painted = new_node(tree, "ShaderNodeBsdfDiffuse" if lit else "ShaderNodeEmission")
    mix = new_node(tree, "ShaderNodeMixShader")
    below: tuple[Socket, ...] = ()
    for group in layers:
        node = new_node(tree, "ShaderNodeGroup", node_tree=group)
        feed(tree, node, below)
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
            node = new_node(tree, "ShaderNodeGroup", node_tree=group)
            node.location = (output.location.x, output.location.y + 150)
            tree.links.new(shader, node.inputs[0])
            tree.links.new(node.outputs[0], surface)


def _frame(tree: Tree, surface: Socket, view: View) -> tuple[Socket, Socket]:
    """Where in the frame ``surface`` is, (0, 0) the left bottom corner and (1, 1) the right top one, and its depth."""
    clip = view.lens.projection @ view.pose
    w = affine(tree, surface, clip[3])
    u, v = (
        maths(tree, "MULTIPLY_ADD", maths(tree, "DIVIDE", affine(tree, surface, row), w), 0.5, 0.5) for row in clip[:2]
    )
    position = new_node(tree, "ShaderNodeCombineXYZ")
    tree.links.new(u, position.inputs[0])
    tree.links.new(v, position.inputs[1])
    return position.outputs[0], affine(tree, surface, -view.pose[2])


def _visible(tree: Tree, nearest: Socket, distance: Socket, cosines: tuple[Socket, Socket]) -> Socket:
    """1 where the camera sees the surface, else 0, and between them at edges; of its true and shading normals."""
    flat, smooth = cosines
    ahead = maths(tree, "GREATER_THAN", distance, 0.0)
    facing = maths(tree, "GREATER_THAN", flat, 0.0)
    soft = maths(tree, "MAXIMUM", smoothstep(tree, smooth, 0.0, GRAZING), smoothstep(tree, flat, 0.0, SQUARE))
    return maths(tree, "MULTIPLY", maths(tree, "MULTIPLY", nearest, ahead), maths(tree, "MULTIPLY", facing, soft))


def _nearest(tree: Tree, operands: Sequence[Socket], depth: bpy.types.Image, grid: tuple[int, int]) -> Socket:
    """1 in the frame where nothing is nearer, asked of the four pixels of ``depth`` around a position, and between
    their answers: of the position, how far inside the frame that is, and the distance."""
    position, inside, distance = operands
    size = (*grid, 1.0)
    pixels = vector(tree, "SUBTRACT", vector(tree, "MULTIPLY", position, size), (0.5, 0.5, 0.0))
    share = new_node(tree, "ShaderNodeSeparateXYZ")
    tree.links.new(vector(tree, "FRACTION", pixels), share.inputs[0])
    low = vector(tree, "FLOOR", pixels)

    def is_nearest(across: float, up: float) -> Socket:
        pixel = vector(tree, "DIVIDE", vector(tree, "ADD", low, (across, up, 0.0)), size)
        limit = maths(tree, "MULTIPLY", channel(tree, texture(tree, depth, pixel, "Closest"), 0), 1.0 + TOLERANCE)
        return maths(tree, "LESS_THAN", distance, limit)

    below, above = (between(tree, is_nearest(0.5, up), is_nearest(1.5, up), share.outputs[0]) for up in (0.5, 1.5))
    within = maths(tree, "GREATER_THAN", inside, 0.0)
    return maths(tree, "MULTIPLY", between(tree, below, above, share.outputs[1]), within)


def _facing(tree: Tree, geometry: bpy.types.Node, view: View) -> tuple[Socket, Socket]:
    """The cosines between the true and the shading normal and the way to the camera: above 0 where the side being
    shaded faces it."""
    camera = np.linalg.inv(view.pose)
    toward: Operand = camera[:3, 2]
    if view.lens.perspective:
        toward = vector(tree, "NORMALIZE", vector(tree, "SUBTRACT", camera[:3, 3], geometry.outputs["Position"]))
    flat, smooth = (
        vector(tree, "DOT_PRODUCT", geometry.outputs[normal], toward) for normal in ("True Normal", "Normal")
    )
    return flat, smooth


def _fineness(tree: Tree, smooth: Socket, distance: Socket, view: View) -> Socket:
    """How much of the frame a piece of the surface takes up: more where it is near and faces the camera squarely."""
    facing = maths(tree, "MAXIMUM", smooth, 0.0)
    scale = abs(float(view.lens.projection[0, 0]))
    dense = maths(tree, "DIVIDE", scale, distance) if view.lens.perspective else scale
    return maths(tree, "MULTIPLY", facing, dense)


def _inside(tree: Tree, position: Socket) -> Socket:
    """How far from the frame's edges a position is, of its side; below 0 outside."""
    centred = vector(tree, "ABSOLUTE", vector(tree, "SUBTRACT", position, (0.5, 0.5, 0.0)))
    across = new_node(tree, "ShaderNodeSeparateXYZ")
    tree.links.new(centred, across.inputs[0])
    return maths(tree, "SUBTRACT", 0.5, maths(tree, "MAXIMUM", across.outputs[0], across.outputs[1]))


def _presence(tree: Tree, position: Socket, inside: Socket, depth: bpy.types.Image) -> Socket:
    """1 in the middle of the frame, falling smoothly to 0 at its edges and at silhouettes."""
    clearance = channel(tree, texture(tree, depth, position, "Linear"), 1)
    return maths(tree, "MULTIPLY", smoothstep(tree, inside, 0.0, FEATHER), smoothstep(tree, clearance, 0.0, 1.0))


def _covered(tree: Tree, visible: Socket, seen: Socket) -> Socket:
    """How much of a surface a picture covers, of what older ones do: all where they see it as softly, or more so."""
    more = maths(tree, "DIVIDE", maths(tree, "ADD", visible, TINY), maths(tree, "ADD", seen, TINY))
    return maths(tree, "MULTIPLY", maths(tree, "MINIMUM", more, 1.0), maths(tree, "GREATER_THAN", visible, 0.0))


def _share(tree: Tree, presence: Socket, before: Socket, advantage: Socket) -> Socket:
    """What of a surface that a picture sees it is given, as ``layer`` says."""
    own, other = (maths(tree, "ADD", value, TINY) for value in (presence, before))
    ahead = maths(tree, "MINIMUM", maths(tree, "DIVIDE", own, other), 1.0)
    behind = maths(tree, "MINIMUM", maths(tree, "DIVIDE", other, own), 1.0)
    alone = maths(tree, "SUBTRACT", 1.0, behind)
    return maths(tree, "MULTIPLY_ADD", advantage, maths(tree, "SUBTRACT", ahead, alone), alone)


def _advantage(tree: Tree, fineness: Socket, older: Socket) -> Socket:
    """1 where a picture is about as fine as the older ones, or finer, falling smoothly to 0 where it is far coarser."""
    ahead = maths(tree, "ADD", maths(tree, "MULTIPLY_ADD", older, -COARSE, fineness), TINY)  # 1 where both are 0
    band = maths(tree, "MULTIPLY_ADD", older, FINE - COARSE, TINY)
    return smoothstep(tree, maths(tree, "DIVIDE", ahead, band), 0.0, 1.0)
