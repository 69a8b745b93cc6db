# SPDX-License-Identifier: MIT
"""Whoever paints for a batch: a server that is followed, or a cluster."""

from collections.abc import Callable, Sequence
from typing import Protocol

from addon.protocol.answers import ModelInfo
from addon.protocol.blockout import Blockout

from ..cli.following import PaintedPicture


class PictureSource(Protocol):
    """Paints blockouts, ``ahead`` of them at a time at most."""

    @property
    def ahead(self) -> int:
        """How many pictures to ask for at a time."""

    def on_waiting(self, hear: Callable[[str], None]) -> None:
        """Have ``hear`` told why nothing goes on, and "" once it does."""

    async def models(self) -> Sequence[ModelInfo]:
        """The models on offer, the usual one first. Raises ServerLost, ClientError."""

    async def pinned(self, blockout: Blockout) -> Blockout:
        """The request with the sha256 of every file that it names. Raises NotPainted, ServerLost, ClientError."""

    async def picture_of(
        self, blockout: Blockout, key: str, watch: Callable[[int], None], references: Sequence[bytes] = ()
    ) -> PaintedPicture:
        """The picture of a blockout, whose content has this ``key``; ``watch`` hears of its steps, ``references`` are
        the PNG files that it refers to.

        Raises NotPainted for what is wrong with the request alone, ServerLost, ClientError.
        """
