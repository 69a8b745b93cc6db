# SPDX-License-Identifier: GPL-3.0-or-later
"""What a render would show of each region: the geometry that renders are made of, and Cycles' Cryptomatte of it.

Hair, displacement, transparency and modifiers of the render count; depth of field and motion blur do not. Both are had
by rendering, which changes the file for good: call this on a copy, in a Blender of its own, as ``second_blender`` does.
"""

import os
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any, TypeVar

import bpy
import numpy as np
from mathutils import Matrix

from ..camera.placement import carry
from ..camera.reader import view
from ..camera.view import View
from ..capture.back_faces import Culled, culling
from ..capture.canvas import canvas, mask_size, overscan
from ..capture.instance_walk import Meshes
from ..capture.scene import Visible, evaluated, owned, parts
from ..compat import render_path, temporary_folder, write_layers
from ..messages.errors import ExactFailed
from ..protocol.answers import ModelInfo
from ..raster.instances import MeshInstances
from ..raster.lens import Lens
from ..raster.triangles import Floats
from ..raster.zbuffer import NOTHING
from ..request.phrases import Mark
from . import cryptomatte, exr
from .scene_copy import clear_the_air, own_names, see_through_backs, separate_instances, split_metaballs, unbind_cameras
from .shared_instances import realize_instances

SAMPLES = 64
SURFACES = 64  # transparent ones behind one another, as leaves and hair are
SENSOR = 100.0  # millimetres; wide enough that no lens is under Blender's shortest, one millimetre

Read = TypeVar("Read")


def exactly(
    scene: bpy.types.Scene,
    camera: bpy.types.Object,
    named: Sequence[Mark],
    model: ModelInfo,
    layer: str | None = None,
) -> Visible:
    """What a render shows of ``named``, on the grid of masks for ``model``. Raises UserError.

    ``layer`` names the view layer to render, by default the one in use. Leaves ``scene`` with another camera, other
    render settings, and copies of instanced collections.
    """
    graph = evaluated(scene)
    view(scene, camera, graph)  # a panorama is refused before anything is rendered
    layer = layer or graph.view_layer.name
    scene = rename_apart(scene)
    only_layer(scene, layer)
    scene, camera = _prepared(scene, camera)
    culled = culling(scene, scene.view_layers[layer].material_override)  # by its own engine, not the one that reads
    camera_view, instances, owners = render_depsgraph(scene, lambda graph: _read(scene, camera, graph, culled))
    _refuse_shared(owners, named)
    size = canvas(camera_view.aspect, model)
    wide = View(camera_view.pose, overscan(camera_view.lens, size), size.width / size.height)
    look_through(scene, wide, *mask_size(size))
    scene.render.threads_mode, scene.render.threads = "FIXED", max(1, (os.cpu_count() or 2) - 1)  # one is the artist's
    owner_of = {name: min(marked) for name, marked in owners.items() if marked != {NOTHING}}
    return Visible(camera_view, instances, cryptomatte.coverage(render_layers(scene), owner_of, len(named)))


def _prepared(scene: bpy.types.Scene, camera: bpy.types.Object) -> tuple[bpy.types.Scene, bpy.types.Object]:
    """The scene without what thins its objects out, each of them with a name that says whose it is; and the camera."""
    clear_the_air()
    see_through_backs(scene)
    split_metaballs(scene)
    unbind_cameras(scene)
    scene.camera = camera
    for tell_apart in (own_names, separate_instances, realize_instances):
        owners = render_depsgraph(scene, partial(_owners, scene))
        if shared := {name for name, marked in owners.items() if len(marked) > 1}:
            scene = tell_apart(scene, shared)
    assert scene.camera is not None, "it was just set"
    return scene, scene.camera


def render_depsgraph(scene: bpy.types.Scene, read: Callable[[bpy.types.Depsgraph], Read]) -> Read:
    """What ``read`` makes of the depsgraph that a render of ``scene`` uses. Raises ExactFailed.

    Such a depsgraph exists only while a render engine renders: this is one that reads, and paints nothing. Nothing is
    composited meanwhile, which might write files of the artist's, no strips are shown instead, and Freestyle, which
    Blender ends at where no picture was painted, draws no lines. ``scene`` stays so.
    """
    results: list[Read] = []

    class Reader(bpy.types.RenderEngine):
        bl_idname, bl_label = "MaquetteReader", "Maquette"

        def render(self, depsgraph: bpy.types.Depsgraph) -> None:
            results.append(read(depsgraph))

    bpy.utils.register_class(Reader)
    scene.render.use_compositing = scene.render.use_sequencer = scene.render.use_freestyle = False
    engine_before = scene.render.engine
    use_engine(scene.render, Reader.bl_idname)
    try:
        bpy.ops.render.render(scene=scene.name)
    finally:
        use_engine(scene.render, engine_before)
        bpy.utils.unregister_class(Reader)
    if not results:
        raise ExactFailed("The scene cannot be rendered.", "Render it once with F12, or turn Exact off.")
    return results[0]


def use_engine(render: Any, name: str) -> None:
    """Engines register themselves, Cycles too: Blender's own list, and so its type, has no room for their names."""
    render.engine = name


