# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of the model: prompt, styles, settings. No bpy."""
