# SPDX-License-Identifier: MIT
"""The server that the tests of the session run: a real one, whose engine paints the masks."""

from pathlib import Path

import pytest

from server.settings import ServerSettings


@pytest.fixture
def settings(own_home: Path) -> ServerSettings:
    return ServerSettings(home=own_home, engine="tests.addon.hosts.mask_painter:Painter")