def rename_apart(scene: bpy.types.Scene) -> bpy.types.Scene:
    """A scene by whose bare name, as operators take it, no scene of another library is meant; this one, or a copy."""
    if any(one != scene and one.name == scene.name for one in bpy.data.scenes):
        scene = scene if scene.library is None else scene.make_local()
        scene.name = next(name for name in map(str, count(1)) if name not in {one.name for one in bpy.data.scenes})
    return scene


def only_layer(scene: bpy.types.Scene, name: str) -> None:
    """Render this view layer alone, and of it no volumes: those that Geometry Nodes make have no object to hide."""
    for layer in scene.view_layers:
        layer.use, layer.use_volumes = layer.name == name, False


def look_through(scene: bpy.types.Scene, view: View, width: int, height: int) -> None:
    """Give the scene a camera of its own that renders ``view`` onto a grid, whatever the shape of its cells."""
    data = bpy.data.cameras.new("Maquette")
    camera = bpy.data.objects.new("Maquette", data)
    scene.collection.objects.link(camera)
    scene.camera = camera
    carry(camera, Matrix(np.linalg.inv(view.pose).tolist()))
    across, down = view.lens.projection[0, 0], view.lens.projection[1, 1]
    data.sensor_fit, data.sensor_width = "HORIZONTAL", SENSOR
    data.clip_start, data.clip_end = view.lens.near, view.lens.far
    if view.lens.perspective:
        data.lens = across * SENSOR / 2
    else:
        data.type, data.ortho_scale = "ORTHO", 2 / across
    offset = _off_axis(view.lens)
    data.shift_x, data.shift_y = offset[0] / 2, offset[1] / 2 * across / down
    stretch = float(down / across * height / width)  # width over height of a cell
    render = scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100
    render.pixel_aspect_x, render.pixel_aspect_y = max(stretch, 1.0), max(1.0 / stretch, 1.0)


def _off_axis(lens: Lens) -> Floats:
    """How far the frame's middle is from the line of sight, in halves of its sides."""
    offset: Floats = lens.projection[:2, 2] if lens.perspective else -lens.projection[:2, 3]
    return offset


def render_layers(scene: bpy.types.Scene, samples: int = SAMPLES, ranks: int = 6) -> tuple[exr.ExrPart, ...]:
    """The layers of a Cycles render of the scene, with the ``ranks`` objects that cover most of each pixel."""
    _set_up_cycles(scene, samples)
    for layer in scene.view_layers:
        layer.use_pass_cryptomatte_object, layer.pass_cryptomatte_depth, layer.samples = True, ranks, 0
    with TemporaryDirectory(prefix="maquette-", dir=temporary_folder(gettempdir())) as folder:
        path = Path(folder) / "layers.exr"
        scene.render.filepath = render_path(path)
        bpy.ops.render.render(write_still=True, scene=scene.name)
        if not path.exists():
            raise ExactFailed("Cycles rendered nothing.", "Render the scene once with Cycles, or turn Exact off.")
        return exr.read(path)


def _set_up_cycles(scene: bpy.types.Scene, samples: int) -> None:
    """Cycles on the CPU, each sample counting for the pixel it falls into, and no light beyond the first surface."""
    render, cycles = scene.render, scene.cycles
    use_engine(render, "CYCLES")
    cycles.device, cycles.samples = "CPU", samples
    cycles.use_adaptive_sampling = cycles.use_denoising = False
    cycles.time_limit, cycles.max_bounces = 0.0, 0
    cycles.sample_offset = 0
    for name in ("use_sample_subset", "auto_scrambling_distance"):  # some of the samples, or all alike
        if hasattr(cycles, name):
            setattr(cycles, name, False)
    cycles.scrambling_distance = 1.0
    cycles.transparent_max_bounces = max(cycles.transparent_max_bounces, SURFACES)
    cycles.pixel_filter_type, cycles.filter_width = "BOX", 1.0
    render.use_border = render.use_compositing = render.use_sequencer = False
    render.use_freestyle = render.use_motion_blur = render.use_multiview = False
    render.use_overwrite, render.use_placeholder = True, False
    write_layers(render.image_settings)


def _read(
    scene: bpy.types.Scene, camera: bpy.types.Object, graph: bpy.types.Depsgraph, culled: Culled
) -> tuple[View, tuple[MeshInstances, ...], dict[str, set[int]]]:
    instances = tuple(instance for _, instance in parts(scene, graph, Meshes(), culled=culled))
    return view(scene, camera, graph), instances, _owners(scene, graph)


def _owners(scene: bpy.types.Scene, graph: bpy.types.Depsgraph) -> dict[str, set[int]]:
    """By the names that Cryptomatte knows, those of objects, whose they are; instances share their object's name."""
    owners: dict[str, set[int]] = {}
    for instance, _, owner in owned(scene, graph):
        owners.setdefault(instance.object.name, set()).add(owner)
    return owners


def _refuse_shared(owners: dict[str, set[int]], named: Sequence[Mark]) -> None:
    """Raises ExactFailed where objects of one name belong to several regions."""
    for name, marked in owners.items():
        if len(marked) > 1:
            regions = " and ".join("the rest" if owner == NOTHING else named[owner].phrase for owner in sorted(marked))
            raise ExactFailed(
                f"{name} is instanced in several regions: {regions}. An exact capture cannot tell them apart.",
                "Make the instances real (Object › Apply), or turn Exact off.",
            )
