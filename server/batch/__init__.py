# SPDX-License-Identifier: MIT
"""Batches: many views of many scenes to pictures, with nobody watching. The Python API is ``run``'s."""
