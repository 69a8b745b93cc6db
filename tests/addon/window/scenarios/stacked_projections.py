# SPDX-License-Identifier: MIT
"""Views stacked in a window: looked at from the side, looked through, switched, removed, undone; EEVEE as Cycles."""

from collections.abc import Iterator
from math import degrees
from pathlib import Path

import bpy
import numpy as np
from bpy_extras.view3d_utils import location_3d_to_region_2d
from mathutils import Vector

from tests.addon.window.driver.user_input import (
    canvas,
    compile_shaders,
    desktop,
    look,
    operator_context,
    press,
    project,
    screenshot,
    scroll,
    sidebar,
    undo,
    view,
)

LOCATIONS = ((-8.2, -11.4, 3.4), (8.2, -11.4, 3.4))  # where the artist's camera stands, one after the other
TARGET = Vector((0.2, 0.4, 1.8))
EEVEE = "BLENDER_EEVEE" if bpy.app.version >= (5, 0) else "BLENDER_EEVEE_NEXT"


def stack_projections(app, folder: Path, report: dict) -> Iterator:
    """Generate, project, walk around, generate, project; look at it, through it, and take it off again."""
    bpy.context.scene.render.resolution_y = 608
    yield from desktop()
    press("add_selected")
    bpy.context.scene.maquette_prompt = "a castle and a rocket on a meadow"
    press("start_server")
    yield lambda: app.session.link.name == "online"
    for location in LOCATIONS:
        stand(location)
        earlier = bpy.context.scene.get("maquette_picture")
        earlier = earlier and earlier.session_uid
        press("generate")
        yield lambda earlier=earlier: arrived(earlier)
        yield from project()
    press("background")
    look("PERSP", "MATERIAL")
    look_from((-5.5, -10.5, 4.5))
    with operator_context():
        bpy.ops.object.select_all(action="DESELECT")
    compile_shaders()
    yield from scroll("down")
    yield from screenshot(folder / "views.png", settle=3.0)
    report["views"] = [obj.name for obj in views()]
    report["psnr eevee to cycles"] = [alike(obj, folder) for obj in views()]
    yield from take_off(folder, report)


def take_off(folder: Path, report: dict) -> Iterator:
    """One view off and on, looked through, removed, undone; then all of it."""
    press("switch_view", uid=uid(1))
    yield from screenshot(folder / "one-view.png", settle=3.0)
    press("switch_view", uid=uid(1))
    press("look_through", uid=uid(0))
    yield from screenshot(folder / "look-through.png", settle=3.0)
    report["frame on screen"] = frame_on_screen(views()[0], sidebar().width)
    report["camera stays"] = (bpy.context.scene.camera.location - Vector(LOCATIONS[1])).length < 1e-4
    press("remove_view", uid=uid(0))
    report["after removing"] = [obj.name for obj in views()]
    undo()
    report["after undo"] = [obj.name for obj in views()]
    with operator_context():
        bpy.ops.ed.redo()
    press("remove_results")
    yield from screenshot(folder / "removed.png", settle=3.0)
    report["left"] = [item.name for kind in result_kinds() for item in kind if "maquette_result" in item]


def result_kinds():
    """The kinds of data-blocks that a projection makes."""
    return bpy.data.materials, bpy.data.node_groups, bpy.data.images, bpy.data.collections


def arrived(earlier: int | None) -> bool:
    """Whether the scene has another picture than the earlier one."""
    picture = bpy.context.scene.get("maquette_picture")
    return picture is not None and picture.session_uid != earlier


def views() -> list:
    """The projectors, oldest first."""
    return [obj for obj in bpy.context.scene.objects if "maquette_projector" in obj]


def uid(location: int) -> str:
    """How the panel's buttons name a view."""
    return str(views()[location].session_uid)


def stand(location: tuple) -> None:
    """Put the scene's camera there, looking at the blocks."""
    camera = bpy.context.scene.camera
    camera.location = location
    camera.rotation_euler = (TARGET - Vector(location)).to_track_quat("-Z", "Y").to_euler()
    bpy.context.view_layer.update()


def look_from(location: tuple) -> None:
    """Turn the viewport there, not the camera."""
    region = view().spaces.active.region_3d
    region.view_rotation = (TARGET - Vector(location)).to_track_quat("-Z", "Y")
    region.view_location, region.view_distance = TARGET, (TARGET - Vector(location)).length


def frame_on_screen(projector, aside: int = 0) -> dict:
    """How much the view's frame fills of the viewport but for `aside` pixels on the left and on the right, where a
    sidebar may hide it and the axis has to stay in the middle; and how far the axes are apart.
    """
    region, space = canvas(view()), view().spaces.active.region_3d
    corners = [projector.matrix_basis @ corner for corner in projector.data.view_frame(scene=bpy.context.scene)]
    pictures = np.array([location_3d_to_region_2d(region, space, corner) for corner in corners])
    filled = (pictures.max(axis=0) - pictures.min(axis=0)) / (region.width - 2 * aside, region.height)
    axes = [matrix.to_3x3() @ Vector((0, 0, -1)) for matrix in (space.view_matrix.inverted(), projector.matrix_basis)]
    inside = bool((pictures >= 0).all() and pictures[:, 0].max() < region.width - aside)
    return {"filled": filled.tolist(), "inside": inside, "degrees": degrees(axes[0].angle(axes[1]))}


def alike(projector, folder: Path) -> float:
    """PSNR between EEVEE's and Cycles' render from a view, off the outlines, with nothing but the regions shown."""
    scene = bpy.context.scene
    scene.render.resolution_percentage = 30
    scene.render.film_transparent, scene.view_settings.view_transform = True, "Standard"
    camera, scene.camera = scene.camera, projector
    scene.objects["Plane"].hide_render = True
    pictures = [rendered(scene, engine, folder / f"{projector.name}-{engine}.png") for engine in ("CYCLES", EEVEE)]
    scene.objects["Plane"].hide_render = False
    scene.camera = camera
    near = np.stack([np.roll(pictures[0], (y, x), axis=(0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)])
    calm = (np.ptp(near, axis=0).max(axis=2) < 0.1) & (near[..., 3].min(axis=0) == 1.0)
    return float(-10 * np.log10(np.mean((pictures[0][calm] - pictures[1][calm])[:, :3] ** 2)))


def rendered(scene, engine: str, path: Path):
    """What an engine renders, (height, width, 4)."""
    scene.render.engine, scene.render.filepath = engine, str(path)
    scene.cycles.samples, scene.cycles.use_denoising, scene.eevee.taa_render_samples = 16, False, 8
    scene.render.image_settings.color_mode = "RGBA"
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    width, height = image.size
    pixels = np.array(image.pixels[:], dtype=np.float32).reshape(height, width, 4)
    bpy.data.images.remove(image)
    return pixels
