# SPDX-License-Identifier: MIT
"""The process that paints. It alone knows the method."""
