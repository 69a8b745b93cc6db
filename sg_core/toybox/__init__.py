# SPDX-License-Identifier: MIT
"""Toybox: a small text-to-image model that ships with the project, the scenes it learned from, and its Judge."""
