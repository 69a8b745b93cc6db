# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures projected onto objects, with no UVs: projectors, node groups, materials."""
