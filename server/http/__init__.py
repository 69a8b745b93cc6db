# SPDX-License-Identifier: MIT
"""The HTTP side: routes, who may use them, events."""
