# SPDX-License-Identifier: MIT
"""The add-on's application with a scene's properties and the operators, without its timers: tests do what these do."""

from collections.abc import Iterator
from pathlib import Path

import bpy
import pytest

from addon.overlay.handlers import Overlay
from addon.pictures import gallery
from addon.protocol.default_model import TOYBOX
from addon.runtime.app import APPLICATION, App
from addon.session.reducer import server_answered
from addon.ui import live_settings, operators, properties
from addon.ui.operators.picture.receive import receive
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
