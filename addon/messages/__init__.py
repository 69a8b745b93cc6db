# SPDX-License-Identifier: GPL-3.0-or-later
"""What an artist is told: errors, notices, and the buttons that mend them. No bpy."""
