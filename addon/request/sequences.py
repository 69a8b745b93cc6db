# SPDX-License-Identifier: GPL-3.0-or-later
"""The frames of a sequence, with one look: what each request follows, of those that were painted before it. No bpy.

look = SequenceLook("first")
for blockout in blockouts:
    asked = look.following(blockout)
    ...  # send look.picture's file, have it painted
    look = look.after(asked, picture_sha256, achieved)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ..protocol.answers import Achieved
from ..protocol.blockout import Blockout, ReferencePicture
from .references import following, reference_of

KeyFrames = Literal["first", "previous"]


@dataclass(frozen=True)
class SequenceLook:
    """Whose look the next frame keeps: that of the ``first``, or of the ``previous`` one.

    Where something comes into sight that the key frame does not have, the frame that shows it is the next key frame.
    With ``other_views`` the camera moves: looks are kept and no places. ``key`` is the key frame, None before there is
    one.
    """

    frames: KeyFrames = "first"
    other_views: bool = False
    key: ReferencePicture | None = None

    @property
    def picture(self) -> str:
        """The sha256 of the PNG file that the next frame follows, which has to be sent along; "" for none."""
        return "" if self.key is None else self.key.picture

    def following(self, blockout: Blockout) -> Blockout:
        """A frame's request as one that follows the key frame; as it is where there is none yet."""
        if self.key is None:
            return blockout
        known = {region.name for region in self.key.regions}
        return following(blockout, self.key, [region.name for region in blockout.regions if region.name in known])

    def after(self, blockout: Blockout, picture: str, achieved: Sequence[Achieved] = ()) -> "SequenceLook":
        """What is known once a frame was painted: ``picture`` is its PNG file's sha256, ``achieved`` what it shows."""
        known = {region.name for region in self.key.regions} if self.key else set()
        if self.key and self.frames == "first" and known.issuperset(region.name for region in blockout.regions):
            return self
        keeps: Literal["look", "picture"] = "look" if self.other_views else "picture"
        return replace(self, key=reference_of(picture, blockout, achieved, keeps))
