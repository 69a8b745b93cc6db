# SPDX-License-Identifier: MIT
"""Looking into a run: what each step looked at, what pulled it, and how far; as values, and as a page for a browser."""
