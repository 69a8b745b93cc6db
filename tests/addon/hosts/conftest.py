# SPDX-License-Identifier: MIT
"""What several rooms of these tests need."""

from collections.abc import Iterator

import pytest

from addon.overlay import edits, scene_watcher


@pytest.fixture
def watcher() -> Iterator[scene_watcher.SceneWatcher]:
    """What the add-on runs, its handlers included; without a window there are no timers, so that tests call it."""
    watcher = scene_watcher.SceneWatcher()
    listeners = edits.listen(watcher)
    yield watcher
    edits.unlisten(listeners)
