# SPDX-License-Identifier: MIT
"""The models that lie in an artist's folders: looked for, told by their first bytes, named, and kept up to date."""
