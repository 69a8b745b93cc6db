# SPDX-License-Identifier: MIT
"""Several projections as one: no scraps of older ones, no seams, lit or not, onto what is selected, in true colours."""

import bpy
import numpy as np
import pytest

from addon.projection.projectors import is_lit, light, project
from addon.projection.view_transform import altering, show_as_is
from addon.regions.marks import mark
from tests.addon.hosts.projection.sample_projection import flat, gradient, psnr, regions, staged
from tests.addon.hosts.sample_scenes import ball, box, camera, fresh, group, instance, mesh, paint, put, render

RED, BLUE = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)
SEAM = 8 / 255


def view_of(scene, eye, path, samples=16):
    scene.camera, before = eye, scene.camera
    picture = render(scene, path, samples=samples)[:, :, :3]
    scene.camera = before
    return picture


def crowded():
    """Round, thin, sloping and hidden things, all of them regions."""
    scene = staged()
    mark(ball("round", (-2.5, 0.5, 1.0), 0.8))
    mark(box("thin", (2.6, -1.5, 0.4), (0.05, 0.6, 2.5)))
    sloping = box("sloping", (0.2, 3.0, 1.5), (3, 3, 0.1))
    sloping.rotation_euler = (0.25, 0.1, 0.4)
    mark(sloping)
    mark(scene.objects["floor"])
    bpy.context.view_layer.update()
    return scene


@pytest.mark.parametrize("kind", ["PERSP", "ORTHO"])
def test_a_second_one_from_the_same_camera_leaves_nothing_of_the_first(kind, tmp_path):
    scene = crowded()
    scene.camera.data.type, scene.camera.data.ortho_scale = kind, 9.0
    other = camera(scene, (6, -6, 4), (0, 0, 0), "Other")
    alone = crowded()
    alone.camera.data.type, alone.camera.data.ortho_scale = kind, 9.0
    beside = camera(alone, (6, -6, 4), (0, 0, 0), "Other")
    project(alone, alone.camera, flat(BLUE))
    expected = [view_of(alone, eye, tmp_path / "e.png") for eye in (alone.camera, beside)]
    scene = crowded()
    scene.camera.data.type, scene.camera.data.ortho_scale = kind, 9.0
    other = camera(scene, (6, -6, 4), (0, 0, 0), "Other")
    project(scene, scene.camera, flat(RED))
    project(scene, scene.camera, flat(BLUE))
    for eye, picture in zip((scene.camera, other), expected, strict=True):
        assert np.abs(view_of(scene, eye, tmp_path / "s.png") - picture).max() < 2 / 255


@pytest.mark.parametrize(("place", "lens"), [((5, -8, 0), 50), ((0, -6, 0), 50), ((2, -14, 1), 80), ((0, -10, 0), 90)])
def test_a_plane_that_two_see_has_no_seam(place, lens, tmp_path):
    scene = fresh(256, 256)
    mark(put("plane", mesh([(-9, 0, -9), (9, 0, -9), (9, 0, 9), (-9, 0, 9)], [(0, 1, 2, 3)], "plane"), (0, 0, 0)))
    second = camera(scene, place, (0, 0, 0), "Second")
    second.data.lens = lens
    project(scene, scene.camera, flat((0.4, 0.4, 0.4)))
    project(scene, second, flat((0.6, 0.6, 0.6)))
    seen = view_of(scene, scene.camera, tmp_path / "seen.png", 4)[
        32:-32, 32:-32
    ]  # where the frames' edges cross, they meet
    steps = max(np.abs(np.diff(seen, axis=axis)).max() for axis in (0, 1))
    assert steps < SEAM
    assert seen.max() - seen.min() > 0.1  # there are two pictures in it


