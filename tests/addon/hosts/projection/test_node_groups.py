# SPDX-License-Identifier: MIT
"""A picture in a scene: what the camera sees is the picture, what it does not see is untouched, and it comes off."""

import bpy
import numpy as np
import pytest

from addon.camera.reader import view
from addon.capture.scene import evaluated, geometry
from addon.cooperative import finish
from addon.headless import blocking_picture
from addon.messages.errors import LockedObject, NothingMarked
from addon.pictures.camera_background import background
from addon.pictures.image import apply_result, remove
from addon.projection.depth import BEYOND, depth_file
from addon.projection.node_groups import depth_image
from addon.projection.projectors import project
from addon.regions.marks import mark
from tests.addon.hosts.projection.sample_projection import GREEN, gradient, psnr, regions, staged
from tests.addon.hosts.sample_scenes import (
    box,
    camera,
    colour,
    fingerprint,
    fresh,
    group,
    instance,
    paint,
    pixels,
    put,
    render,
)


@pytest.mark.parametrize("setting", ["perspective", "shift", "orthographic", "anamorphic"])
def test_the_camera_sees_the_picture(setting, tmp_path, record_property):
    scene = staged()
    if setting == "shift":
        scene.camera.data.shift_x, scene.camera.data.shift_y = 0.1, 0.05
    if setting == "orthographic":
        scene.camera.data.type, scene.camera.data.ortho_scale = "ORTHO", 8.0
    if setting == "anamorphic":
        scene.render.pixel_aspect_y = 1.5
    inside = regions(scene, tmp_path / "plain.png")
    picture = gradient(180, 320)
    apply_result(scene, scene.camera, paint(tmp_path / "picture.png", picture))
    seen = render(scene, tmp_path / "projected.png", samples=16)[:, :, :3]
    figure = psnr(seen[inside], picture[inside])
    record_property("psnr", float(figure))
    assert inside.mean() > 0.1
    assert figure > 35


def test_the_picture_may_be_smaller_than_the_render(tmp_path, record_property):
    scene = staged()
    inside = regions(scene, tmp_path / "plain.png")
    small = gradient(96, 171)
    apply_result(scene, scene.camera, paint(tmp_path / "picture.png", small))
    seen = render(scene, tmp_path / "projected.png", samples=16)[:, :, :3]
    figure = psnr(seen[inside], enlarged(small, 180, 320)[inside])
    record_property("psnr", float(figure))
    assert figure > 35


def enlarged(picture, height, width):
    """As a texture is read: linear between pixel centres, held at the edges, mixed in scene-linear light."""
    linear = np.where(picture <= 0.04045, picture / 12.92, ((picture + 0.055) / 1.055) ** 2.4)
    for axis, number in ((0, height), (1, width)):
        size = linear.shape[axis]
        at = np.clip((np.arange(number) + 0.5) * size / number - 0.5, 0, size - 1)
        low = np.minimum(at.astype(int), size - 2)
        part = np.expand_dims(at - low, [a for a in range(3) if a != axis])
        linear = np.take(linear, low, axis) * (1 - part) + np.take(linear, low + 1, axis) * part
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def test_from_elsewhere_hidden_faces_keep_their_material(tmp_path):
    scene = staged()
    own = fresh_side(scene, tmp_path, "own.png")
    apply_result(scene, scene.camera, paint(tmp_path / "picture.png", gradient(180, 320)))
    behind = fresh_side(scene, tmp_path, "behind.png")
    changed = np.abs(own - behind).max(axis=2) > 0.02
    # from straight behind, nothing that the first camera saw is visible but slivers along the outlines
    assert (own[:, :, 1] > 0.7).mean() > 0.05
    assert changed[own[:, :, 1] > 0.7].mean() < 0.02


def fresh_side(scene, tmp_path, name):
    front = scene.camera
    scene.camera = camera(scene, (0, 14, 2), (0, 0, 0), "Behind")
    seen = render(scene, tmp_path / name, samples=4)[:, :, :3]
    bpy.data.objects.remove(scene.camera)
    scene.camera = front
    return seen


def test_what_another_thing_hid_keeps_its_material(tmp_path):
    scene = fresh(200, 200)
    front, behind = box("front", (0, -3, 0), (2, 0.2, 2)), box("behind", (0, 3, 0), (6, 0.2, 6))
    for thing in (front, behind):
        mark(thing)
        colour(thing, GREEN)
    apply_result(scene, scene.camera, paint(tmp_path / "picture.png", gradient(200, 200)))
    front.hide_render = True
    seen = render(scene, tmp_path / "shadow.png", samples=4)
    # the hidden part of the far wall is the front's shadow: 2 wide at distance 7 is 3.68 at distance 12.9
    green = (seen[:, :, 1] > 0.7).sum()
    whole = (seen[:, :, 3] > 0.5).sum() if scene.render.film_transparent else (seen[:, :, :3].max(axis=2) > 0.06).sum()
    assert green / whole == pytest.approx((2 * 12.9 / 6.9) ** 2 / 36, rel=0.03)


