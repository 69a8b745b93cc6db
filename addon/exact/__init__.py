# SPDX-License-Identifier: GPL-3.0-or-later
"""The exact capture: Cycles' Cryptomatte of a copy of the file, rendered by a second Blender."""
