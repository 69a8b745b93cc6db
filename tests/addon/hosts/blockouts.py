# SPDX-License-Identifier: MIT
"""Blockouts of real scenes, captured and developed at once."""

from typing import Any

import bpy

from addon.capture.scene import Look
from addon.capture.scene import capture as snapshot
from addon.capture.snapshot import develop
from addon.cooperative import finish
from addon.protocol.blockout import Blockout
from addon.request.settings import PROMPT, Settings


def capture(
    scene: bpy.types.Scene,
    camera: bpy.types.Object | None = None,
    frame: int | None = None,
    look: Look | None = None,
    **settings: Any,
) -> Blockout:
    """What ``camera`` sees, with the scene's prompt, and otherwise the settings that are named."""
    chosen = Settings(**{"prompt": scene.get(PROMPT, "")} | settings)
    return finish(develop(snapshot(scene, chosen, camera=camera, frame=frame, look=look)))
