# SPDX-License-Identifier: MIT
"""Too much of it: said by the capture, in words, before anything is looked at or sent."""

import math

import bpy
import pytest

from addon.capture.scene import capture
from addon.messages.errors import LimitExceeded, UserError
from addon.regions.marks import mark
from addon.request.limits import check_settings
from addon.request.settings import FLAGS, Settings
from tests.addon.hosts.blockouts import capture as blockout_of
from tests.addon.hosts.sample_scenes import box, fresh


def grid(count):
    """Tiles of 1.2 % of the frame each, and a prompt that names them all."""
    scene = fresh(512, 512)
    for number in range(count):
        location = (number % 9 * 0.8 - 3.2, 0, number // 9 * 0.8 - 3.2)
        mark(box(f"block {number}", location, (0.78, 0.02, 0.78)), f"n{number}")
    bpy.context.view_layer.update()
    return scene, " ".join(f"n{number}" for number in range(count))


def test_sixty_four_regions_are_captured_and_one_more_is_not():
    scene, prompt = grid(64)
    assert len(blockout_of(scene, prompt=prompt).regions) == 64
    scene, prompt = grid(65)
    with pytest.raises(LimitExceeded, match=r"^65 regions; at most 64 fit a picture\. Switch some off"):
        capture(scene, Settings(prompt=prompt))


def test_regions_that_are_off_do_not_count():
    scene, prompt = grid(65)
    scene.objects["block 64"]["maquette_off"] = True
    assert len(blockout_of(scene, prompt=prompt).regions) == 64


def castle(phrase="castle", name="castle"):
    scene = fresh()
    mark(box(name), phrase)
    bpy.context.view_layer.update()
    return scene


@pytest.mark.parametrize(
    ("settings", "phrase", "sentence"),
    [
        ({"prompt": "a castle" + "!" * 1993}, "castle", "The prompt has 2,001 letters; at most 2,000 are read."),
        ({"prompt": "a castle" + "!" * 10**6}, "castle", "The prompt has 1,000,008 letters"),
        (
            {"prompt": "a castle" + "!" * 1993, "style": "Sunset"},
            "castle",
            "The prompt, with the words of its style, has 2,001",
        ),
        ({"prompt": "a castle", "negative": "x" * 2001}, "castle", "What to avoid has 2,001 letters"),
        ({"prompt": "a " + "c" * 201}, "c" * 201, "The phrase of castle has 201 letters; at most 200 are read."),
        ({"prompt": "a castle", "seed": 2**31}, "castle", "The seed must lie in 0 to 2147483647, is 2147483648."),
        ({"prompt": "a castle", "seed": -1}, "castle", "The seed must lie in 0 to 2147483647"),
        ({"prompt": "a castle", "variation_seed": 2**64}, "castle", "The variation seed must lie in 0 to 2147483647"),
        ({"prompt": "a castle", "steps": 10**9}, "castle", "The steps must lie in 1 to 1000"),
        ({"prompt": "a castle", "scale": math.inf}, "castle", "The scale must be a finite number."),
        ({"prompt": "a castle", "strength": math.nan}, "castle", "The strength must be a finite number."),
        ({"prompt": "a castle", "noise": 4}, "castle", "The noise must lie in 0 to 3"),
        ({"prompt": "a castle", "size": 0}, "castle", "The size must lie in 1 to 400"),
        ({"prompt": "a castle", "seed": "three"}, "castle", "The seed must be int, is str."),
    ],
    ids=lambda value: str(value)[:40],
)
def test_each_limit_has_a_sentence(settings, phrase, sentence):
    with pytest.raises(LimitExceeded) as caught:
        capture(castle(phrase), Settings(**settings))
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 300, "a panel has room for a sentence, not for all of it"


@pytest.mark.parametrize(
    ("prompt", "phrase"),
    [("a castle" + "!" * 1992, "castle"), ("a " + "c" * 200, "c" * 200), ("a red\ncastle", "red\ncastle")],
)
def test_as_much_as_there_may_be(prompt, phrase):
    assert len(blockout_of(castle(phrase), prompt=prompt).regions) == 1


@pytest.mark.parametrize("prompt", ["", "   \n ", "\u00a0", "\u200b"])
def test_a_prompt_that_says_nothing(prompt):
    with pytest.raises(UserError, match="The prompt does not say “castle”"):
        capture(castle(), Settings(prompt=prompt))


def test_an_object_with_a_very_long_name():
    """Blender 5 has names of 255 bytes; a region's has at most 200 letters."""
    scene = castle(name="n" * 255)
    name = scene.objects[0].name if scene.objects[0].type == "MESH" else scene.objects[1].name
    if len(name) > 200:
        with pytest.raises(LimitExceeded, match="The name of “nnn"):
            capture(scene, Settings(prompt="a castle"))
    else:
        assert blockout_of(scene, prompt="a castle").regions[0].name == name


def test_every_flag_is_checked():
    """A number beyond all bounds is refused under the name of its flag."""
    for name, flag in FLAGS.items():
        if flag.type in (int, float):
            with pytest.raises(LimitExceeded, match=f"The {name.replace('_', ' ')} must"):
                check_settings({name: flag.type(10**12)})
