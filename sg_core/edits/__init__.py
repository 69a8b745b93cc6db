# SPDX-License-Identifier: MIT
"""Edits: pictures that follow another one, in part or as a whole; and recipes of named terms."""
