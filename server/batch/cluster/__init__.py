# SPDX-License-Identifier: MIT
"""A batch on several machines, by Ray (extra ``cluster``). Nothing here is imported without ``--ray``."""
