# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties of ours on Blender's types and data-blocks: declared, and asked for."""

from collections.abc import Callable
from typing import ParamSpec

import bpy

Options = ParamSpec("Options")


def declare(
    owner: type[bpy.types.bpy_struct],
    key: str,
    kind: Callable[Options, object],
    *args: Options.args,
    **options: Options.kwargs,
) -> None:
    """Give every ``owner`` the property ``key``, made by ``kind``, one of bpy.props, from its own ``options``."""
    setattr(owner, key, kind(*args, **options))


def has(item: bpy.types.bpy_struct, key: str) -> bool:
    """Whether ``item`` carries a custom property of this name."""
    return item.get(key) is not None
