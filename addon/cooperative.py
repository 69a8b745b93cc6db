# SPDX-License-Identifier: GPL-3.0-or-later
"""Long computations in slices: generators that yield every few milliseconds, so that a window can go on between them.

The same generator runs to its end at once, or a few milliseconds at a time on an asyncio loop. No bpy, no threads.
"""

import asyncio
import time
from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")
Slices = Generator[None, None, T]

SLICE = 0.002  # seconds of the main thread taken at a time
SHARE, LEAST, MOST = 0.1, 0.004, 0.016  # of a frame's seconds, and the seconds between which a share of it lies


def finish(slices: Slices[T]) -> T:
    """The result, at once."""
    while True:
        try:
            next(slices)
        except StopIteration as end:
            result: T = end.value
            return result


def one_slice(slices: Slices[T], seconds: float = SLICE) -> T | None:
    """Go on for so many ``seconds``; the result, which is not None, if that was the end of it."""
    begun = time.perf_counter()
    while time.perf_counter() - begun < seconds:
        try:
            next(slices)
        except StopIteration as end:
            result: T = end.value
            return result
    return None


def frame_share(frame: float) -> float:
    """Seconds of work that a window that redraws in so many seconds hardly feels: where frames are slow, with a heavy
    scene or no graphics card, tiny slices would leave the work waiting for one frame after the other."""
    return min(MOST, max(LEAST, SHARE * frame))


async def gradually(slices: Slices[T]) -> T:
    """The result, with room for everything else whenever SLICE seconds have passed."""
    begun = time.perf_counter()
    while True:
        try:
            next(slices)
        except StopIteration as end:
            result: T = end.value
            return result
        if time.perf_counter() - begun > SLICE:
            await asyncio.sleep(0)
            begun = time.perf_counter()
