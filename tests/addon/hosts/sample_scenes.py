# SPDX-License-Identifier: MIT
"""Small real scenes, and the fingerprint of everything in a file. Needs bpy and numpy only: it runs in every host."""

import bpy
import numpy as np
from mathutils import Vector

COLLECTIONS = [
    item.identifier
    for item in bpy.types.BlendData.bl_rna.properties
    if item.type == "COLLECTION" and item.identifier != "all_ids"
]
# Described in full; of windows and the like, which a background Blender has only half, the number counts.
DESCRIBED = (
    "scenes",
    "objects",
    "collections",
    "cameras",
    "meshes",
    "curves",
    "materials",
    "images",
    "actions",
    "worlds",
)
OURS = {"maquette_region", "maquette_phrase", "maquette_enforce", "maquette_prompt", "maquette_seed"}
# Not of the scene: caches and counters of Blender's own. 4.2 dies of reading uv_sculpt; previews are made again
# after an undo, whenever a window has time for them.
VOLATILE = {"rna_type", "bl_rna", "is_evaluated", "is_runtime_data", "users", "depsgraph", "uv_sculpt", "preview"}
VOLATILE |= {"maquette_seed"}  # ours: it moves on when a picture is asked for
FOLLOWS = {"enabled", "is_unavailable"}  # of sockets: from their node's settings, whenever Blender next looks at them
if bpy.app.version >= (5, 0):
    VOLATILE |= {"use_nodes", "storage_type"}  # deprecated; an attribute is packed by whoever reads it first


def fresh(width=1920, height=1080):
    """An empty file whose scene has a camera at (0, -10, 0) looking along +y, at world coordinates x right, z up."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = width, height
    scene.camera = camera(scene, (0, -10, 0), (0, 0, 0))
    return scene


def camera(scene, location, target, name="Camera"):
    data_block = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    data_block.location = location
    data_block.rotation_euler = (Vector(target) - Vector(location)).to_track_quat("-Z", "Y").to_euler()
    scene.collection.objects.link(data_block)
    bpy.context.view_layer.update()
    return data_block


def mesh(vertices, faces, name):
    data_block = bpy.data.meshes.new(name)
    data_block.from_pydata(vertices, [], faces)
    return data_block


def box(name, location=(0, 0, 0), size=(1, 1, 1), collection=None):
    x, y, z = (side / 2 for side in size)
    corners = [(a * x, b * y, c * z) for c in (-1, 1) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    faces = [(3, 2, 1, 0), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)]
    return put(name, mesh(corners, faces, name), location, collection)


def ball(name, location=(0, 0, 0), radius=1.0, rings=32, collection=None):
    """A ball of 2 * (2 * rings) * rings triangles, the poles' slivers included."""
    theta, phi = np.meshgrid(np.linspace(0, np.pi, rings + 1), np.arange(2 * rings) * np.pi / rings, indexing="ij")
    points = radius * np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1)
    index = np.arange(points[..., 0].size).reshape(theta.shape)
    beside = np.roll(index, -1, axis=1)
    faces = np.stack([index[:-1], index[1:], beside[1:], beside[:-1]], axis=-1).reshape(-1, 4)
    return put(name, mesh(points.reshape(-1, 3).tolist(), faces.tolist(), name), location, collection)


def put(name, data, location, collection=None):
    data_block = bpy.data.objects.new(name, data)
    data_block.location = location
    (collection or bpy.context.scene.collection).objects.link(data_block)
    return data_block


def instance(name, collection, location):
    data_block = put(name, None, location)
    data_block.instance_type, data_block.instance_collection = "COLLECTION", collection
    return data_block


def group(name, parent=None):
    data_block = bpy.data.collections.new(name)
    if parent is not None:
        parent.children.link(data_block)
    return data_block


def colour(obj, rgb):
    """A plain material that emits its colour: what it renders as is what it is."""
    data_block = bpy.data.materials.new(obj.name)
    if data_block.node_tree is None:  # from Blender 5.0 on it is there
        data_block.use_nodes = True
    tree = data_block.node_tree
    tree.nodes.clear()
    emit, out = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeOutputMaterial")
    emit.inputs["Color"].default_value = (*rgb, 1.0)
    tree.links.new(emit.outputs[0], out.inputs["Surface"])
    obj.data.materials.append(data_block)
    return data_block


