# SPDX-License-Identifier: MIT
"""What an adapter makes of one sample, whatever file it came from."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.sheet import Coverage

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in fractions of the frame."""


class SampleError(ValueError):
    """A sample file that is not in its published format; the message says which sample and what is wrong."""


@dataclass(frozen=True)
class ExternalRequest:
    """One picture that a benchmark asks for: ``boxes`` by phrase, in the order of the file; ``file`` is the picture's
    path in the folder that the benchmark's own evaluation reads, with ``{seed}`` in it."""

    name: str
    group: str
    prompt: str
    boxes: Mapping[str, Sequence[Box]]
    file: str


def fraction(corners: Sequence[float], side: float, name: str) -> Box:
    """Corners in pixels of a frame of that side, as fractions; what lies outside is cut.

    Raises SampleError when they are not four, or are the wrong way round.
    """
    if len(corners) != 4:
        raise SampleError(f"{name}: a box has four numbers, and this one is {list(corners)}")
    left, top, right, bottom = (min(max(float(value) / side, 0.0), 1.0) for value in corners)
    if right < left or bottom < top:
        raise SampleError(f"{name}: the box {list(corners)} ends before it begins (x_min, y_min, x_max, y_max)")
    return left, top, right, bottom


def saying(prompt: str, phrases: Sequence[str]) -> str:
    """The prompt with what it does not say added at its end: only what is said can be placed."""
    unsaid = [words for words in phrases if not re.search(rf"(?<!\w){re.escape(words)}(?!\w)", prompt, re.IGNORECASE)]
    return ", ".join([prompt.rstrip(" ."), *unsaid]) if unsaid else prompt


def coverage(boxes: Sequence[Box], side: int) -> Coverage:
    """The union of boxes, (side, side) of 0 and 1; a box of no size still covers a pixel."""
    mask = np.zeros((side, side), dtype=np.float32)
    for left, top, right, bottom in boxes:
        x, y = min(int(left * side), side - 1), min(int(top * side), side - 1)
        mask[y : max(round(bottom * side), y + 1), x : max(round(right * side), x + 1)] = 1.0
    return mask
