# SPDX-License-Identifier: GPL-3.0-or-later
"""What a render would show of each region: the geometry that renders are made of, and Cycles' Cryptomatte of it.

Hair, displacement, transparency and modifiers of the render count; depth of field and motion blur do not. Both are had
by rendering, which changes the file for good: call this on a copy, in a Blender of its own, as ``exposure`` does.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ..camera.reader import view
from ..camera.view import View
from ..capture.canvas import canvas, mask_size, overscan
from ..capture.scene import Visible, evaluated, owned, parts
from ..compat import write_layers
from ..messages.errors import ExactFailed
from ..protocol.records import ModelInfo
from ..raster.instances import Part
from ..raster.lens import Lens
from ..raster.zbuffer import NOTHING
from ..request.phrases import Mark
from . import cryptomatte, exr

SAMPLES = 32
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
    """What a render shows of ``named``, on the grid of masks for ``model``. Raises CaptureError.

    ``layer`` names the view layer to render, by default the one in use. Leaves ``scene`` with another camera, other
    render settings, and copies of instanced collections.
    """
    graph = evaluated(scene)
    view(scene, camera, graph)  # a panorama is refused before anything is rendered
    scene.camera = camera
    only_layer(scene, layer or graph.view_layer.name)
    if any(len(found) > 1 for found in render_depsgraph(scene, lambda graph: _owners(scene, graph)).values()):
        _separate(scene)
    seen, shown, owners = render_depsgraph(scene, lambda graph: _read(scene, camera, graph))
    _refuse_shared(owners, named)
    size = canvas(seen.aspect, model)
    wide = View(seen.pose, overscan(seen.lens, size), size.width / size.height)
    look_through(scene, wide, *mask_size(size))
    scene.render.threads_mode, scene.render.threads = "FIXED", max(1, (os.cpu_count() or 2) - 1)  # one is the artist's
    names = {name: min(found) for name, found in owners.items() if found != {NOTHING}}
    return Visible(seen, shown, cryptomatte.coverage(render_layers(scene), names, len(named)))


def render_depsgraph(scene: bpy.types.Scene, read: Callable[[bpy.types.Depsgraph], Read]) -> Read:
    """What ``read`` makes of the depsgraph that a render of ``scene`` uses. Raises ExactFailed.

    Such a depsgraph exists only while a render engine renders: this is one that reads, and paints nothing.
    """
    found: list[Read] = []

    class Reader(bpy.types.RenderEngine):
        bl_idname, bl_label = "MaquetteReader", "Maquette"

        def render(self, depsgraph: bpy.types.Depsgraph) -> None:
            found.append(read(depsgraph))

    bpy.utils.register_class(Reader)
    before = scene.render.engine
    scene.render.engine = Reader.bl_idname
    try:
        bpy.ops.render.render(scene=scene.name)
    finally:
        scene.render.engine = before
        bpy.utils.unregister_class(Reader)
    if not found:
        raise ExactFailed("The scene cannot be rendered.", "Render it once with F12, or turn Exact off.")
    return found[0]


def only_layer(scene: bpy.types.Scene, name: str) -> None:
    """Render this view layer alone."""
    for layer in scene.view_layers:
        layer.use = layer.name == name


def look_through(scene: bpy.types.Scene, view: View, width: int, height: int) -> None:
    """Give the scene a camera of its own that renders ``view`` onto a grid, whatever the shape of its cells."""
    data = bpy.data.cameras.new("Maquette")
    thing = bpy.data.objects.new("Maquette", data)
    scene.collection.objects.link(thing)
    scene.camera, thing.matrix_world = thing, Matrix(np.linalg.inv(view.pose).tolist())
    across, down = view.lens.projection[0, 0], view.lens.projection[1, 1]
    data.sensor_fit, data.sensor_width = "HORIZONTAL", SENSOR
    data.clip_start, data.clip_end = view.lens.near, view.lens.far
    if view.lens.perspective:
        data.lens = across * SENSOR / 2
    else:
        data.type, data.ortho_scale = "ORTHO", 2 / across
    aside = _aside(view.lens)
    data.shift_x, data.shift_y = aside[0] / 2, aside[1] / 2 * across / down
    stretch = float(down / across * height / width)  # width over height of a cell
    render = scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100
    render.pixel_aspect_x, render.pixel_aspect_y = max(stretch, 1.0), max(1.0 / stretch, 1.0)


def _aside(lens: Lens) -> NDArray[np.float64]:
    """How far the frame's middle is from the line of sight, in halves of its sides."""
    aside: NDArray[np.float64] = lens.projection[:2, 2] if lens.perspective else -lens.projection[:2, 3]
    return aside


