# SPDX-License-Identifier: MIT
"""What a batch is to paint, read from a command line."""

import argparse
from dataclasses import replace
from pathlib import Path

import pytest

from addon.protocol.blockout import ControlNet
from addon.protocol.views import RegionChange
from server.batch.plan import (
    BatchPlan,
    WrongPlan,
    changed,
    frame_list,
    read_prompts,
    read_sets,
    scene_names,
    seed_list,
)
from server.cli.request_files import AlreadyCaptured, check_captured
from tests.server.serving import blockout


@pytest.mark.parametrize(
    ("text", "frames"),
    [("1-3,60", (1, 2, 3, 60)), ("-2--1", (-2, -1)), ("0-20:10", (0, 10, 20)), ("3,3,1", (3, 1)), ("7", (7,))],
)
def test_frames(text, frames):
    assert frame_list(text) == frames


@pytest.mark.parametrize("text", ["", "x", "3-1", "1-", "1-9:0", "99999999", "1-2,,"])
def test_no_frames(text):
    with pytest.raises(argparse.ArgumentTypeError):
        frame_list(text)


def test_a_seed_is_never_negative():
    with pytest.raises(argparse.ArgumentTypeError, match="must go up, and lie in 0 to 2147483647"):
        seed_list("-1")


def test_prompts_of_a_file(tmp_path):
    path = tmp_path / "prompts"
    path.write_text("# of the night\na castle\n\n  a ruin \n")
    assert read_prompts(path) == ("a castle", "a ruin")
    path.write_bytes(b'\xef\xbb\xbf# Windows\'\r\n"a castle", a ruin\r\na sea\xe2\x80\xa8of sand\x0bby day\r')
    assert read_prompts(path) == ('"a castle", a ruin', "a sea\u2028of sand\x0bby day")
    path.write_text("\n")
    with pytest.raises(WrongPlan, match="holds no prompts"):
        read_prompts(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("ein Schloß".encode("utf-16"), "save it as UTF-8"),
        (b"a castle\n" + b"x" * 2001, r"prompt 2: The prompt has 2,001 letters"),
        (b"# a castle", "holds no prompts"),
    ],
)
def test_no_prompts(tmp_path, content, said):
    path = tmp_path / "prompts"
    path.write_bytes(content)
    with pytest.raises(WrongPlan, match=said):
        read_prompts(path)
    with pytest.raises(WrongPlan, match="Is a directory"):
        read_prompts(tmp_path)


def test_sets():
    settings, regions = read_sets(["strength=0.6", "castle.phrase=ruin", "the moon.colour=1,1,0", "exact=yes"])
    assert settings == {"strength": 0.6, "exact": True}
    assert read_sets(["exact=Off"])[0] == {"exact": False}
    assert regions == (
        RegionChange(region="castle", field="phrase", value="ruin"),
        RegionChange(region="the moon", field="colour", value="1,1,0"),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("strength", "say NAME=VALUE"),
        ("strenth=1", "there is no setting 'strenth'; there is negative"),
        ("strength=much", "could not convert"),
        ("strength=2", "strength"),
        ("castle.mask=1", "a region has phrase, strength"),
        ("castle.strength=7", "must lie in 0 to 1"),
        ("castle.colour=red", "a region has"),
        ("castle.colour=1,1", "say red, green and blue"),
        ("castle.colour=nan,0,0", "say red, green and blue"),
        ("castle.colour=255,0,0", "say red, green and blue"),
        ("castle.strength=nan", "must lie in 0 to 1"),
        ("castle.phrase=", "a phrase has words"),
        ("exact=yess", "say yes or no"),
        ("strength=inf", "strength"),
        ("=", "there is no setting ''"),
        ("seed=3", "there is no setting 'seed'"),
    ],
)
def test_what_cannot_be_set(text, said):
    with pytest.raises(WrongPlan, match=said):
        read_sets([text])


def test_two_scenes_of_one_name(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.blend").touch()
    with pytest.raises(WrongPlan, match="Several scenes are called x"):
        scene_names([tmp_path / "a" / "x.blend", tmp_path / "b" / "x.blend"])
    with pytest.raises(WrongPlan, match="There is no file"):
        scene_names([tmp_path / "y.blend"])


def test_a_captured_request_is_changed():
    settings, regions = read_sets(["steps=9", "cat.phrase=red dog", "cat.strength=0.5"])
    request = changed(blockout(prompt="the cat sleeps"), settings, regions)
    assert (request.prompt, request.steps) == ("the red dog sleeps", 9)
    assert (request.regions[0].phrase, request.regions[0].strength) == ("red dog", 0.5)
    with pytest.raises(WrongPlan, match="there is cat"):
        changed(blockout(), {}, read_sets(["dog.strength=0.5"])[1])
    with pytest.raises(AlreadyCaptured, match="size cannot be set once a scene is captured"):
        check_captured({"size": 50, "steps": 9})


def test_a_controlnet_that_is_set_looks_at_the_depth_that_was_captured():
    depth = blockout().regions[0].mask
    captured = replace(blockout(), control=ControlNet(name="depth", scale=0.8, depth=depth))
    set_since = changed(captured, {"control": ControlNet(name="depth", scale=0.5)}, ()).control
    assert set_since == ControlNet(name="depth", scale=0.5, depth=depth)


def test_the_seeds_of_a_view():
    assert BatchPlan(scenes=()).seeds_of(blockout()) == [7]
    assert BatchPlan(scenes=(), seeds=(1, 2)).seeds_of(blockout()) == (1, 2)
    assert BatchPlan(scenes=(), best=3).seeds_of(blockout(seed=2**31 - 2)) == [2**31 - 2, 2**31 - 1, 0]


@pytest.mark.parametrize("best", [-1, 1_000_001])
def test_too_many_seeds(best):
    with pytest.raises(WrongPlan, match="--best takes 1 to 1000000 seeds"):
        BatchPlan(scenes=(), best=best)


def test_a_plan_holds_what_blender_is_asked_for():
    from addon.protocol.default_model import TOYBOX

    plan = BatchPlan(scenes=(Path("x.blend"),), frames=(1, 2), settings={"strength": 0.5, "exact": True})
    views = plan.views(TOYBOX)
    assert (views.frames, views.flags) == ((1, 2), ("--strength=0.5", "--exact"))
