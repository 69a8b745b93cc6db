# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's client over asyncio and the standard library. No bpy."""
