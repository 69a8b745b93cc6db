# SPDX-License-Identifier: MIT
"""The scenes Toybox learns from: pictures of things, backdrops, captions, true masks."""
