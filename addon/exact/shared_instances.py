# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances of one object in several regions, told apart in the copy of a file: Cryptomatte knows them by that object's
name alone. All of this changes the open file for good."""

from collections.abc import Collection
from typing import Any

import bpy

from ..capture.scene import evaluated
from .scene_copy import copy_deeply

GROUP = "Maquette real"


def realize_instances(scene: bpy.types.Scene, shared: Collection[str]) -> bpy.types.Scene:
    """Have what scatters objects of the names that are ``shared`` be one mesh with them, or scatter some of its own."""
    instances = evaluated(scene).object_instances
    scattering = [one.parent.original for one in instances if one.is_instance and one.object.name in shared]
    for item in dict.fromkeys(scattering):
        if any(isinstance(modifier, bpy.types.NodesModifier) for modifier in item.modifiers):
            modifier: Any = item.modifiers.new(GROUP, "NODES")
            modifier.node_group = bpy.data.node_groups.get(GROUP) or _realizing()
        for system in item.particle_systems:
            _own_instances(system)
    return scene


def _realizing() -> bpy.types.NodeTree:
    """Nodes that make all instances real."""
    tree: Any = bpy.data.node_groups.new(GROUP, "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    kinds = ("NodeGroupInput", "GeometryNodeRealizeInstances", "NodeGroupOutput")
    source, realize, out = (tree.nodes.new(kind) for kind in kinds)
    tree.links.new(source.outputs[0], realize.inputs[0])
    tree.links.new(realize.outputs[0], out.inputs[0])
    made: bpy.types.NodeTree = tree
    return made


def _own_instances(system: bpy.types.ParticleSystem) -> None:
    """Give particles copies of what they instance."""
    settings = system.settings = system.settings.copy()
    if settings.render_type == "OBJECT" and settings.instance_object is not None:
        settings.instance_object = settings.instance_object.copy()
    elif settings.render_type == "COLLECTION" and settings.instance_collection is not None:
        settings.instance_collection = copy_deeply(settings.instance_collection)
