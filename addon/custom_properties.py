# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties of ours on Blender's types and data-blocks: declared, and asked for."""

from collections.abc import Callable

import bpy


def declare(owner: type[bpy.types.bpy_struct], key: str, make: Callable[[], object]) -> None:
    """Give every ``owner`` the property ``key``; ``make`` calls one of bpy.props, None says its stub."""
    setattr(owner, key, make())


def has(item: bpy.types.bpy_struct, key: str) -> bool:
    """Whether ``item`` carries a custom property of this name."""
    return item.get(key) is not None
