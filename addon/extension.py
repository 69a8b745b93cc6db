# SPDX-License-Identifier: GPL-3.0-or-later
"""The name under which Blender knows this extension: its preferences, its folder and its log go by it."""

EXTENSION = __package__
