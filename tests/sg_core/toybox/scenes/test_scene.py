# SPDX-License-Identifier: MIT
"""Scenes: drawn from a seed alone, true in their masks, varied, and honest about what is held out."""

from dataclasses import replace

import pytest
import torch

from sg_core.models.cards import CARDS
from sg_core.toybox.recipe import FALLBACK, FULL, SHARP
from sg_core.toybox.scenes.atlas import Atlas, load_atlas
from sg_core.toybox.scenes.compose import compose
from sg_core.toybox.scenes.places import PLACES
from sg_core.toybox.scenes.scene import (
    BIG,
    FIRST,
    SIX_LOOKS,
    SIZES,
    SMALL,
    Scene,
    SceneObject,
    Vocabulary,
    draw_scene,
    held_out,
)

VOCABULARY = FALLBACK.vocabulary


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return load_atlas(FALLBACK.nouns)


def scene_of(*objects: SceneObject, place: str = "meadow") -> Scene:
    return Scene(place, 0.6, (0.5,) * 8, objects, "")


def test_a_seed_is_a_scene_and_its_pixels(atlas):
    scenes = [draw_scene(7, atlas, VOCABULARY) for _ in range(2)]
    assert scenes[0] == scenes[1]
    assert scenes[0] != draw_scene(8, atlas, VOCABULARY)
    one, other = (compose([scene], atlas, 64, 64).rgb for scene in scenes)
    assert torch.equal(one, other)


def test_the_caption_names_every_thing_and_a_place_it_stands_at(atlas):
    told = 0
    for seed in range(300):
        scene = draw_scene(seed, atlas, VOCABULARY)
        assert all(f" {phrase}" in f" {scene.caption}" for phrase in scene.phrases)
        told += any(phrase in scene.caption for phrase in PLACES[scene.place].phrases)
    assert 0.85 < told / 300 < 0.97


def test_things_vary_in_number_size_stretch_colour_and_spot(atlas):
    scenes = [draw_scene(seed, atlas, VOCABULARY) for seed in range(400)]
    objects = [item for scene in scenes for item in scene.objects]
    assert {len(scene.objects) for scene in scenes} == {1, 2, 3, 4}
    sides = [(item.width * item.height) ** 0.5 for item in objects]
    assert min(sides) < 1.2 * FIRST.sides[0]
    assert max(sides) > 0.85 * FIRST.sides[1]
    stretches = [item.width / item.height / atlas.tiles[item.tile].aspect for item in objects]
    assert min(stretches) < 0.6
    assert max(stretches) > 1.7
    assert len({item.colour for item in objects}) == 8
    cells = {(int(5 * item.x), int(5 * item.y)) for item in objects}
    assert len(cells) >= 22


def test_rockets_stand_upright_half_of_the_time_where_the_style_says_so(atlas):
    for style, share in ((FIRST, 0.0), (replace(FIRST, upright=True), 0.5), (SIX_LOOKS, 0.5)):
        scenes = [draw_scene(seed, atlas, replace(VOCABULARY, style=style)) for seed in range(600)]
        rockets = [item for scene in scenes for item in scene.objects if item.noun == "rocket"]
        assert sum(atlas.tiles[item.tile].turned for item in rockets) / len(rockets) == pytest.approx(share, abs=0.2)


def test_held_out_combinations_are_drawn_for_tests_and_never_for_training(atlas):
    for seed in range(150):
        for test in (False, True):
            scene = draw_scene(seed, atlas, VOCABULARY, count=2, test=test)
            if len(scene.objects) == 2:
                assert held_out([item.noun for item in scene.objects]) == test
    pairs = [(a, b) for a in VOCABULARY.nouns for b in VOCABULARY.nouns if a < b]
    assert 0.06 < sum(map(held_out, pairs)) / len(pairs) < 0.2


def test_nearer_things_hide_farther_ones_and_masks_know_it(atlas):
    far = SceneObject("apple", atlas.of("apple")[0], None, False, 0.45, 0.5, 0.5, 0.5)
    near = SceneObject("pumpkin", atlas.of("pumpkin")[0], None, False, 0.6, 0.55, 0.5, 0.5)
    pictures = compose([scene_of(far, near)], atlas, 96, 96)
    visible, full = pictures.visible[0], pictures.full[0]
    assert torch.allclose(visible[1], full[1])
    assert visible[0].sum() < 0.8 * full[0].sum()
    assert visible.sum(0).max() <= 1 + 1e-5
    alone = compose([scene_of(near)], atlas, 96, 96).rgb
    covered = full[1] > 0.999
    assert torch.allclose(pictures.rgb[0][:, covered], alone[0][:, covered], atol=0.02)


@pytest.mark.parametrize(("width", "height"), [(96, 96), (160, 96), (96, 160)])
def test_a_thing_keeps_its_proportions_in_every_bucket(atlas, width, height):
    tile = atlas.of("bus")[0]
    bus = SceneObject("bus", tile, None, False, 0.5, 0.5, 0.6, 0.3)
    mask = compose([scene_of(bus)], atlas, width, height).full[0, 0] > 0.5
    rows, columns = mask.nonzero(as_tuple=True)
    measured = (columns.max() - columns.min() + 1) / (rows.max() - rows.min() + 1)
    assert measured.item() == pytest.approx(2.0, rel=0.08)


def test_a_colour_word_turns_the_thing_that_colour(atlas):
    def mean_colour(noun: str, colour: str) -> torch.Tensor:
        item = SceneObject(noun, atlas.of(noun)[0], colour, True, 0.5, 0.5, 0.7, 0.7)
        pictures = compose([scene_of(item)], atlas, 96, 96)
        return pictures.rgb[0][:, pictures.full[0, 0] > 0.9].mean(1)

    for noun in ("castle", "elephant", "apple"):
        blue, red, green = (mean_colour(noun, colour) for colour in ("blue", "red", "green"))
        assert blue.argmax() == 2
        assert red.argmax() == 0
        assert green.argmax() == 1


def test_no_two_backdrops_are_alike(atlas):
    empty = [Scene(place, 0.6, tuple(torch.rand(8).tolist()), (), "") for place in VOCABULARY.places]
    item = SceneObject("car", atlas.of("car")[0], None, False, 0.5, 0.9, 0.15, 0.15)
    pictures = compose([Scene(s.place, s.horizon, s.phase, (item,), "") for s in empty], atlas, 64, 64).rgb
    distances = torch.cdist(pictures.flatten(1), pictures.flatten(1)) + torch.eye(len(empty)) * 1e3
    assert distances.min() > 2


def test_a_caption_says_small_of_small_things_only_and_big_of_big_ones(atlas):
    objects = [item for seed in range(400) for item in draw_scene(seed, atlas, VOCABULARY).objects]
    sides = {word: [(t.width * t.height) ** 0.5 for t in objects if t.sized in SIZES[word]] for word in SIZES}
    assert max(sides["small"]) < SMALL
    assert min(sides["big"]) > BIG
    assert all(len(found) > 20 for found in sides.values())
    assert sum(not item.sized for item in objects) > 400


def test_what_the_card_says_is_what_captions_say():
    groups = {group["name"]: tuple(group["words"]) for group in CARDS["toybox"].vocabulary}
    assert groups == SHARP.vocabulary.groups
    known = set(SHARP.vocabulary.words)
    assert all(word in known for words in groups.values() for phrase in words for word in phrase.split())
    assert {"at night", "in autumn"} <= set(FULL.vocabulary.groups["times"] + Vocabulary(("car",)).groups["times"])
