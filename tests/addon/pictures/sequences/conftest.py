# SPDX-License-Identifier: MIT
"""A server whose pictures are flat colours, and a second Blender that reads the meadow."""

from collections.abc import Callable
from pathlib import Path

import pytest

from addon.exact.views_capture import ViewsCapture
from server.settings import ServerSettings
from tests.addon.pictures.sequences.samples import capture_of


@pytest.fixture
def settings(own_home: Path) -> ServerSettings:
    """Of a server that paints flat colours."""
    return ServerSettings(home=own_home, engine="tests.addon.hosts.mask_painter:Painter")


@pytest.fixture
def capture(tmp_path: Path) -> Callable[..., ViewsCapture]:
    """Captures of copies of the meadow, each in a folder of its own."""

    def make(*frames: int, **changes) -> ViewsCapture:
        folder = tmp_path / f"capture-{len(list(tmp_path.glob('capture-*')))}"
        return capture_of(folder, frames, **changes)

    return make
