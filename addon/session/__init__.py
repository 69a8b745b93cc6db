# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs under way: their state, what is sent and received, what is pending between two runs. No bpy."""
