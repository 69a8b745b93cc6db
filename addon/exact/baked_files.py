# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that belong to a .blend by its name and folder, and so do not come along when it is copied: baked simulations.

Blender looks for point caches in ``blendcache_NAME`` beside the file, and corrects most relative paths of what it saves
elsewhere; not those of bakes of Geometry Nodes, and of external point caches.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import bpy

CACHE = "blendcache_"
COPIED = 1 << 28  # bytes; more than that is linked, file by file


def bring_point_caches(origin: Path, copy: Path) -> None:
    """Have the baked point caches of the .blend ``origin`` beside its ``copy`` too. Raises OSError.

    They are copied, or where they are large, linked file by file: what another Blender deletes or bakes anew there does
    not harm the originals' folder.
    """
    source, target = origin.parent / f"{CACHE}{origin.stem}", copy.parent / f"{CACHE}{copy.stem}"
    if not source.is_dir() or source == target:
        return
    files = [file for file in source.rglob("*") if file.is_file()]
    small = sum(file.stat().st_size for file in files) <= COPIED
    for file in files:
        copied = target / file.relative_to(source)
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.unlink(missing_ok=True)
        if small or not _link(file, copied):
            shutil.copyfile(file, copied)


def find_bakes(origin: Path, start: Path | None = None) -> bool:
    """Have the open file find bakes where ``origin`` has them, wherever it lies itself; whether any path changed.

    The paths are absolute then, or relative to ``start``, for a file that will be saved there.
    """
    changed = False
    for owner, name in _unmoved_paths():
        path = getattr(owner, name)
        original = origin.parent / path.removeprefix("//").replace("\\", "/")
        if (
            path.startswith("//")
            and original.exists()
            and (start is not None or not Path(bpy.path.abspath(path)).exists())
        ):
            absolute = str(original.resolve())
            setattr(owner, name, absolute if start is None else _relative(absolute, start))
            changed = True
    return changed


def _relative(path: str, start: Path) -> str:
    try:
        return "//" + os.path.relpath(path, start).replace(os.sep, "/")
    except ValueError:  # on another drive of Windows
        return path


def _link(file: Path, copied: Path) -> bool:
    """Another name for a file; whether this system has any. A hard link is none: what is written there is here too."""
    with suppress(OSError, NotImplementedError):
        copied.symlink_to(file.resolve())
        return True
    return False


def _unmoved_paths() -> Iterator[tuple[Any, str]]:
    """What has paths that Blender does not correct, and the names of their properties."""
    for item in bpy.data.objects:
        for modifier in item.modifiers:
            if isinstance(modifier, bpy.types.NodesModifier):
                yield modifier, "bake_directory"
                yield from ((bake, "directory") for bake in modifier.bakes if bake.use_custom_path)
            if cache := getattr(modifier, "point_cache", None):
                yield cache, "filepath"
        yield from ((system.point_cache, "filepath") for system in item.particle_systems)
    for scene in bpy.data.scenes:
        if scene.rigidbody_world is not None:
            yield scene.rigidbody_world.point_cache, "filepath"
