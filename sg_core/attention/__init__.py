# SPDX-License-Identifier: MIT
"""Attention: overheard, counted, and masked; the layers of a network while it runs."""
