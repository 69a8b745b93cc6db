# SPDX-License-Identifier: MIT
"""Blender's own calls: functions of the add-on that are one call of Blender's, which nothing can cut into slices.

Of one mesh of any size, this much of the main thread is Blender's; the bench lists and subtracts it. That each of them
is one statement, a test looks up. No bpy.
"""

OWN: frozenset[str] = frozenset(
    {
        "capture.meshes:converted",
        "capture.meshes:forget",
        "capture.meshes:triangulate",
        "capture.meshes:fetch",
    }
)
