# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene to a blockout: evaluated meshes, the camera, masks, regions."""
