# SPDX-License-Identifier: MIT
"""Views in turn: the next one of a scene is captured once the picture of the one before has come to its end."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class PictureTurns:
    """The pictures that somebody waits for, by their names."""

    ends: dict[str, "asyncio.Future[Path | None]"] = field(default_factory=dict)

    def ended(self, name: str, picture: Path | None) -> None:
        """It is there, or never will be (None)."""
        if not (end := self._end(name)).done():
            end.set_result(picture)

    async def picture(self, name: str) -> Path | None:
        """Where it is, once it is; None where it could not be had."""
        return await self._end(name)

    def _end(self, name: str) -> "asyncio.Future[Path | None]":
        return self.ends.setdefault(name, asyncio.get_running_loop().create_future())
