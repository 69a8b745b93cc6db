# SPDX-License-Identifier: MIT
"""Who is asked before a picture is painted and before it is kept: an entry point that the owner installs and names.

    [project.entry-points."maquette.content_filter"]
    strict = "our_package.filters:StrictFilter"

What it names is called once in each worker, without arguments, and is a ContentFilter.
"""

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Protocol

from addon.protocol.blockout import Blockout

from ..errors import CommandError
from .refusals import ContentRefused

GROUP = "maquette.content_filter"


class ContentFilter(Protocol):
    """Says no in a sentence, and yes with an empty one. One that raises counts as no."""

    def request(self, blockout: Blockout) -> str:
        """Why this is not to be painted."""

    def picture(self, png: bytes, blockout: Blockout) -> str:
        """Why this picture, a PNG file of all that was painted, is not to be kept or shown."""


class NoFilter(CommandError):
    """The content filter that the settings name is not to be had, and what to do."""


def check_filter(name: str) -> None:
    """Raises NoFilter for a name that no installed package has; nothing of the filter is imported."""
    if name and not entry_points(group=GROUP, name=name):
        names = ", ".join(sorted(entry_points(group=GROUP).names)) or "none is installed"
        raise NoFilter(
            f"There is no content filter {name!r} (entry points of {GROUP}: {names}): install it, or name it"
        )


class FilterGate:
    """Asks the filter, where there is one. ``asking`` stays true when it raises: then it is the filter that failed."""

    def __init__(self, name: str) -> None:
        """Raises NoFilter, and what importing and calling the filter of that name raises."""
        check_filter(name)
        entries = entry_points(group=GROUP, name=name) if name else ()
        self._filters: tuple[ContentFilter, ...] = tuple(entry.load()() for entry in entries)
        self.asking = False

    def request(self, blockout: Blockout) -> None:
        """Before it is painted. Raises ContentRefused, and what the filter raises."""
        self._ask(lambda content_filter: content_filter.request(blockout))

    def picture(self, png: bytes, blockout: Blockout) -> None:
        """Before it is kept. Raises ContentRefused, and what the filter raises."""
        self._ask(lambda content_filter: content_filter.picture(png, blockout))

    def _ask(self, question: Callable[[ContentFilter], str]) -> None:
        self.asking = True
        reasons = [question(content_filter) for content_filter in self._filters]
        if wrong := [reason for reason in reasons if not isinstance(reason, str)]:
            raise TypeError(f"a filter answers with a text, not {wrong[0]!r}")
        self.asking = False
        for reason in filter(None, reasons):
            raise ContentRefused(reason)
