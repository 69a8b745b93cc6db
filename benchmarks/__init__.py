# SPDX-License-Identifier: MIT
"""Measurements: each prints a table, and one JSON line with --json."""
