# SPDX-License-Identifier: MIT
"""Which safeguards the owner of a server has chosen."""

from dataclasses import dataclass
from pathlib import Path

from addon.protocol.strict_json import Record


@dataclass(frozen=True, kw_only=True)
class Safeguards(Record):
    """What goes into every picture that is kept, and who is asked before.

    ``request``: the picture's file carries what was asked for, and its latent. ``digital_source``: it says by IPTC's
    word that a model made it. ``mark``: its pixels say so too. ``certificate`` and ``private_key``: PEM files to sign
    it with, a C2PA manifest; both or neither. ``content_filter``: name of the entry point that is asked before and
    after painting, "" for none.
    """

    request: bool = True
    digital_source: bool = True
    mark: bool = True
    certificate: Path | None = None
    private_key: Path | None = None
    content_filter: str = ""
