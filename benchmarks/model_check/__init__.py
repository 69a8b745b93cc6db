# SPDX-License-Identifier: MIT
"""``maquette check``: is a model as it must be, and which of its layers know best where words are?"""
