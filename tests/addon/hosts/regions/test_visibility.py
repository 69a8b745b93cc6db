# SPDX-License-Identifier: MIT
"""A region that is hidden: the sentence says where, and Show It shows it, whatever hid it."""

import bpy
import pytest

from addon.capture.instance_walk import Meshes
from addon.capture.scene import evaluated, parts
from addon.messages.errors import RegionBare, RegionHidden, UserError
from addon.regions.marks import mark, parts_of
from addon.regions.visibility import hidden, show
from tests.addon.hosts.blockouts import capture
from tests.addon.hosts.sample_scenes import box, fresh, group, instance, put


def eye(thing):
    thing.hide_set(True)


def monitor(thing):
    thing.hide_viewport = True


def camera_icon(thing):
    thing.hide_render = True


def unseen(thing):
    thing.visible_camera = False


def holdout(thing):
    thing.is_holdout = True


def collection_monitor(thing):
    home(thing).collection.hide_viewport = True


def collection_camera_icon(thing):
    home(thing).collection.hide_render = True


def excluded(thing):
    home(thing).exclude = True


def indirect(thing):
    home(thing).indirect_only = True


def parent_monitor(thing):
    bpy.context.view_layer.layer_collection.children["street"].collection.hide_viewport = True


def home(thing):
    """The layer's innermost collection that holds it."""
    return bpy.context.view_layer.layer_collection.children["street"].children["home"]


def instanced_monitor(thing):
    source = reinstanced(thing)
    source.hide_viewport = True


def instanced_camera_icon(thing):
    source = reinstanced(thing)
    source.hide_render = True


def instanced_part(thing):
    reinstanced(thing)
    thing.hide_viewport = True


def instancer_eye(thing):
    reinstanced(thing)
    bpy.context.scene.objects["instancer"].hide_set(True)


def reinstanced(thing):
    """The thing in a collection that the scene only instances."""
    source = group("source")
    source.objects.link(thing)
    thing.users_collection[0].objects.unlink(thing)
    instance("instancer", source, (0, 0, 0))
    return source


VIEW = [eye, monitor, collection_monitor, parent_monitor, instanced_monitor, instanced_part]
RENDER = [camera_icon, unseen, holdout, collection_camera_icon, excluded, indirect, instanced_camera_icon]


def staged():
    """A castle in a collection of a collection, marked, and another thing beside it."""
    scene = fresh(64, 64)
    castle = box("castle", (0, 0, 0), (2, 2, 2), group("home", group("street", scene.collection)))
    mark(castle)
    box("plain", (3, 0, 0), collection=castle.users_collection[0])
    bpy.context.view_layer.update()
    return scene, castle


def graph():
    return bpy.context.evaluated_depsgraph_get()


def complaint(scene):
    bpy.context.view_layer.update()
    with pytest.raises(RegionHidden) as told:
        capture(scene, prompt="a castle")
    return told.value


@pytest.mark.parametrize("hide", [*VIEW, instancer_eye, *RENDER], ids=lambda hide: hide.__name__)
def test_what_hides_a_region_is_said_truly_and_undone(hide):
    scene, castle = staged()
    hide(castle)
    where = "from renders" if hide in RENDER else "in the view"
    assert complaint(scene).message == f"castle is hidden {where}."
    assert show(scene, graph(), [castle]) == ""
    assert capture(scene, prompt="a castle").regions[0].visible == 1.0


def test_a_collection_is_opened_only_where_it_hides():
    scene, castle = staged()
    elsewhere = group("elsewhere", scene.collection)
    elsewhere.objects.link(castle)
    collection_monitor(castle)
    castle.hide_set(True)
    assert show(scene, graph(), [castle]) == ""
    assert home(castle).collection.hide_viewport


def test_a_collections_closed_eye_hides_nothing_from_the_capture():
    """It tidies the view; a render shows what is in it."""
    scene, castle = staged()
    home(castle).hide_viewport = True
    castle.hide_set(True)
    assert complaint(scene).message == "castle is hidden in the view."
    assert show(scene, graph(), [castle]) == ""
    assert home(castle).hide_viewport
    assert capture(scene, prompt="a castle").regions


def test_a_marked_collection_hidden_in_the_view_is_shown():
    scene, castle = staged()
    del castle["maquette_region"]
    street = scene.collection.children["street"]
    mark(street, "castle")
    collection_monitor(castle)
    assert complaint(scene).message == "street is hidden in the view."
    assert show(scene, graph(), parts_of(street)) == ""
    assert capture(scene, prompt="a castle").regions


def test_what_has_no_surface_is_not_called_hidden():
    scene = fresh(64, 64)
    mark(put("castle", None, (0, 0, 0)))
    told = complaint(scene)
    assert isinstance(told, RegionBare) and told.message == "The view has no surface of castle."


@pytest.mark.parametrize("held", ["driver", "keyframe"])
def test_what_a_driver_or_a_keyframe_hides_stays_hidden_and_is_told(held):
    scene, castle = staged()
    castle.hide_viewport = True
    if held == "driver":
        castle.driver_add("hide_viewport").driver.expression = "1"
    else:
        castle.keyframe_insert("hide_viewport", frame=1)
    bpy.context.view_layer.update()
    assert show(scene, graph(), [castle]) == "in the view"


def test_a_region_of_several_things_is_hidden_when_all_are():
    scene, castle = staged()
    twin = castle.copy()
    scene.collection.objects.link(twin)
    castle.hide_set(True)
    bpy.context.view_layer.update()
    assert hidden(scene, graph(), [castle, twin]) == ""
    mark(twin, "castle")
    bpy.context.view_layer.update()
    capture(scene, prompt="a castle")
    twin.hide_render = True
    bpy.context.view_layer.update()
    with pytest.raises(UserError, match="in the view"):
        capture(scene, prompt="a castle")


@pytest.mark.parametrize("way", ["VERTS", "FACES"])
def test_what_stands_on_vertices_or_faces_is_captured_as_it_renders(way):
    scene = fresh(256, 256)
    field, blade = box("field", (0, 0, 0), (2, 2, 2)), box("blade", (0, 0, 0), (0.5, 0.5, 0.5))
    blade.parent, field.instance_type = field, way
    mark(field)
    for hide, shown in ((False, {"field", "blade"}), (True, {"field"})):
        blade.hide_render = hide
        bpy.context.view_layer.update()
        assert {original.name for original, _ in parts(scene, evaluated(scene), Meshes())} == shown
