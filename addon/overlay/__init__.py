# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets and achieved outlines, drawn over the 3D View and the Image Editor."""
