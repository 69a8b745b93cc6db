# SPDX-License-Identifier: MIT
"""The add-on's application with a scene's properties and the operators, without its timers: tests do what these do."""

from collections.abc import Iterator
from pathlib import Path

import bpy
import pytest

from addon.extension import EXTENSION
from addon.overlay.handlers import Overlay
from addon.pictures import gallery
from addon.protocol.default_model import TOYBOX
from addon.regions.marks import mark
from addon.runtime import preferences
from addon.runtime.app import APPLICATION, App
from addon.session.reducer import server_answered
from addon.ui import live_settings, operators, properties
from addon.ui.operators.picture.receive import receive
from tests.addon.hosts.sample_scenes import box, fresh
from tests.addon.session.samples import HEALTH

PARTS = (properties, gallery, operators, live_settings)


@pytest.fixture
def application(tmp_path: Path) -> Iterator[App]:
    """One that has met a server, and asks it for nothing, for its event loop stands still."""
    application = App(tmp_path / "extension", receive, Overlay)
    setattr(bpy.types.WindowManager, APPLICATION, application)
    for part in PARTS:
        part.register()
    application.dispatcher.apply(server_answered, HEALTH, (TOYBOX,))
    yield application
    for part in reversed(PARTS):
        part.unregister()
    application.close()
    delattr(bpy.types.WindowManager, APPLICATION)


@pytest.fixture
def painting(own_home: Path, application: App) -> Iterator[App]:
    """The application in a scene with a rocket, with preferences, and with a server that paints masks."""
    from tests.server.serving import serving

    mark_a_rocket(fresh())
    own = bpy.context.preferences.addons.new()
    own.module = EXTENSION
    preferences.register()
    with serving(own_home, engine="tests.addon.hosts.mask_painter:Painter"):
        yield application
    preferences.unregister()
    bpy.context.preferences.addons.remove(own)


def mark_a_rocket(scene: bpy.types.Scene) -> None:
    """What the scene asks for."""
    mark(box("rocket", (0, 0, 0)))
    scene.maquette_prompt, scene.maquette_steps = "a rocket", 3
