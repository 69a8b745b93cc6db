# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's wheel that belongs to this add-on, as the packer wrote it down. No bpy.

``release.json`` in the sources says the address of the folder that releases are downloaded from, and nothing else: the
packer adds the rest to the copy in the zip.
"""

import json
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("release.json")


@dataclass(frozen=True, kw_only=True)
class Release:
    """A wheel by its file's ``name``, ``sha256`` and ``size`` in bytes, and the folder at ``address`` that offers it.

    Each is empty where the add-on was not packed with a wheel, the address also where no maintainer has set one.
    ``constraints`` are the versions of other packages that it was tested with, as pip reads them.
    """

    address: str = ""
    name: str = ""
    version: str = ""
    sha256: str = ""
    size: int = 0
    constraints: tuple[str, ...] = ()

    @property
    def download(self) -> str:
        """Where the wheel is downloaded from; "" where nobody has said."""
        return f"{self.address.rstrip('/')}/{self.name}" if self.address and self.name else ""

    @property
    def torch(self) -> str:
        """The version of torch that it was tested with; "" where none is said."""
        pins = (pin.partition("==") for pin in self.constraints)
        return next((version for name, _, version in pins if name == "torch"), "")


def read(file: Path = FILE) -> Release:
    """What the packer wrote down."""
    document = json.loads(file.read_text("utf-8"))
    return Release(**{**document, "constraints": tuple(document["constraints"])})
