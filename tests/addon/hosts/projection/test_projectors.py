# SPDX-License-Identifier: MIT
"""Several views stacked: each camera sees its own picture, and any of them comes off without a trace."""

import time
from types import SimpleNamespace

import bpy
import numpy as np
import pytest

from addon.capture.scene import evaluated
from addon.messages.errors import LockedObject
from addon.pictures.image import remove
from addon.projection import keys
from addon.projection.projectors import is_on, project, projectable, projectors, remove_projectors, switch
from addon.regions.marks import mark, unmark
from tests.addon.hosts.projection.sample_projection import GREEN, flat, gradient, nudged, psnr, regions, staged
from tests.addon.hosts.sample_scenes import (
    box,
    camera,
    colour,
    fingerprint,
    fresh,
    group,
    instance,
    mesh,
    paint,
    put,
    render,
)

RED, BLUE, YELLOW = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 0.0)


def loaded(tmp_path, name, picture):
    return bpy.data.images.load(str(paint(tmp_path / name, picture)))


def side(scene):
    """A second camera, which shares some of what the first one sees."""
    return camera(scene, (10.5, -4.0, 2.5), (0, 0, 0), "Side")


def seen_from(scene, eye, path):
    scene.camera, before = eye, scene.camera
    found = render(scene, path, samples=16)[:, :, :3]
    scene.camera = before
    return found


def is_colour(seen, rgb):
    """Pixels of that colour alone."""
    return np.abs(seen - np.array(rgb)).max(axis=2) < 0.02


def users():
    """How many users every data-block has."""
    kinds = ("objects", "collections", "cameras", "meshes", "materials", "images", "node_groups")
    return {(kind, item.name_full): item.users for kind in kinds for item in getattr(bpy.data, kind)}


def changes(before, after):
    return {key: (before.get(key), after.get(key)) for key in before | after if after.get(key) != before.get(key)}


def test_each_camera_sees_its_own_picture(tmp_path, record_property):
    scene = staged()
    first, second = scene.camera, side(scene)
    scene.camera = second
    inside_second = regions(scene, tmp_path / "plain-2.png")
    scene.camera = first
    inside_first = regions(scene, tmp_path / "plain-1.png")
    project(scene, first, flat(RED))
    project(scene, second, flat(BLUE))
    # by colour: where the second view wins, where it fades or does not see, and where neither does
    alone = is_colour(seen_from(scene, first, tmp_path / "flat-1.png"), RED) & inside_first
    square = is_colour(seen_from(scene, second, tmp_path / "flat-2.png"), BLUE) & inside_second
    remove(scene)
    picture, other = gradient(180, 320), gradient(180, 320)[::-1, ::-1]
    project(scene, first, loaded(tmp_path, "1.png", picture))
    project(scene, second, loaded(tmp_path, "2.png", other))
    figures = (
        psnr(seen_from(scene, first, tmp_path / "seen-1.png")[alone], picture[alone]),
        psnr(seen_from(scene, second, tmp_path / "seen-2.png")[square], other[square]),
    )
    record_property("psnr", [float(figure) for figure in figures])
    print("psnr", figures, alone.sum() / inside_first.sum(), square.sum() / inside_second.sum())
    assert 0.1 < alone.sum() / inside_first.sum() < 0.9
    assert square.sum() / inside_second.sum() > 0.8
    assert min(figures) > 35


@pytest.mark.parametrize("step", [3600, 0, -3600])
def test_the_newer_view_lies_on_top_whatever_the_clock_does(step, tmp_path, monkeypatch):
    scene, now = staged(), time.time_ns()
    monkeypatch.setattr(keys, "time", SimpleNamespace(time_ns=lambda: now))
    first = project(scene, nudged(scene), flat(RED))
    now += step * 10**9
    second = project(scene, nudged(scene), flat(BLUE))
    now += step * 10**9
    assert projectors(scene) == [first, second]
    third = project(scene, nudged(scene), flat(YELLOW))
    assert projectors(scene) == [first, second, third]
    assert is_colour(seen_from(scene, scene.camera, tmp_path / "seen.png"), YELLOW).any()
    assert not is_colour(seen_from(scene, scene.camera, tmp_path / "again.png"), BLUE).any()


