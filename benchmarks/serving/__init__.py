# SPDX-License-Identifier: MIT
"""``maquette bench server``: how quick the server is beside a bare FastAPI route, and what it stands."""
