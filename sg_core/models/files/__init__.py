# SPDX-License-Identifier: MIT
"""Files that hold one part of a model and no more."""