def test_what_the_newer_view_only_grazes_keeps_the_older(tmp_path):
    scene = fresh(64, 64)
    front = scene.camera
    mark(put("card", mesh([(-1, 0, -1), (1, 0, -1), (1, 0, 1), (-1, 0, 1)], [(0, 1, 2, 3)], "card"), (0, 0, 0)))
    distance = 10.0
    grazing, slanted = (
        camera(scene, (distance * np.sin(angle), -distance * np.cos(angle), 0), (0, 0, 0), f"{angle:.2f}")
        for angle in (np.arccos(0.05), np.arccos(0.6))
    )
    grazing.data.type = slanted.data.type = "ORTHO"

    def middle(name):
        return seen_from(scene, front, tmp_path / f"{name}.png")[28:36, 28:36]

    project(scene, grazing, flat(RED))
    assert is_colour(middle("alone"), RED).all()
    project(scene, front, flat(BLUE))
    assert is_colour(middle("square"), BLUE).all()
    project(scene, grazing, flat(YELLOW))
    assert is_colour(middle("grazing"), BLUE).all()
    project(scene, slanted, flat(RED))
    assert is_colour(middle("slanted"), RED).all()


def test_views_are_switched_and_removed_one_by_one(tmp_path):
    scene = staged(64, 36)
    first, second, shot = scene.camera, side(scene), tmp_path / "shot.png"
    seen_from(scene, second, shot)  # so that render settings and Render Result are the same from here on
    before, counted = fingerprint(), users()
    one = project(scene, first, flat(RED))
    between, counted_between = fingerprint(), users()
    two = project(scene, second, flat(BLUE))
    assert projectors(scene) == [one, two]
    image = two["maquette_projector"]["picture"]
    switch(two, False)
    assert not is_on(two) and is_on(one)
    assert not is_colour(seen_from(scene, second, shot), BLUE).any()
    switch(two, True)
    assert is_colour(seen_from(scene, second, shot), BLUE).any()
    switch(one, False)
    switch(two, False)
    assert bpy.data.objects["box"].material_slots[0].material.name == "box"
    switch(one, True)
    remove_projectors([two])
    bpy.data.images.remove(image)
    copied_anew = {key for key in changes(between, fingerprint()) if key[0] == "materials" and key[-1] == "session_uid"}
    assert changes(between, fingerprint()).keys() == copied_anew
    assert changes(counted_between, users()) == {}
    remove(scene)
    bpy.data.images.remove(bpy.data.images["flat"])
    assert changes(before, fingerprint()) == {}
    assert changes(counted, users()) == {}


def test_a_projector_is_locked_and_out_of_the_way():
    scene = staged(64, 36)
    stood = scene.camera.matrix_world.copy()
    projector = project(scene, scene.camera, flat(RED))
    scene.camera.location.x += 3
    assert np.allclose(projector.matrix_basis, stood, atol=1e-6)
    assert all((*projector.lock_location, *projector.lock_rotation, *projector.lock_scale))
    home = bpy.data.collections["Maquette"]
    assert home.hide_select and home.hide_render and home.hide_viewport
    assert projector.users_collection == (home,)


def test_what_is_no_region_is_never_touched(tmp_path):
    """Twins that share a mesh and its material, and an unmarked instance of a region's very object."""
    scene = fresh(128, 64)
    source = group("source")
    colour(box("part", (0, 0, 0), (1, 1, 1), collection=source), GREEN)
    mark(instance("marked instance", source, (-1, 0, 1)))
    instance("plain instance", source, (1, 0, 1))
    twin = box("marked twin", (-1, 0, -1))
    colour(twin, GREEN)
    mark(twin)
    plain = put("plain twin", twin.data, (1, 0, -1))
    bpy.context.view_layer.update()
    project(scene, scene.camera, flat(RED))
    seen = seen_from(scene, scene.camera, tmp_path / "seen.png")
    left, right = is_colour(seen[:, :64], RED), is_colour(seen[:, 64:], RED)
    assert left.mean() > 0.1 and not right.any()
    assert plain.material_slots[0].material.name == "marked twin" and plain.material_slots[0].link == "DATA"


