# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties that read and write a custom property of the same name, and store nothing that the artist did not set."""

from collections.abc import Callable
from typing import Any, TypeVar

import bpy

Datablock = TypeVar("Datablock", bound=bpy.types.ID)


def declared(kind: Callable[..., object], **options: Any) -> object:
    """A property for a class to have; of ``kind``, one of bpy.props, the stubs say that it returns nothing."""
    return kind(**options)


def text(key: str) -> dict[str, Any]:
    """The options of a text that is empty until it is set."""
    return {"options": set(), **stored(key, lambda owner: "")}


def stored(key: str, default: Callable[[Datablock], object]) -> dict[str, Any]:
    """How a property reads and writes the custom one; ``default`` says what it is where nothing is set."""

    def read(owner: Datablock) -> object:
        return owner.get(key, default(owner))

    def write(owner: Datablock, value: object) -> None:
        owner[key] = value

    return {"get": read, "set": write}
