# SPDX-License-Identifier: MIT
"""Generate Again, under a picture that failed: asks for what that was to be, with a real server."""

import json
from dataclasses import replace
from importlib.util import find_spec

import bpy
import pytest

from addon.pictures import history
from addon.pictures.history import Entry, Thumb
from addon.request.settings import DEFAULTS
from addon.runtime.app import App
from tests.addon.session.samples import blockout

# A Blender of its own has the add-on alone.
pytestmark = pytest.mark.skipif(find_spec("uvicorn") is None, reason="the server is not installed here")

EARLIER = "1" * 64
CURSED = "a cursed castle"  # which this painter does not survive


def test_a_variation_that_failed_is_asked_for_again_whatever_the_scene_asks_for(painting: App) -> None:
    earlier = Entry(
        name=EARLIER,
        created=0.0,
        request=replace(blockout(), prompt=CURSED),
        settings=DEFAULTS,
        pose=(0.0,),
        thumb=Thumb(width=1, height=1, data=""),
    )
    history.keep(painting.gallery.folder, earlier)
    bpy.ops.maquette.vary_entry(name=EARLIER, amount=0.25)
    ((failed, notice),) = painting.session.failed
    assert failed.view.entry == EARLIER
    bpy.ops.maquette.generate(answers=notice.subject)
    ((again, notice),) = painting.session.failed
    assert again is not failed and json.loads(again.request) == json.loads(failed.request)
    bpy.ops.maquette.generate(answers=notice.subject, changed=True)  # as Paint Smaller does
    assert painting.session.failed == () and json.loads(painting.session.tasks[-1].request)["prompt"] == "a rocket"
