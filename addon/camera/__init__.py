# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras: read from Blender, kept as numbers, put back."""
