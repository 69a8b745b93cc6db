# SPDX-License-Identifier: GPL-3.0-or-later
"""Regions: which objects are marked, how they are listed, whether they can be seen."""
