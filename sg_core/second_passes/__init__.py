# SPDX-License-Identifier: MIT
"""Walks over a picture that is there: over itself, to refine it, and over a larger one of it."""
