# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured of a region: of its block in the frame, and of the latest picture. Plain values; no bpy."""

from dataclasses import dataclass
from typing import Literal

Unseen = Literal["", "in the view", "from renders", "bare", "outside", "behind", "small"]


@dataclass(frozen=True)
class BlockMeasure:
    """Of a region as it stands: ``size`` of what is visible, as a fraction of the frame, and ``visible``, as a fraction
    of what the frame would show if nothing hid it.

    ``unseen`` is why it cannot be asked for: where it is hidden, or what else; ``hider`` the name of what hides most.
    """

    size: float
    visible: float
    unseen: Unseen = ""
    hider: str = ""


@dataclass(frozen=True)
class PictureMeasure:
    """What the latest picture shows of a region, ``by`` the Judge or the model's own attention.

    ``offset`` is between the two middles, as a fraction of the frame's diagonal, and ``overlap`` the intersection over
    union of the two masks; both are None where it does not show it. ``size`` is how many times as large as its
    block it is, of a region that is not held to its outline, whose overlap says little; None of the others. It is
    ``outdated`` once the block, what is asked of it, or the camera is not as it was asked for.
    """

    by: str
    offset: float | None
    overlap: float | None
    outdated: bool
    size: float | None = None


@dataclass(frozen=True)
class RegionMeasure:
    """Both; None where there is no picture of it."""

    block: BlockMeasure
    picture: PictureMeasure | None
