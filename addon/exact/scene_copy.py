# SPDX-License-Identifier: GPL-3.0-or-later
"""What is taken out of the copy of a file before it is rendered, and what is told apart there, so that Cryptomatte says
what covers each pixel. All of this changes the open file for good.

Cryptomatte weighs objects by the light that comes through, so that fog would thin them out; and it knows them by bare
names, which objects of several libraries and instances of one object share.
"""

from collections.abc import Collection, Iterator

import bpy

from ..capture.back_faces import culls
from ..capture.metaballs import family, read_parts
from ..capture.scene import evaluated
from ..compat import ensure_nodes
from ..cooperative import finish
from ..raster.instances import Mesh
from ..regions import marks
from ..regions.visibility import chain_of
from ..request.phrases import default_phrase

MATERIAL = "ShaderNodeOutputMaterial"
OUTPUTS = {MATERIAL, "ShaderNodeOutputWorld"}


def clear_the_air() -> None:
    """Take every volume out: of worlds, of materials in whatever node groups, and objects that are nothing else.

    What had a volume and no surface becomes wholly transparent; a material without either would be black.
    """
    for tree in list(_shader_trees()):
        for output in [node for node in tree.nodes if node.bl_idname in OUTPUTS]:
            surface, volume = output.inputs["Surface"], output.inputs["Volume"]
            if not volume.is_linked:
                continue
            for link in list(volume.links or ()):
                tree.links.remove(link)
            if not surface.is_linked and output.bl_idname == MATERIAL:
                tree.links.new(tree.nodes.new("ShaderNodeBsdfTransparent").outputs[0], surface)
    for item in [item for item in bpy.data.objects if item.type == "VOLUME"]:
        item.hide_render = True


def see_through_backs(scene: bpy.types.Scene) -> None:
    """Have materials whose back faces the scene's engine culls be transparent from behind, for Cycles culls none."""
    for material in bpy.data.materials:
        if not culls(scene, material):
            continue
        ensure_nodes(material)
        tree = material.node_tree
        for output in [node for node in tree.nodes if node.bl_idname == MATERIAL]:
            surface = output.inputs["Surface"]
            geometry, mix = tree.nodes.new("ShaderNodeNewGeometry"), tree.nodes.new("ShaderNodeMixShader")
            tree.links.new(geometry.outputs["Backfacing"], mix.inputs[0])
            shader = surface.links[0].from_socket if surface.is_linked and surface.links else None
            if shader is not None:
                tree.links.new(shader, mix.inputs[1])
            tree.links.new(tree.nodes.new("ShaderNodeBsdfTransparent").outputs[0], mix.inputs[2])
            tree.links.new(mix.outputs[0], surface)


def unbind_cameras(scene: bpy.types.Scene) -> None:
    """Have no marker of the timeline bring another camera than the one that is rendered through."""
    for marker in scene.timeline_markers:
        marker.camera = None


def own_names(scene: bpy.types.Scene, shared: Collection[str]) -> bpy.types.Scene:
    """Give objects of the names that are ``shared`` names of their own, by making what is linked this file's; the scene
    after that."""
    linked = [item for item in bpy.data.objects if item.name in shared and item.library is not None]
    if not linked:
        return scene
    own: bpy.types.Scene = scene.make_local() if scene.library is not None else scene
    for blocks in (bpy.data.scenes, bpy.data.collections, bpy.data.objects):
        for block in [block for block in blocks if block.library is not None]:
            block.make_local()
    return own


def separate_instances(scene: bpy.types.Scene, shared: Collection[str]) -> bpy.types.Scene:
    """Give each instance of a collection objects of its own, with names of their own."""
    for instancer in list(scene.objects):
        _copy_instanced(instancer)
    return scene


def split_metaballs(scene: bpy.types.Scene) -> None:
    """Give each metaball of a family its part of the surface as a mesh, for Cryptomatte knows the family as one."""
    for ball in bpy.data.metaballs:
        ball.resolution = ball.render_resolution
    graph = evaluated(scene)
    parts: list[tuple[bpy.types.Object, Mesh, bpy.types.Object]] = []
    for instance in graph.object_instances:
        surface, chain = instance.object, chain_of(instance)
        if surface is None or surface.type != "MESH" or chain[0].type != "META" or len(chain) > 1:
            continue
        members = [member for member in family(chain[0], scene) if not member.hide_render]
        if len(members) > 1:
            meshes = [Mesh() for _ in members]
            read_parts(surface, members, meshes)
            parts += [(member, mesh, chain[0]) for member, mesh in zip(members, meshes, strict=True)]
    for member, mesh, base in parts:  # not before: the depsgraph must not change under its instances
        _replace(member, mesh, base)


def _replace(ball: bpy.types.Object, mesh: Mesh, base: bpy.types.Object) -> None:
    """Show a mesh in the space of ``base`` instead of a metaball, with its marks, in its collections."""
    data = bpy.data.meshes.new(ball.name)
    data.from_pydata(mesh.points.tolist(), [], finish(mesh.triangles()).tolist())
    for slot in base.material_slots:
        data.materials.append(slot.material)
    part = bpy.data.objects.new(f"{ball.name} part", data)
    part.matrix_world, part.visible_camera, part.is_holdout = base.matrix_world, ball.visible_camera, ball.is_holdout
    for key in marks.KEYS:
        if ball.get(key) is not None:
            part[key] = ball[key]
    part[marks.PHRASE] = ball.get(marks.PHRASE) or default_phrase(ball.name)
    for collection in ball.users_collection:
        collection.objects.link(part)
    ball.hide_render = True


def _shader_trees() -> Iterator[bpy.types.ShaderNodeTree]:
    """The shader nodes of every world and material, and all groups of such nodes."""
    for material in bpy.data.materials:
        if material.grease_pencil is None:
            ensure_nodes(material)
    owners = (*bpy.data.materials, *bpy.data.worlds)
    for tree in (*(owner.node_tree for owner in owners), *bpy.data.node_groups):
        if isinstance(tree, bpy.types.ShaderNodeTree):
            yield tree


def _copy_instanced(instancer: bpy.types.Object) -> None:
    """Have an object instance a copy of its collection, if it instances any."""
    if instancer.instance_type == "COLLECTION" and instancer.instance_collection is not None:
        instancer.instance_collection = copy_deeply(instancer.instance_collection)


def copy_deeply(collection: bpy.types.Collection) -> bpy.types.Collection:
    """A copy of a collection, and of all objects and collections in it."""
    copied = collection.copy()
    for original in collection.objects:
        duplicate = original.copy()
        copied.objects.unlink(original)
        copied.objects.link(duplicate)
        _copy_instanced(duplicate)
    for child in collection.children:
        copied.children.unlink(child)
        copied.children.link(copy_deeply(child))
    return copied
