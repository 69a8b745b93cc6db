# SPDX-License-Identifier: GPL-3.0-or-later
"""Which materials the scene's engine does not draw from behind: EEVEE by material, Workbench all or none, Cycles no."""

from collections.abc import Callable

import bpy

Culled = Callable[[bpy.types.Object], tuple[bool, ...]]
EEVEE = {"BLENDER_EEVEE_NEXT", "BLENDER_EEVEE"}  # as 4.2 to 4.5, and 5.0 and newer call it
WORKBENCH = "BLENDER_WORKBENCH"


def culls(scene: bpy.types.Scene, material: bpy.types.Material | None) -> bool:
    """Whether renders of the scene see through the back faces of a material."""
    if scene.render.engine == WORKBENCH:
        return bool(scene.display.shading.show_backface_culling)
    return scene.render.engine in EEVEE and _culls_back(material)


def culling(scene: bpy.types.Scene, override: bpy.types.Material | None = None) -> Culled:
    """By an object's materials, in their order, which of them the scene's engine, as it is now, does not draw from
    behind; none where all are. The view layer's ``override`` is instead of all of them."""
    is_workbench, all_or_none = scene.render.engine == WORKBENCH, culls(scene, None)
    if not is_workbench and scene.render.engine not in EEVEE:
        return lambda item: ()

    def culled(item: bpy.types.Object) -> tuple[bool, ...]:
        materials = [override or slot.material for slot in item.material_slots] or [override]
        slots = tuple(all_or_none if is_workbench else _culls_back(material) for material in materials)
        return slots if any(slots) else ()

    return culled


def _culls_back(material: bpy.types.Material | None) -> bool:
    return material is not None and material.use_backface_culling
