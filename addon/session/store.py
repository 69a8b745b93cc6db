# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the session is kept: changes of the reducer are applied to it, and whoever waits for one is woken. No bpy."""

import asyncio
from collections.abc import Callable
from typing import Any

from .state import Session


class SessionStore:
    """The session of one Blender, as it is now."""

    def __init__(self) -> None:
        self.session = Session()
        self._changed = asyncio.Event()

    def apply(self, change: Callable[..., Session], *facts: Any) -> None:
        """Change the session by a function of the reducer, and wake whoever waits for that.

        The session is read here and not by the caller, for whom it may be an old one after an await.
        """
        self.session = change(self.session, *facts)
        self._changed.set()

    async def until(self, satisfied: Callable[[Session], bool]) -> None:
        """Wait for the session to become so."""
        while not satisfied(self.session):
            self._changed.clear()
            await self._changed.wait()