def test_removing_leaves_the_scene_as_it_was(tmp_path):
    scene = staged()
    bare, shared = box("bare", (2, 0, 0)), bpy.data.objects["ball"]
    twin = put("twin", shared.data, (0, 0, 3))
    for thing in (bare, twin, put("bare twin", bare.data, (3, 0, 0))):
        mark(thing)
    kept = bpy.data.materials.new("kept by the object")
    twin.material_slots[0].link = "OBJECT"
    twin.material_slots[0].material = kept
    shared.material_slots[0].link = "OBJECT"
    shared.material_slots[0].material = kept
    shared.material_slots[0].link = "DATA"
    path = paint(tmp_path / "picture.png", gradient(9, 16))
    image = bpy.data.images.load(str(path))
    bpy.context.view_layer.update()
    before = fingerprint()
    for _ in range(2):
        background(scene.camera, image)
        project(scene, scene.camera, image)
    assert fingerprint() != before
    assert len([item for item in bpy.data.node_groups if "maquette_result" in item]) == 5  # the stack, and a view of 4
    remove(scene)
    after = fingerprint()
    assert {key: (before.get(key), after.get(key)) for key in before | after if after.get(key) != before.get(key)} == {}
    assert twin.material_slots[0].material == kept and shared.material_slots[0].material != kept


def test_it_survives_the_file_and_still_comes_off(tmp_path, record_property):
    scene = staged()
    inside = regions(scene, tmp_path / "plain.png")
    picture = paint(tmp_path / "picture.png", gradient(180, 320))
    apply_result(scene, scene.camera, picture)
    picture.unlink()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    scene = bpy.context.scene
    seen = render(scene, tmp_path / "again.png", samples=16)[:, :, :3]
    figure = psnr(seen[inside], gradient(180, 320)[inside])
    record_property("psnr", float(figure))
    assert figure > 35
    remove(scene)
    assert (regions(scene, tmp_path / "off.png") == inside).all()


def test_instances_are_projected_onto_where_they_stand(tmp_path, record_property):
    scene = fresh(200, 200)
    source = group("source")
    colour(box("part", (0, 0, 0), (1, 1, 1), collection=source), GREEN)
    for x in (-1.5, 1.5):
        mark(instance(f"pair {x}", source, (x, 0, 0)), "pair")
    inside = regions(scene, tmp_path / "plain.png")
    picture = gradient(200, 200)
    apply_result(scene, scene.camera, paint(tmp_path / "picture.png", picture))
    seen = render(scene, tmp_path / "projected.png", samples=16)[:, :, :3]
    figure = psnr(seen[inside], picture[inside])
    record_property("psnr", float(figure))
    assert figure > 35
    remove(scene)
    assert (regions(scene, tmp_path / "off.png") == inside).all()


def test_the_depth_image_is_opaque_exact_and_the_farthest_of_neighbours():
    scene = fresh(200, 200)
    scene.camera.data.type, scene.camera.data.ortho_scale = "ORTHO", 4.0
    mark(box("card", (0, 0, 0), (2, 1, 2)))  # its front is at depth 9.5 and spans the middle half of the frame
    box("stranger", (1.5, 0, 1.5), (0.5, 1, 0.5))
    graph = evaluated(scene)
    seen = view(scene, scene.camera, graph)
    shapes = geometry(scene, graph, seen)
    image = depth_image(finish(depth_file(shapes.triangles, seen)), "depth")
    found = pixels(image)
    assert found.shape == (1024, 1024, 4)
    assert (found[:, :, 3] == 1.0).all()  # EEVEE divides by alpha
    assert np.allclose(found[257:767, 257:767, 0], 9.5, rtol=1e-6)
    assert (found[256, :700, 0] == BEYOND).all() and (found[300:, 767, 0] == BEYOND).all()
    assert (found[66:190, 834:958, 0] == 0.0).all()  # seen, but no region: nothing is nearer
    assert (found[300:700, 280:740, 1] == 1.0).all()  # off the silhouette
    assert np.allclose(found[500, 256:277, 1], np.arange(21) / 20, atol=1e-6)  # and a pixel farther each


def test_nothing_marked_and_a_linked_thing_are_said_and_change_nothing(tmp_path):
    scene = fresh()
    mark(box("thing"))
    bpy.data.libraries.write(str(tmp_path / "library.blend"), {bpy.data.objects["thing"]})
    bpy.data.objects.remove(bpy.data.objects["thing"])
    image = bpy.data.images.new("picture", 16, 9)
    with pytest.raises(NothingMarked):
        project(scene, scene.camera, image)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, into):
        into.objects = ["thing"]
    scene.collection.objects.link(into.objects[0])
    before = fingerprint()
    with pytest.raises(LockedObject, match="thing"):
        project(scene, scene.camera, image)
    assert fingerprint() == before


def test_the_background_lies_on_the_frame_over_the_artists_own(tmp_path):
    scene = fresh()
    own = scene.camera.data.background_images.new()
    image = bpy.data.images.new("picture", 16, 9)
    background(scene.camera, image)
    ours = scene.camera.data.background_images[1]
    assert (ours.image, ours.frame_method, ours.display_depth) == (image, "STRETCH", "FRONT")
    assert scene.camera.data.show_background_images
    remove(scene)
    assert list(scene.camera.data.background_images) == [own]
    assert not scene.camera.data.show_background_images


def test_the_blocking_is_rendered_without_a_trace(tmp_path):
    scene = staged()
    before = fingerprint()
    blocking_picture(scene, tmp_path / "blocking.png", 64, samples=1)
    image = bpy.data.images.load(str(tmp_path / "blocking.png"))
    assert tuple(image.size) == (64, 36) and pixels(image)[:, :, 1].max() > 0.3
    bpy.data.images.remove(image)
    changed = {key[:2] for key, value in fingerprint().items() if before.get(key) != value}
    assert changed == {("images", "Render Result"), ("file", "images")}