def render(scene, path, samples=1, view="Standard", transparent=False):
    """Render to ``path`` with Cycles, BOX filter; the picture as stored, (height, width, 4), rows from the top."""
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.device = samples, False, "CPU"
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BOX", 1.0
    scene.view_settings.view_transform, scene.render.film_transparent = view, transparent
    scene.render.image_settings.file_format, scene.render.image_settings.color_mode = "PNG", "RGBA"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    picture = pixels(image)
    bpy.data.images.remove(image)
    return picture


def captured(scene, prompt, *, exact=False, **options):
    """The regions that a capture sees, by phrase: as the view shows them, or, changing the scene, as a render does."""
    from addon.exact.capture import exactly
    from tests.addon.hosts.blockouts import capture

    blockout = capture(scene, look=exactly if exact else None, prompt=prompt, **options)
    return {region.phrase: region for region in blockout.regions}


def rendered_alpha(scene, path, samples=16):
    """How much of each pixel a render covers with anything, (height, width), rows from the top; settings stay."""
    chosen = scene.render, scene.cycles, scene.view_settings, scene.render.image_settings
    names = (
        ("engine", "film_transparent", "filepath"),
        ("samples", "use_denoising", "device", "pixel_filter_type", "filter_width"),
        ("view_transform",),
        ("file_format", "color_mode"),
    )
    before = [(owner, name, getattr(owner, name)) for owner, own in zip(chosen, names, strict=True) for name in own]
    try:
        return render(scene, path, samples, transparent=True)[:, :, 3].copy()
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


def pixels(image):
    width, height = image.size
    flat = np.empty(width * height * 4, dtype=np.float32)
    image.pixels.foreach_get(flat)
    return flat.reshape(height, width, 4)[::-1]


def paint(path, picture):
    """Write (height, width, 3) floats, rows from the top, as an 8-bit PNG."""
    height, width, _ = picture.shape
    image = bpy.data.images.new("paint", width, height)
    image.pixels.foreach_set(np.dstack([picture, np.ones((height, width))])[::-1].astype(np.float32).ravel())
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)
    return path


def fingerprint():
    """Everything in the file, as plain values: every data-block's settings, Render Result, handlers, is_dirty."""
    for item in bpy.data.meshes:
        _describe(item, (), {}, set())  # a mesh's layers move when they are read for the first time
    state = {("file", "dirty"): bpy.data.is_dirty}
    for name in (name for name in dir(bpy.app.handlers) if isinstance(getattr(bpy.app.handlers, name), list)):
        state["handlers", name] = len(getattr(bpy.app.handlers, name))
    state.update({("file", kind): len(getattr(bpy.data, kind)) for kind in COLLECTIONS})
    for kind in DESCRIBED:
        for item in getattr(bpy.data, kind):
            _describe(item, (kind, item.name_full), state, set())
            state[kind, item.name_full, "own"] = sorted(set(item.keys()) - OURS)
    return state


def _describe(struct, path, state, visited):
    if struct.as_pointer() in visited:
        return
    visited.add(struct.as_pointer())
    for item in struct.bl_rna.properties:
        if item.identifier in VOLATILE or (isinstance(struct, bpy.types.NodeSocket) and item.identifier in FOLLOWS):
            continue
        item_path, value = (*path, item.identifier), getattr(struct, item.identifier)
        if item.type == "POINTER":
            _follow(value, item_path, state, visited)
        elif item.type == "COLLECTION":
            state[item_path] = len(value)
            for index, part in enumerate(value if len(value) <= 64 else ()):
                _follow(part, (*item_path, index), state, visited)
        else:
            state[item_path] = str(value[:]) if getattr(item, "is_array", False) else str(value)


def _follow(value, path, state, visited):
    if value is None or isinstance(value, bpy.types.ID):
        state[path] = getattr(value, "name_full", None)
    if value is not None and not (isinstance(value, bpy.types.ID) and not value.is_embedded_data):
        _describe(value, path, state, visited)
