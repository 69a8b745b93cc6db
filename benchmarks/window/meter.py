# SPDX-License-Identifier: MIT
"""The longest calls of functions that are wrapped, in a thread. No bpy.

Two kinds are wrapped: entries, which Blender calls, and Blender's own calls, which they make. Nothing else is touched,
so that what is measured is as fast as ever.
"""

import cProfile
import pstats
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

WAITED = Path("/proc/thread-self/schedstat")  # Linux tells there what a thread has waited for its turn, second of three
LINES = 25  # of a profile

Function = Callable[..., Any]


@dataclass(frozen=True)
class Clock:
    """Seconds: ``wall``; ``cpu`` of this thread; and ``waited`` for the processor, which other processes had."""

    wall: float
    cpu: float
    waited: float

    def since(self, earlier: "Clock") -> "Clock":
        """What has passed between both."""
        return Clock(self.wall - earlier.wall, self.cpu - earlier.cpu, self.waited - earlier.waited)

    @property
    def held(self) -> float:
        """The wall's seconds without those in which this thread wanted to run and could not: what it waits for of its
        own accord, a disk or a graphics card, counts."""
        return self.wall - self.waited


def now() -> Clock:
    """This thread's clocks."""
    waited = int(WAITED.read_text().split()[1]) / 1e9 if WAITED.exists() else 0.0
    return Clock(time.perf_counter(), time.thread_time(), waited)


@dataclass
class Call:
    """One call of an entry, in seconds. ``blender`` has the processor's that were spent in each of Blender's own calls,
    and ``profile`` says where the time went, if that was asked for."""

    held: float = 0.0
    wall: float = 0.0
    cpu: float = 0.0
    blender: dict[str, float] = field(default_factory=dict)
    profile: str = ""

    @property
    def above(self) -> float:
        """Without Blender's own calls."""
        return self.cpu - sum(self.blender.values())


@dataclass
class TimedEntry:
    """An entry: how often it was called, and its ``longest`` call; the longest by the wall, as it was ``held``; and the
    longest without Blender's own calls, ``above`` them."""

    calls: int = 0
    longest: Call = field(default_factory=Call)
    held: Call = field(default_factory=Call)
    above: Call = field(default_factory=Call)

    def add(self, call: Call) -> None:
        """One more."""
        self.calls += 1
        self.longest = max(self.longest, call, key=lambda one: one.cpu)
        self.held = max(self.held, call, key=lambda one: one.held)
        self.above = max(self.above, call, key=lambda one: one.above)


class Meter:
    """Measures what it wraps, while it is on. An entry that is called in another one's time belongs to that one."""

    def __init__(self, profiling: bool) -> None:
        self.entries: dict[str, TimedEntry] = {}
        self._profiling, self._on = profiling, False
        self._call: Call | None = None
        self._nested = [0.0]  # seconds of entries inside each of Blender's own calls under way

    def start(self) -> None:
        """Measure from now on, and forget what was before."""
        self.entries, self._on = {}, True

    def stop(self) -> Mapping[str, object]:
        """Measure no more; the entries as values for JSON."""
        self._on = False
        return {name: asdict(entry) for name, entry in self.entries.items()}

    def entry(self, name: str, function: Function) -> Function:
        """The same function, measured."""

        @wraps(function)
        def measured(*arguments: Any, **values: Any) -> Any:
            if not self._on:
                return function(*arguments, **values)
            if self._call is not None:
                return self._timed(function, arguments, values)
            return self._first(name, function, arguments, values)

        return measured

    def own(self, name: str, function: Function) -> Function:
        """A function that is one call of Blender's and nothing else, timed inside entries. What entries take that it
        calls in its turn is not Blender's."""

        @wraps(function)
        def measured(*arguments: Any, **values: Any) -> Any:
            if self._call is None:
                return function(*arguments, **values)
            blender, begun = self._call.blender, time.thread_time()
            self._nested.append(0.0)
            try:
                return function(*arguments, **values)
            finally:
                blender[name] = blender.get(name, 0.0) + time.thread_time() - begun - self._nested.pop()

        return measured

    def _timed(self, function: Function, arguments: tuple[Any, ...], values: Mapping[str, Any]) -> Any:
        """An entry inside another one."""
        begun = time.thread_time()
        try:
            return function(*arguments, **values)
        finally:
            self._nested[-1] += time.thread_time() - begun

    def _first(self, name: str, function: Function, arguments: tuple[Any, ...], values: Mapping[str, Any]) -> Any:
        call = self._call = Call()
        profile = cProfile.Profile() if self._profiling else None
        begun = now()
        try:
            return (
                function(*arguments, **values) if profile is None else profile.runcall(function, *arguments, **values)
            )
        finally:
            passed, self._call = now().since(begun), None
            call.held, call.wall, call.cpu = passed.held, passed.wall, passed.cpu
            entry = self.entries.setdefault(name, TimedEntry())
            if profile is not None and (call.cpu > entry.longest.cpu or call.above > entry.above.above):
                call.profile = _lines(profile)
            entry.add(call)


def _lines(profile: cProfile.Profile) -> str:
    """The functions that took longest, those they call included."""
    statistics: Any = pstats.Stats(profile).stats  # type: ignore[attr-defined]  # its stub does not know it
    rows = sorted(((row[3], row[2], row[0], key) for key, row in statistics.items()), reverse=True)[:LINES]
    return "\n".join(
        f"{1000 * total:9.1f} {1000 * own:9.1f} {calls:7} {Path(file).parent.name}/{Path(file).name}:{line} {name}"
        for total, own, calls, (file, line, name) in rows
    )
