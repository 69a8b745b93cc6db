# SPDX-License-Identifier: GPL-3.0-or-later
"""The size of the picture that is asked for, and where the camera's frame lies in it."""

from dataclasses import dataclass, replace
from math import ceil, gcd, sqrt

import numpy as np

from ..messages.errors import FrameTooLong
from ..protocol.answers import ModelInfo
from ..protocol.blockout import MASK_SIDE, SIDES, Frame
from ..raster.lens import Lens


@dataclass(frozen=True)
class Canvas:
    """The picture to generate, in pixels, and the artist's frame inside it."""

    width: int
    height: int
    frame: Frame


def canvas(aspect: float, model: ModelInfo) -> Canvas:
    """The model's native area at ``aspect``, sides rounded up to its multiple; the frame lies in the middle.

    The frame's own sides are the nearest whole pixels. The frustum maps exactly onto it, x and y each by its own scale,
    so that rounding bends the aspect by under half a pixel and misplaces nothing. Raises FrameTooLong.
    """
    width = max(1, round(sqrt(model.area * aspect)))
    height = max(1, round(sqrt(model.area / aspect)))
    full_width, full_height = (ceil(side / model.multiple) * model.multiple for side in (width, height))
    if max(full_width, full_height) > SIDES[1]:
        raise _too_long(full_width, full_height)
    frame = Frame(left=(full_width - width) // 2, top=(full_height - height) // 2, width=width, height=height)
    return Canvas(full_width, full_height, frame)


def overscan(lens: Lens, canvas: Canvas) -> Lens:
    """The lens of the whole picture, whose part inside ``canvas.frame`` is what ``lens`` sees."""
    frame = canvas.frame
    widen = np.eye(4)
    widen[0, 0], widen[1, 1] = frame.width / canvas.width, frame.height / canvas.height
    widen[0, 3] = (2 * frame.left + frame.width) / canvas.width - 1.0
    widen[1, 3] = 1.0 - (2 * frame.top + frame.height) / canvas.height
    return Lens(widen @ lens.projection, lens.near, lens.far)


def mask_size(canvas: Canvas) -> tuple[int, int]:
    """The largest grid of the picture's very aspect that a mask may have. Raises FrameTooLong where none is."""
    shared = gcd(canvas.width, canvas.height)
    width, height = canvas.width // shared, canvas.height // shared
    times = MASK_SIDE // max(width, height)
    if times == 0:
        raise _too_long(canvas.width, canvas.height)
    return width * times, height * times


def _too_long(width: int, height: int) -> FrameTooLong:
    return FrameTooLong(
        f"The camera's frame asks for a picture of {width} x {height} pixels, which is too long for a blockout.",
        "Choose a squarer resolution in the Output properties.",
    )


def scaled(model: ModelInfo, percent: int) -> ModelInfo:
    """The model, asked for pictures whose sides are ``percent`` of its own."""
    return replace(model, area=max(1, round(model.area * (percent / 100) ** 2)))
