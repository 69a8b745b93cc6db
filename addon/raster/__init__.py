# SPDX-License-Identifier: GPL-3.0-or-later
"""A rasteriser in numpy: triangles through a camera to coverage masks. No bpy."""
