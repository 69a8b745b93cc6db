# SPDX-License-Identifier: GPL-3.0-or-later
"""The server, installed from inside Blender: an environment of its own in the user's folder."""
