# SPDX-License-Identifier: MIT
"""Live without a window: what it says of a scene that has no picture, and what it sets for one that has."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import bpy
import pytest

from addon.capture.scene_settings import read
from addon.overlay.edits import unlisten
from addon.protocol.default_model import TOYBOX
from addon.regions.marks import mark
from addon.request.settings import SENT, sent
from addon.runtime.app import App
from addon.session.reducer import notice_changed
from addon.ui.live_settings import FRESH, following_few, live_changes
from addon.ui.live_view import LiveView
from tests.addon.hosts.sample_scenes import box, fresh
from tests.addon.session.samples import blockout

ASIDE = 50.0  # metres to the right, where no camera looks


@pytest.fixture
def scene(application: App) -> bpy.types.Scene:
    """A castle."""
    scene = fresh()
    scene.maquette_prompt = "a castle"
    mark(box("castle", (0, 0, 0)))
    return scene


@pytest.fixture
def view(application: App) -> Iterator[LiveView]:
    """What follows the edits; its timer does not run."""
    view = LiveView()
    yield view
    view.stop()
    unlisten(view.handlers)


def look(view: LiveView, satisfied: Callable[[], bool]) -> None:
    """Do what the timer does, until that is so."""
    end = time.monotonic() + 10
    while not satisfied():
        assert time.monotonic() < end
        time.sleep(view.look())


def move(x: float) -> None:
    """The castle, as an edit."""
    bpy.data.objects["castle"].location.x = x
    bpy.context.view_layer.update()


def test_what_a_scene_lacks_is_said_whenever_the_sentence_does_not_stand(
    application: App, scene: bpy.types.Scene, view: LiveView
) -> None:
    def lacking() -> bool:
        return application.session.notice is not None and application.session.notice.code == "region-outside"

    move(ASIDE)
    view.start(scene)
    look(view, lacking)
    application.dispatcher.apply(notice_changed, None)  # as every operator does that ends well
    move(ASIDE + 1)
    look(view, lacking)
    view.stop()
    assert application.session.notice is None, "nobody looks any more"
    view.start(scene)
    look(view, lacking)
    move(0.0)
    look(view, lambda: application.session.notice is None)
    look(view, lambda: application.live.state.painting)


@pytest.mark.parametrize(("panel", "live"), [(20, 2), (4, 4), (20, 4)])
def test_the_first_picture_is_set_as_generate_sets_one_of_as_many_steps(
    application: App, scene: bpy.types.Scene, panel: int, live: int
) -> None:
    scene.maquette_steps, bpy.context.window_manager.maquette_live_steps = panel, live
    ours = sent(replace(read(scene), **live_changes(scene)), TOYBOX)
    scene.maquette_steps = FRESH * live
    theirs = sent(read(scene), TOYBOX) | {"refinement": 0.0}  # Live's pictures have none
    assert [name for name in SENT if ours[name] != theirs[name]] == []


def test_a_strength_of_the_artist_s_own_stays_and_a_picture_that_follows_has_any(
    application: App, scene: bpy.types.Scene
) -> None:
    assert following_few(scene, blockout()).strength == blockout().strength
    scene.maquette_strength = 0.25
    assert sent(replace(read(scene), **live_changes(scene)), TOYBOX)["strength"] == 0.25
