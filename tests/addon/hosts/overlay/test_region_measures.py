# SPDX-License-Identifier: MIT
"""The numbers of the list: what is visible of each region and why one is not, and what the picture shows of it."""

import bpy
import pytest

from addon.overlay.scene_watcher import SceneWatcher
from addon.protocol.answers import Achieved
from addon.regions.marks import PHRASE, mark, write
from tests.addon.hosts.blockouts import capture
from tests.addon.hosts.overlay.test_scene_watcher import finished, settle
from tests.addon.hosts.sample_scenes import ball, box, fresh


def measures(scene, watcher=None):
    watcher = watcher or SceneWatcher()
    bpy.context.view_layer.update()
    watcher.touch(scene.session_uid, True)
    settle(watcher, scene)
    return watcher.scenes[scene.session_uid].measures


def test_sizes_and_shares_are_those_of_a_capture():
    scene = fresh()
    mark(ball("thing", (-1, 0, 0.5), 1.2))
    mark(box("wall", (-0.5, -2, 0), (1, 1, 3)))
    found = measures(scene)
    for region in capture(scene, prompt="a thing, a wall").regions:
        block = found[region.phrase].block
        assert block.size == pytest.approx(region.size, abs=0.004)
        assert block.visible == pytest.approx(region.visible, abs=0.02)
    assert found["thing"].block.visible < 0.9 < found["wall"].block.visible
    assert (found["thing"].block.hider, found["thing"].block.unseen, found["thing"].picture) == ("wall", "", None)


def test_what_is_not_seen_says_why():
    scene = fresh()
    for item in (box("thing"), box("far", (50, 0, 0)), box("speck", (1.5, 0, 0), (0.05, 0.05, 0.05))):
        mark(item)
    hidden = box("hidden", (-2, 0, 0))
    mark(hidden)
    screen = box("screen", (0, -2, 0), (1.2, 0.1, 2))
    hidden.hide_set(True)
    found = {phrase: one.block for phrase, one in measures(scene).items()}
    assert (found["thing"].unseen, found["thing"].hider) == ("behind", screen.name)
    assert found["far"].unseen == "outside"
    assert found["speck"].unseen == "small" and 0.0 < found["speck"].size < 0.01
    assert found["hidden"].unseen == "in the view"
    hidden.hide_set(False)
    hidden.hide_render = True
    assert measures(scene)["hidden"].block.unseen == "from renders"


def exactly(scene):
    """What a picture shows that obeys its request to the pixel."""
    return tuple(
        Achieved(name=region.name, by="judge", mask=region.mask, centroid=region.centroid, size=region.size)
        for region in capture(scene, prompt="a thing and a ghost").regions
    )


def test_a_picture_that_obeys_overlaps_wholly_until_the_next_edit():
    scene, watcher = fresh(), SceneWatcher()
    thing = box("thing", (-1, 0, 0))
    mark(thing)
    mark(box("ghost", (1, 0, 0)))
    finished(scene, (exactly(scene)[0], Achieved(name="ghost", by="judge", mask=None, centroid=None, size=0.0)))
    found = measures(scene, watcher)
    assert found["thing"].picture.offset == pytest.approx(0.0, abs=1e-6)
    assert found["thing"].picture.overlap == 1.0
    assert (found["ghost"].picture.offset, found["ghost"].picture.overlap) == (None, None)
    assert not found["thing"].picture.outdated and not found["ghost"].picture.outdated
    thing.location.x -= 0.3
    moved = measures(scene, watcher)
    assert moved["thing"].picture.outdated and not moved["ghost"].picture.outdated
    assert moved["thing"].picture.overlap == 1.0  # of the picture as it was asked for
    thing.location.x += 0.3
    assert not measures(scene, watcher)["thing"].picture.outdated


@pytest.mark.parametrize("half", [0.33, 0.5, 1.0])
def test_a_block_that_was_not_touched_is_not_outdated(half):
    scene = fresh()
    mark(ball("thing", (-1.31, 0.2, 0.07), half))
    mark(box("ghost", (1, 0, 0)))
    finished(scene, exactly(scene))
    assert not any(one.picture.outdated for one in measures(scene).values())


def test_another_camera_and_other_words_make_it_outdated():
    scene, watcher = fresh(), SceneWatcher()
    thing = box("thing", (-1, 0, 0))
    mark(thing)
    mark(box("ghost", (1, 0, 0)))
    finished(scene, exactly(scene))
    assert not measures(scene, watcher)["thing"].picture.outdated
    write(thing, PHRASE, "a thing of beauty")
    renamed = measures(scene, watcher)["a thing of beauty"]
    assert renamed.picture is not None and renamed.picture.outdated  # by its name it is the one that was painted
    write(thing, PHRASE, "thing")
    scene.camera.location.x += 0.5
    assert all(one.picture.outdated for one in measures(scene, watcher).values())
