# SPDX-License-Identifier: MIT
"""Whose region an object is: its own mark, its collection, its instancer, or nobody."""

import unicodedata

import pytest

from addon.messages.errors import NothingMarked
from addon.protocol.default_model import TOYBOX
from addon.protocol.strict_json import dump
from addon.regions.marks import OFF, mark, unmark
from tests.addon.hosts.blockouts import capture
from tests.addon.hosts.capture.sample_cameras import look
from tests.addon.hosts.sample_scenes import box, fresh, group, instance


def test_the_phrase_is_the_name_without_its_number_and_the_prompt_is_the_scenes():
    scene = fresh()
    mark(box("Castle.001"))
    scene["maquette_prompt"] = "a castle on a meadow"
    blockout = capture(scene, seed=7, strength=0.5)
    (region,) = blockout.regions
    assert (region.name, region.phrase, region.enforce) == ("Castle.001", "castle", ("shape",))
    assert (blockout.seed, blockout.strength, blockout.steps) == (7, 0.5, TOYBOX.steps)


def test_one_phrase_is_one_region():
    scene = fresh()
    mark(box("left", (-2, 0, 0)), "thing")
    mark(box("right", (2, 0, 0)), "Thing", ["size", "centroid"])
    (region,) = look(scene).values()
    assert region.centroid == pytest.approx((0.5, 0.5), abs=0.002)


def test_an_objects_mark_beats_its_collections_and_the_inner_collection_the_outer():
    scene = fresh()
    outer = group("outer", scene.collection)
    inner = group("inner", outer)
    box("in outer", (-3, 0, 0), collection=outer)
    box("in inner", (0, 0, 0), collection=inner)
    mark(box("own", (3, 0, 0), collection=inner))
    mark(outer)
    mark(inner)
    found = look(scene, "own inner outer")
    middles = [found[name].centroid[0] for name in ("outer", "inner", "own")]
    assert middles == sorted(middles) and middles[1] == pytest.approx(0.5, abs=0.01)


def test_an_instance_is_its_instancers_region_and_a_marked_part_its_own():
    scene = fresh()
    source = group("source")
    mark(box("part", (0, 0, 1), collection=source))
    box("rest", (0, 0, -1), collection=source)
    instancer = instance("pair", source, (1, 0, 0))
    mark(instancer)
    found = look(scene, "a pair and a part")
    assert found["part"].centroid[1] < 0.5 < found["pair"].centroid[1]
    unmark(instancer)
    mark(source, "pair")
    assert look(scene, "a pair and a part")["pair"].centroid == found["pair"].centroid


def test_unmarked_things_hide_and_unmarking_makes_them_so():
    scene = fresh()
    mark(box("thing", (0, 2, 0), (2, 1, 2)))
    wall = box("wall", (1, 0, 0), (2, 1, 4))
    mark(wall)
    assert len(look(scene, "a wall and a thing")) == 2
    unmark(wall)
    (region,) = look(scene).values()
    assert region.visible < 0.6 and region.centroid[0] < 0.5
    assert list(wall.keys()) == []


# Eyes


def test_a_region_switched_off_is_left_out_and_still_hides():
    scene = fresh()
    mark(box("thing", (0, 2, 0), (2, 1, 2)))
    wall = box("wall", (1, 0, 0), (2, 1, 4))
    mark(wall)
    both = look(scene, "a wall and a thing")
    wall[OFF] = True
    (region,) = look(scene, "a thing").values()
    assert dump(region) | {"depth": both["thing"].depth} == dump(both["thing"])
    wall[OFF] = False
    assert dump(look(scene, "a wall and a thing")["wall"]) == dump(both["wall"])


def test_what_is_switched_off_in_a_collection_is_not_the_collections():
    scene = fresh()
    home = group("home", scene.collection)
    box("left", (-2, 0, 0), collection=home)
    right = box("right", (2, 0, 0), collection=home)
    mark(home)
    mark(right)
    right[OFF] = True
    assert look(scene, "a home")["home"].centroid[0] < 0.5


def test_one_eye_of_a_shared_phrase():
    scene = fresh()
    mark(box("left", (-2, 0, 0)), "thing")
    right = box("right", (2, 0, 0))
    mark(right, "thing")
    assert look(scene)["thing"].centroid[0] == pytest.approx(0.5, abs=0.01)
    right[OFF] = True
    assert look(scene)["thing"].centroid[0] < 0.4


def test_all_eyes_closed_is_said():
    scene = fresh()
    thing = box("thing")
    mark(thing)
    thing[OFF] = True
    with pytest.raises(NothingMarked, match="switched off"):
        look(scene)
    unmark(thing)
    assert list(thing.keys()) == []


def test_a_collection_and_an_object_of_one_name_are_two_regions_with_names_of_their_own():
    scene = fresh(512, 256)
    body = group("body", scene.collection)
    box("part", (-2, 0, 0), (2, 2, 2), body)
    mark(body, "knight")
    mark(box("body", (2, 0, 0), (2, 2, 2)), "dragon")
    seen = look(scene, "a knight and a dragon")
    assert [seen[phrase].name for phrase in ("knight", "dragon")] == ["body (collection)", "body"]


def test_phrases_that_differ_in_how_accents_are_stored_are_one_region():
    scene = fresh(512, 256)
    mark(box("left", (-2, 0, 0), (2, 2, 2)), "café")
    mark(box("right", (2, 0, 0), (2, 2, 2)), unicodedata.normalize("NFD", "café"))
    assert list(look(scene, "a café")) == ["café"]
