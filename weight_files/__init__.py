# SPDX-License-Identifier: MIT
"""Files of weights, told by their headers: what the server lists by, and what the method loads by, is one verdict."""
