# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of many views: captured by a second Blender, painted one after the other, and back in the scene."""
