# SPDX-License-Identifier: MIT
"""``maquette bench edits``: is the look kept, and does nothing else change?"""
