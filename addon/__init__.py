# SPDX-License-Identifier: GPL-3.0-or-later
"""Maquette in Blender: block a scene out, get the picture that obeys it."""
