# SPDX-License-Identifier: GPL-3.0-or-later
"""A rasteriser in numpy: triangles through a camera to coverage masks. No bpy."""

import numpy.ma  # noqa: F401  np.unique imports it when it is first called, which takes 12 ms
