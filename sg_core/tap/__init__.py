# SPDX-License-Identifier: MIT
"""Where a layer computes its attention: what is read off there, and what is put under it."""