def render_layers(scene: bpy.types.Scene, samples: int = SAMPLES, ranks: int = 6) -> tuple[exr.Part, ...]:
    """The layers of a Cycles render of the scene, with the ``ranks`` objects that cover most of each pixel."""
    _plainly(scene, samples)
    for layer in scene.view_layers:
        layer.use_pass_cryptomatte_object, layer.pass_cryptomatte_depth, layer.samples = True, ranks, 0
    with TemporaryDirectory(prefix="maquette-") as folder:
        path = Path(folder) / "layers.exr"
        scene.render.filepath = str(path)
        bpy.ops.render.render(write_still=True, scene=scene.name)
        if not path.exists():
            raise ExactFailed("Cycles rendered nothing.", "Render the scene once with Cycles, or turn Exact off.")
        return exr.read(path)


def _plainly(scene: bpy.types.Scene, samples: int) -> None:
    """Cycles on the CPU, each sample counting for the pixel it falls into, and no light beyond the first surface."""
    render, cycles = scene.render, scene.cycles
    render.engine, cycles.device, cycles.samples = "CYCLES", "CPU", samples
    cycles.use_adaptive_sampling = cycles.use_denoising = False
    cycles.time_limit, cycles.max_bounces = 0.0, 0
    cycles.transparent_max_bounces = max(cycles.transparent_max_bounces, SURFACES)
    cycles.pixel_filter_type, cycles.filter_width = "BOX", 1.0
    render.use_border = render.use_compositing = render.use_sequencer = False
    render.use_freestyle = render.use_motion_blur = render.use_multiview = False
    render.use_overwrite, render.use_placeholder = True, False
    write_layers(render.image_settings)


def _read(
    scene: bpy.types.Scene, camera: bpy.types.Object, graph: bpy.types.Depsgraph
) -> tuple[View, tuple[Part, ...], dict[str, set[int]]]:
    shown = tuple(part for _, part in parts(scene, graph, {}))
    return view(scene, camera, graph), shown, _owners(scene, graph)


def _owners(scene: bpy.types.Scene, graph: bpy.types.Depsgraph) -> dict[str, set[int]]:
    """By the names that Cryptomatte knows, those of objects, whose they are; instances share their object's name."""
    owners: dict[str, set[int]] = {}
    for instance, _, owner in owned(scene, graph):
        owners.setdefault(instance.object.name, set()).add(owner)
    return owners


def _separate(scene: bpy.types.Scene) -> None:
    """Give each instance of a collection objects of its own, with names of their own."""
    for thing in scene.objects:
        if thing.instance_type == "COLLECTION" and thing.instance_collection is not None:
            thing.instance_collection = _double(thing.instance_collection)


def _double(collection: bpy.types.Collection) -> bpy.types.Collection:
    double = collection.copy()
    for thing in collection.objects:
        twin = thing.copy()
        double.objects.unlink(thing)
        double.objects.link(twin)
        if twin.instance_type == "COLLECTION" and twin.instance_collection is not None:
            twin.instance_collection = _double(twin.instance_collection)
    for child in collection.children:
        double.children.unlink(child)
        double.children.link(_double(child))
    return double


def _refuse_shared(owners: dict[str, set[int]], named: Sequence[Mark]) -> None:
    for name, found in owners.items():
        if len(found) > 1:
            whose = " and ".join("the rest" if owner == NOTHING else named[owner].phrase for owner in sorted(found))
            raise ExactFailed(
                f"{name} is instanced in several regions: {whose}. An exact capture cannot tell them apart.",
                "Make the instances real (Object › Apply), or turn Exact off.",
            )
