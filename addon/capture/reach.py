# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a scene reaches, by its objects' bounding boxes: no mesh is read."""

import bpy
import numpy as np
from mathutils import Matrix

from .instance_walk import Meshes
from .scene import parts


def reach_behind(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, view: Matrix) -> float:
    """How far what a render shows, instances too, lies behind the eye of a ``view``, the matrix that takes the world
    into it; 0 where nothing does."""
    depth, behind = np.array(view)[2], 0.0
    for original, part in parts(scene, depsgraph, Meshes(), patience=0.0):
        corners = np.c_[np.array(original.bound_box), np.ones(8)]
        depths = depth @ part.some(0, len(part)) @ corners.T
        behind = max(behind, float(depths[np.isfinite(depths)].max(initial=0.0)))
    return behind
