# SPDX-License-Identifier: GPL-3.0-or-later
"""The artist's side of a request, as it is kept with a picture. No bpy."""

from dataclasses import dataclass
from typing import Annotated

from ..camera.pose import CameraPose
from ..protocol.strict_json import Length, Range


@dataclass(frozen=True, kw_only=True)
class Wish:
    """The artist's side of a request: prompt and negative before the style's, the style's name, where the camera stood.

    ``size`` is in percent of the model's own; ``exact`` tells a picture of what a render shows.
    """

    words: Annotated[str, Length(0, 2000)] = ""
    negative: Annotated[str, Length(0, 2000)] = ""
    style: Annotated[str, Length(0, 200)] = ""
    size: Annotated[int, Range(1, 100)] = 100
    exact: bool = False
    shot: CameraPose | None = None


NO_WISH = Wish()
