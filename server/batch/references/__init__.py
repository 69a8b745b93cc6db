# SPDX-License-Identifier: MIT
"""Pictures that those of a batch follow."""