def test_bare_many_slotted_and_shared_objects_come_off_exactly(tmp_path):
    scene = fresh(64, 36)
    bare, many = box("bare", (-2, 0, 0)), box("many", (0, 0, 0))
    twin = put("bare twin", bare.data, (2, 0, 0))
    for name, rgb in (("one", GREEN), ("two", (0.2, 0.2, 0.2))):
        colour(many, rgb)
        many.data.materials[-1].name = name
    many.data.polygons[0].material_index = 1
    many.data.materials.append(None)
    many.data.materials[0].use_fake_user = True
    many.data.materials[1].asset_mark()
    for thing in (bare, many, twin):
        mark(thing)
    bpy.context.view_layer.update()
    seen_from(scene, scene.camera, tmp_path / "seen.png")  # so that only the projection changes the file from here on
    before, counted = fingerprint(), users()
    project(scene, scene.camera, flat(RED))
    assert is_colour(seen_from(scene, scene.camera, tmp_path / "seen.png"), RED).mean() > 0.02
    project(scene, side(scene), flat(BLUE))
    bpy.data.objects.remove(bpy.data.objects["Side"])
    bpy.data.cameras.remove(bpy.data.cameras["Side"])
    remove(scene)
    for image in [image for image in bpy.data.images if image.name.startswith("flat")]:
        bpy.data.images.remove(image)
    assert changes(before, fingerprint()) == {}
    assert changes(counted, users()) == {}


def test_the_artists_own_changes_stay():
    """A material assigned since, a slot added since, a copy made since."""
    scene = staged(64, 36)
    first, other = bpy.data.objects["box"], bpy.data.objects["ball"]
    project(scene, scene.camera, flat(RED))
    new = bpy.data.materials.new("new")
    first.material_slots[0].material = new
    copy = other.copy()
    scene.collection.objects.link(copy)
    other.data.materials.append(new)
    remove(scene)
    assert first.material_slots[0].material == new
    assert [slot.material.name for slot in other.material_slots] == ["ball", "new"]
    assert [slot.material.name for slot in copy.material_slots] == ["ball", "new"]
    assert not any("maquette_slots" in thing or "maquette_thrown" in thing for thing in bpy.data.objects)


def test_linked_data_is_dressed_where_it_has_slots_and_refused_where_not(tmp_path):
    scene = fresh(64, 36)
    slotted, bare = box("slotted"), box("bare")
    colour(slotted, GREEN)
    bpy.data.libraries.write(str(tmp_path / "library.blend"), {slotted.data, bare.data, slotted})
    for thing in (slotted, bare):
        bpy.data.objects.remove(thing)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, into):
        into.meshes, into.objects = ["slotted", "bare"], ["slotted"]
    with_slots = put("with slots", into.meshes[0], (0, 0, 0))
    mark(with_slots)
    bpy.context.view_layer.update()
    project(scene, scene.camera, flat(RED))
    assert is_colour(seen_from(scene, scene.camera, tmp_path / "seen.png"), RED).mean() > 0.02
    remove(scene)
    assert with_slots.material_slots[0].link == "DATA" and with_slots.material_slots[0].material.library
    mark(put("without", into.meshes[1], (1, 0, 0)))
    bpy.context.view_layer.update()
    onto, _ = projectable(scene, evaluated(scene), scene.camera, flat(RED))
    assert (onto.objects, onto.locked) == ((with_slots,), ("bare",))  # one that is locked keeps no other from it
    unmark(with_slots)
    _refused(scene, "bare")
    bpy.data.objects.remove(bpy.data.objects["without"])
    override = into.objects[0].override_create()
    scene.collection.objects.link(override)
    mark(override)
    bpy.context.view_layer.update()
    _refused(scene, "slotted")


def _refused(scene, name):
    bpy.context.view_layer.update()
    picture = flat(BLUE)
    before = fingerprint()
    with pytest.raises(LockedObject, match=name):
        project(scene, scene.camera, picture)
    assert changes(before, fingerprint()) == {}
