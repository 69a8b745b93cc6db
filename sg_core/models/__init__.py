# SPDX-License-Identifier: MIT
"""Families of models, all behind one protocol."""
