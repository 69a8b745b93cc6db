# SPDX-License-Identifier: MIT
"""Terms beside the paper's, each a part of a layout that can be added, scaled, scheduled and left out."""
