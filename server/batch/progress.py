# SPDX-License-Identifier: MIT
"""How far a batch is: a live table for people at a terminal, lines for logs, JSON lines for programs."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from ..cli.terminal import LOG_SECONDS, complain, say

NewsKind = Literal["asked", "painting", "saved", "there", "failed", "scene", "waiting", "best", "page"]
ENDS: tuple[NewsKind, ...] = ("saved", "there", "failed")


class NewsListener(Protocol):
    """Whoever hears of a batch's news."""

    def __call__(self, kind: NewsKind, name: str = "", **facts: Any) -> None:
        """``kind`` of news of the picture, scene or file called ``name``."""


@dataclass
class Counts:
    """Pictures so far, and how long the painted ones took."""

    began: float = field(default_factory=time.monotonic)
    asked: int = 0
    saved: int = 0
    there: int = 0
    failed: int = 0

    def count(self, kind: NewsKind) -> None:
        """One more of them, if it is of a picture that was asked for or ended."""
        if kind in ("asked", *ENDS):
            setattr(self, kind, getattr(self, kind) + 1)

    @property
    def left(self) -> float | None:
        """Seconds that those asked for so far will take; None before the first."""
        waiting = self.asked - self.saved - self.there - self.failed
        return (time.monotonic() - self.began) / self.saved * waiting if self.saved else None

    def words(self) -> str:
        """A line for people."""
        left = "" if self.left is None else f", {clock(self.left)} left"
        ended = self.saved + self.there + self.failed
        return f"{ended} of {self.asked}: {self.saved} painted, {self.there} there, {self.failed} failed{left}"


def clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


@contextmanager
def listening(out: Path, as_json: bool) -> Iterator[NewsListener]:
    """What suits whoever looks: JSON lines where they are asked for, else ``Saved: 'path'`` lines on standard output,
    and on standard error a table that is drawn over, or in a log what went wrong and the state at the end."""
    counts = Counts()
    if as_json:
        yield _JsonLines(counts)
    elif sys.stderr.isatty():
        with _live(out, counts) as listener:
            yield listener
    else:
        yield _Lines(out, counts)
        complain(counts.words())


@dataclass(frozen=True)
class _JsonLines:
    counts: Counts

    def __call__(self, kind: NewsKind, name: str = "", **facts: Any) -> None:
        self.counts.count(kind)
        left = None if self.counts.left is None else round(self.counts.left, 1)
        say(json.dumps({"event": kind, "name": name, **facts, "left": left}))


@dataclass
class _Lines:
    out: Path
    counts: Counts
    _progress: float = -LOG_SECONDS  # when its last line was written, on the clock

    def __call__(self, kind: NewsKind, name: str = "", **facts: Any) -> None:
        self.counts.count(kind)
        if kind == "saved":
            say(f"Saved: '{self.out / name}.png'")
        elif kind in ("best", "page"):
            say(f"Saved: '{self.out / name}'")
        elif kind in ("failed", "scene"):
            complain(f"{name}: {facts['reason']}")
        elif kind == "waiting" and facts["reason"]:
            complain(f"waiting: {facts['reason']}")
        elif kind == "painting" and time.monotonic() - self._progress >= LOG_SECONDS:
            self._progress = time.monotonic()
            complain(f"{name}: step {facts['step']} of {facts['steps']}; {self.counts.words()}")


@contextmanager
def _live(out: Path, counts: Counts) -> Iterator[NewsListener]:
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

    console, scenes = Console(stderr=True), dict[str, Counts]()
    lines, state = _Lines(out, counts), {"reason": "", "now": ""}

    def table() -> Table:
        drawn = Table(title=counts.words(), caption=state["reason"] or state["now"], title_justify="left")
        for head in ("scene", "painted", "there", "failed", "asked"):
            drawn.add_column(head, justify="left" if head == "scene" else "right")
        for name, its in scenes.items():
            drawn.add_row(name, *map(str, (its.saved, its.there, its.failed, its.asked)))
        return drawn

    screen = sys.stdout.isatty()  # else lines on standard output are for whoever reads it, and not for the screen
    with Live(get_renderable=table, console=console, refresh_per_second=4, redirect_stdout=screen) as live:

        def listener(kind: NewsKind, name: str = "", **facts: Any) -> None:
            scenes.setdefault(name.partition("/")[0], Counts()).count(kind) if kind in ("asked", *ENDS) else None
            if kind == "waiting":
                counts.count(kind)
                state["reason"] = facts["reason"] and f"waiting: {facts['reason']}"
            elif kind == "painting":
                state["now"] = f"{name}, step {facts['step']} of {facts['steps']}"
            else:
                lines(kind, name, **facts)
            if kind in ENDS:
                live.refresh()

        yield listener
