# SPDX-License-Identifier: MIT
"""Looks: six a noun, far apart, drawn without a word; the scenes of before are drawn as they were."""

from dataclasses import replace

import pytest
import torch

from sg_core.toybox.latents import look_codes
from sg_core.toybox.recipe import CRISP, FALLBACK
from sg_core.toybox.scenes.atlas import Atlas, load_atlas
from sg_core.toybox.scenes.compose import compose
from sg_core.toybox.scenes.looks import COLOURS, COUNT, OWN_COLOURS, between, looks, pictures_of
from sg_core.toybox.scenes.scene import SIX_LOOKS, Scene, SceneObject, Vocabulary, draw_scene

VOCABULARY = Vocabulary(FALLBACK.nouns, FALLBACK.places, SIX_LOOKS)


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return load_atlas(FALLBACK.nouns)


def portrait(noun: str, number: int, atlas: Atlas) -> Scene:
    tiles = pictures_of(noun, atlas.of(noun))
    look = looks(noun, len(tiles))[number]
    shape = (atlas.tiles[tiles[look.picture]].aspect * look.stretch) ** 0.5
    item = SceneObject(
        noun, tiles[look.picture], look.colour, False, 0.5, 0.5, 0.7 * shape, 0.7 / shape, pattern=look.pattern
    )
    return Scene("snow", 0.6, (0.5,) * 8, (item,), "")


def test_a_noun_has_six_looks_in_colours_that_are_not_its_own(atlas):
    for noun in FALLBACK.nouns:
        six = looks(noun, len(pictures_of(noun, atlas.of(noun))))
        assert len(six) == len(set(six)) == COUNT
        colours = [look.colour for look in six if look.colour]
        assert len(colours) == len(set(colours)) == 4
        assert not set(colours) & set(OWN_COLOURS.get(noun, ()))
        assert min(between(one, other) for one in colours for other in colours if one != other) >= 20
        assert {look.pattern for look in six} == {"plain", "stripes", "dots"}


def test_two_looks_of_a_noun_differ_in_most_of_their_pixels(atlas):
    for noun in FALLBACK.nouns:
        pictures = compose([portrait(noun, number, atlas) for number in range(COUNT)], atlas, 48, 48).rgb.flatten(1)
        apart = torch.cdist(pictures, pictures, p=1) / pictures.shape[1] + torch.eye(COUNT)
        assert apart.min() > 0.02, noun


def test_upright_or_aslant_a_look_has_one_code(atlas):
    (drawn,), (upright,) = atlas.of("rocket"), atlas.upright("rocket")
    one = portrait("rocket", 1, atlas).objects[0]
    assert one.tile == drawn and atlas.tiles[upright].turned
    codes = look_codes([one, replace(one, tile=upright), portrait("rocket", 3, atlas).objects[0]], atlas)
    assert torch.allclose(codes[0, :3], codes[1, :3])
    assert not torch.allclose(codes[0, :3], codes[2, :3])


def test_no_castle_is_a_pagoda(atlas):
    assert len(atlas.of("castle")) == 2
    assert pictures_of("castle", atlas.of("castle")) == atlas.of("castle")[:1]


def test_a_look_needs_no_word_and_a_word_is_obeyed(atlas):
    objects = [item for seed in range(600) for item in draw_scene(seed, atlas, VOCABULARY).objects]
    unsaid = [item for item in objects if not item.said]
    assert {item.colour for item in unsaid} >= {None, *COLOURS}
    assert all(item.phrase == item.noun for item in unsaid)
    assert 0.25 < 1 - len(unsaid) / len(objects) < 0.35
    assert all(item.colour in COLOURS and item.phrase.startswith(item.colour) for item in objects if item.said)
    share = {
        pattern: sum(item.pattern == pattern for item in objects) / len(objects) for pattern in ("stripes", "dots")
    }
    assert all(0.12 < part < 0.21 for part in share.values())


def test_things_are_whole_and_at_least_a_fifth_of_the_side(atlas):
    objects = [item for seed in range(300) for item in draw_scene(seed, atlas, VOCABULARY).objects]
    assert min((t.width * t.height) ** 0.5 for t in objects) >= SIX_LOOKS.sides[0] - 1e-6
    assert all(t.x - t.width / 2 > -0.06 and t.x + t.width / 2 < 1.06 for t in objects if t.width < 1)


def test_small_pictures_are_given_no_small_things(atlas):
    scenes = [draw_scene(seed, atlas, VOCABULARY, smallest=0.35) for seed in range(100)]
    assert min((t.width * t.height) ** 0.5 for scene in scenes for t in scene.objects) >= 0.35 - 1e-6


@pytest.mark.parametrize(("pattern", "change"), [("stripes", -1), ("dots", 1)])
def test_stripes_darken_and_dots_lighten_only_the_thing(atlas, pattern, change):
    plain = SceneObject("apple", atlas.of("apple")[0], None, False, 0.5, 0.5, 0.6, 0.6)
    marked = SceneObject("apple", atlas.of("apple")[0], None, False, 0.5, 0.5, 0.6, 0.6, pattern=pattern)
    before, after = (compose([Scene("meadow", 0.6, (0.5,) * 8, (t,), "")], atlas, 96, 96) for t in (plain, marked))
    difference = (after.rgb - before.rgb).mean(1)[0]
    inside = before.full[0, 0] > 0.99
    assert change * difference[inside].mean() > 0.02
    assert difference[before.full[0, 0] == 0].abs().max() == 0
    assert torch.equal(before.full, after.full)


def test_castles_of_today_are_none_that_people_call_pagodas(atlas):
    castles, pagodas = (
        {
            item.tile
            for seed in range(300)
            for item in draw_scene(seed, atlas, vocabulary, count=3).objects
            if item.noun == "castle"
        }
        for vocabulary in (CRISP.vocabulary, FALLBACK.vocabulary)
    )
    assert castles == set(pictures_of("castle", atlas.of("castle")))
    assert pagodas - castles == set(atlas.of("castle")[1:])
