# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things lie in an Image Editor that shows several pictures: the cells of a contact sheet, and the two sides of a
comparison. No bpy.

Everything is in a region's pixels, x right and y up.
"""

from collections.abc import Iterable, Sequence
from math import ceil
from typing import NamedTuple


class Bounds(NamedTuple):
    """A rectangle."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From bottom to top."""
        return self.top - self.bottom

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies in it."""
        return self.left <= x < self.right and self.bottom <= y < self.top


class Cell(NamedTuple):
    """A cell of a contact sheet: its picture lies in ``picture``, the caption below it, down to ``whole``'s bottom."""

    whole: Bounds
    picture: Bounds


class Part(NamedTuple):
    """A part of a picture: where it is drawn, and from which fraction of the picture's width to which."""

    bounds: Bounds
    start: float
    end: float


def inscribed(bounds: Bounds, aspect: float) -> Bounds:
    """The largest rectangle of that width over height inside another, in its middle."""
    width = min(bounds.width, bounds.height * aspect)
    height = min(bounds.height, bounds.width / aspect)
    left, bottom = bounds.left + (bounds.width - width) / 2, bounds.bottom + (bounds.height - height) / 2
    return Bounds(left, bottom, left + width, bottom + height)


def unobstructed(region: Bounds, others: Iterable[Bounds]) -> Bounds:
    """What is left of a region: of each of the ``others`` that lie on it, the strip is cut off that costs least."""
    left, bottom, right, top = region
    for other in others:
        if other.left >= right or other.right <= left or other.bottom >= top or other.top <= bottom:
            continue
        strips = (
            Bounds(max(left, other.right), bottom, right, top),
            Bounds(left, max(bottom, other.top), right, top),
            Bounds(left, bottom, min(right, other.left), top),
            Bounds(left, bottom, right, min(top, other.bottom)),
        )
        left, bottom, right, top = max(strips, key=lambda strip: strip.width * strip.height)
    return Bounds(left, bottom, right, top)


def cells(bounds: Bounds, aspects: Sequence[float], caption: float, gap: float) -> tuple[Cell, ...]:
    """The cells of pictures with these widths over heights, row by row from the top and all of one size.

    In as many columns as show most of the pictures. ``caption`` is the height below a picture, ``gap`` lies between.

    None where they do not fit at all.
    """
    sizes = (_room(bounds, len(aspects), columns, caption, gap) for columns in range(1, len(aspects) + 1))
    fitting = [(columns, room) for columns, room in enumerate(sizes, 1) if room is not None]
    if not fitting:
        return ()
    columns, room = max(fitting, key=lambda item: _covered(item[1], aspects))
    pictures = [inscribed(room, aspect) for aspect in aspects]
    width, height = max(each.width for each in pictures), max(each.height for each in pictures) + caption
    rows = ceil(len(aspects) / columns)
    left = bounds.left + (bounds.width - columns * (width + gap) + gap) / 2
    top = bounds.top - (bounds.height - rows * (height + gap) + gap) / 2
    return tuple(
        _cell(
            left + index % columns * (width + gap),
            top - index // columns * (height + gap),
            (width, height),
            aspect,
            caption,
        )
        for index, aspect in enumerate(aspects)
    )


def _room(bounds: Bounds, count: int, columns: int, caption: float, gap: float) -> Bounds | None:
    """What each picture gets in so many columns; None where nothing is left of it."""
    rows = ceil(count / columns)
    width = (bounds.width - gap * (columns + 1)) / columns
    height = (bounds.height - gap * (rows + 1)) / rows - caption
    return Bounds(0.0, 0.0, width, height) if width >= 1.0 and height >= 1.0 else None


def _covered(room: Bounds, aspects: Iterable[float]) -> float:
    """Pixels of the pictures, each as large as fits."""
    pictures = (inscribed(room, aspect) for aspect in aspects)
    return sum(picture.width * picture.height for picture in pictures)


def _cell(left: float, top: float, size: tuple[float, float], aspect: float, caption: float) -> Cell:
    whole = Bounds(left, top - size[1], left + size[0], top)
    return Cell(whole, inscribed(Bounds(left, whole.bottom + caption, whole.right, top), aspect))


def cell_at(cells: Iterable[Cell], x: float, y: float) -> int | None:
    """The index of the cell that a point lies in."""
    return next((index for index, cell in enumerate(cells) if cell.whole.holds(x, y)), None)


def line_at(frame: Bounds, fraction: float) -> float:
    """Where the line stands that a comparison's frame is divided by, so far across it."""
    return frame.left + frame.width * fraction


def fraction_at(frame: Bounds, x: float) -> float:
    """How far across the frame that is, 0..1: at its edges the line stays."""
    return min(1.0, max(0.0, (x - frame.left) / frame.width))


def left_of(picture: Bounds, line: float) -> Part:
    """The part of a picture that a comparison shows on the left of its line."""
    end = min(picture.right, max(picture.left, line))
    return Part(picture._replace(right=end), 0.0, (end - picture.left) / picture.width)


def right_of(picture: Bounds, line: float) -> Part:
    """The part of a picture that a comparison shows on the right of its line."""
    start = min(picture.right, max(picture.left, line))
    return Part(picture._replace(left=start), (start - picture.left) / picture.width, 1.0)
