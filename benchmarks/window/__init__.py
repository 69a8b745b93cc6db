# SPDX-License-Identifier: MIT
"""How long the add-on holds Blender's main thread, in a real window: the longest call, and what redraws the view."""
