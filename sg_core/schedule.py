# SPDX-License-Identifier: MIT
"""How much a term matters when: a schedule is any function from progress to a weight.

Progress is 0 at the first step and rises evenly to just under 1 at the last. Layout is decided early, details late.
"""

from collections.abc import Callable

Schedule = Callable[[float], float]


def always(progress: float) -> float:
    """The same weight from beginning to end."""
    return 1.0


def until(end: float) -> Schedule:
    """1 before this progress, 0 from it on."""
    return lambda progress: float(progress < end)


def between(start: float, end: float) -> Schedule:
    """1 from this progress on and before that one, 0 elsewhere."""
    return lambda progress: float(start <= progress < end)


def fading(end: float) -> Schedule:
    """From 1 at the start evenly down to 0 at this progress, and 0 from it on."""
    return lambda progress: max(0.0, 1.0 - progress / end)


def later(schedule: Schedule, start: float) -> Schedule:
    """What a schedule says from this progress on, for a walk of its own that begins there."""
    return lambda progress: schedule(start + progress * (1.0 - start))


def times(one: Schedule, other: "Schedule | float") -> Schedule:
    """The product of a schedule and a number or another schedule."""
    return lambda progress: one(progress) * (other(progress) if callable(other) else other)
