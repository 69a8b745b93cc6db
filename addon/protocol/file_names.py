# SPDX-License-Identifier: MIT
"""Names that a file or folder can have on every system. Standard library only."""

import re
from hashlib import sha256

MOST = 80  # letters that are kept
RESERVED = re.compile(r"con|prn|aux|nul|com\d|lpt\d", re.IGNORECASE)  # Windows takes them for devices


def portable(name: str) -> str:
    """A name as a folder can have it on every system; one that had to be changed is told apart by some of its hash."""
    plain = re.sub(r"[^\w-]+", "_", name, flags=re.ASCII).strip("_")[:MOST]
    if plain == name and not RESERVED.fullmatch(name):
        return name
    digest = sha256(name.encode("utf-8", "surrogateescape")).hexdigest()  # of the very bytes, whatever they are
    return f"{plain}-{digest[:6]}"
