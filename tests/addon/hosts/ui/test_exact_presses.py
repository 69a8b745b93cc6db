# SPDX-License-Identifier: MIT
"""Generate with Exact on, with a real server and a real second Blender: what is set counts once, and what is typed
while the capture is made stays."""

import json
from importlib.util import find_spec

import bpy
import pytest

from addon.request.settings import SEED
from addon.runtime.app import App
from addon.ui.operators.request.references import panel_canvas

# A Blender of its own has the add-on alone.
pytestmark = pytest.mark.skipif(find_spec("uvicorn") is None, reason="the server is not installed here")

TYPED = 100


@pytest.mark.parametrize("percent", [50, 200])
def test_size_counts_once_and_a_seed_that_is_typed_meanwhile_stays(painting: App, percent: int) -> None:
    scene = bpy.context.scene
    scene.maquette_exact, scene.maquette_size = True, percent

    async def type_a_seed() -> None:
        await painting.dispatcher.until(lambda session: session.exact_captures > 0)
        scene[SEED] = TYPED

    painting.event_loop.start(type_a_seed())
    assert bpy.ops.maquette.generate() == {"FINISHED"}, painting.session.notice
    request, canvas = json.loads(painting.session.tasks[-1].request), panel_canvas(bpy.context)
    assert (request["width"], request["height"]) == (canvas.width, canvas.height)
    assert painting.session.notice is None, "the view shows the same"
    assert (request["seed"], scene.maquette_seed) == (0, TYPED)
