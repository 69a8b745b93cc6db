# SPDX-License-Identifier: MIT
"""The verbs of pictures that are there, or follow each other: looked into, and in sequence."""
