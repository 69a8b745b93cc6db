# SPDX-License-Identifier: MIT
"""Flags that several verbs may take."""