def test_lit_it_has_shadows_and_else_it_is_the_picture(tmp_path):
    scene = staged()
    lamp = bpy.data.objects.new("lamp", bpy.data.lights.new("lamp", "SUN"))
    lamp.rotation_euler, lamp.data.energy = (0.9, 0.0, 1.2), 3.0
    scene.collection.objects.link(lamp)
    inside = regions(scene, tmp_path / "plain.png")
    picture = gradient(180, 320)
    project(scene, scene.camera, bpy.data.images.load(str(paint(tmp_path / "p.png", picture))))
    emitted = view_of(scene, scene.camera, tmp_path / "emitted.png")
    assert not is_lit(scene) and psnr(emitted[inside], picture[inside]) > 35
    light(scene, True)
    lit = view_of(scene, scene.camera, tmp_path / "lit.png")
    assert is_lit(scene) and np.abs(lit - emitted)[inside].max() > 0.2
    assert lit[inside].min() < 0.05
    hues = lit[inside] / np.maximum(lit[inside].sum(axis=1, keepdims=True), 1e-6)
    bright = lit[inside].sum(axis=1) > 0.6
    assert np.median(hues[bright, 1]) < 0.25  # of the picture's colours, which are never green
    light(scene, False)
    assert np.abs(view_of(scene, scene.camera, tmp_path / "again.png") - emitted).max() < 2 / 255


def test_the_ground_takes_it_where_it_is_selected(tmp_path):
    scene = staged()
    floor = scene.objects["floor"]
    plain = render(scene, tmp_path / "plain.png", samples=16)
    ground = (np.abs(plain[:, :, 0] - plain[:, :, 1]) < 0.02) & (plain[:, :, 0] > 0.1)
    project(scene, scene.camera, flat(RED))
    assert not (view_of(scene, scene.camera, tmp_path / "regions.png")[ground][:, 0] > 0.9).any()
    project(scene, scene.camera, flat(BLUE), selected={floor.session_uid})
    seen = view_of(scene, scene.camera, tmp_path / "ground.png")
    assert (seen[ground][:, 2] > 0.9).mean() > 0.98


def test_a_selected_instance_of_a_collection_takes_it_too(tmp_path):
    scene = staged()
    floor, ground = scene.objects["floor"], group("ground")
    scene.collection.objects.unlink(floor)
    ground.objects.link(floor)
    placed = instance("placed ground", ground, (0, 0, 0))
    bpy.context.view_layer.update()
    project(scene, scene.camera, flat(BLUE), selected={placed.session_uid})
    seen = view_of(scene, scene.camera, tmp_path / "ground.png")
    assert (seen[-10:, :, 2] > 0.9).mean() > 0.98


def test_a_white_balance_is_said_and_taken_off():
    view = fresh().view_settings
    show_as_is(bpy.context.scene)
    if not hasattr(view, "use_white_balance"):  # before 4.3
        assert altering(bpy.context.scene) == ""
        return
    view.use_white_balance = True
    assert altering(bpy.context.scene) == "white balance"
    show_as_is(bpy.context.scene)
    assert altering(bpy.context.scene) == ""


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("view_settings.view_transform", "AgX", "AgX"),
        ("view_settings.view_transform", "Filmic", "Filmic"),
        ("view_settings.view_transform", "Raw", "Raw"),
        ("view_settings.look", "High Contrast", "the look High Contrast"),
        ("view_settings.exposure", 0.5, "exposure or gamma"),
        ("view_settings.gamma", 1.2, "exposure or gamma"),
        ("view_settings.use_curve_mapping", True, "curves"),
        ("cycles.film_exposure", 2.0, "exposure or gamma"),
    ],
)
def test_whatever_alters_colours_is_said_and_taken_off(path, value, why):
    scene = fresh()
    scene.render.engine = "CYCLES"
    show_as_is(scene)
    holder, name = path.split(".")
    try:
        setattr(getattr(scene, holder), name, value)
    except TypeError:  # 4.2 has no such look of Standard
        pytest.skip(f"this Blender has no {value}")
    assert altering(scene) == why
    show_as_is(scene)
    assert altering(scene) == "" and getattr(getattr(scene, holder), name) != value


def test_colours_are_altered_by_agx_and_as_they_are_by_one_button(tmp_path):
    scene = staged()
    inside = regions(scene, tmp_path / "plain.png")
    picture = gradient(180, 320)
    project(scene, scene.camera, bpy.data.images.load(str(paint(tmp_path / "p.png", picture))))
    agx = render(scene, tmp_path / "agx.png", samples=16, view="AgX")[:, :, :3]
    assert altering(scene) == "AgX" and psnr(agx[inside], picture[inside]) < 25
    scene.view_settings.exposure = 0.5
    show_as_is(scene)
    assert altering(scene) == ""
    seen = render(scene, tmp_path / "seen.png", samples=16, view=scene.view_settings.view_transform)[:, :, :3]
    assert psnr(seen[inside], picture[inside]) > 35
