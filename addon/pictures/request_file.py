# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that carries a request: a PNG of a picture of ours, a blockout or an entry of the history as JSON. No bpy."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ..messages.errors import NoRequest
from ..protocol.blockout import Blockout
from ..protocol.png import SIGNATURE, chunks
from ..protocol.strict_json import ContractError, loads
from ..request.settings import Settings
from . import history
from .history import Entry
from .png_text import texts, with_text

BLOCKOUT, ENTRY = "maquette.blockout", "maquette.entry"  # keywords in a PNG file, for ever
CREDENTIALS = b"caBX"  # the chunk of Content Credentials (C2PA Technical Specification 2.2, A.3.2)
MOST = 2**26  # bytes of a file that is worth reading


@dataclass(frozen=True)
class Opened:
    """What a file asks for; the ``settings`` that were kept with it, camera included, where they are known."""

    request: Blockout
    settings: Settings | None = None


def opened(path: Path, folder: Path) -> Opened:
    """The request in a file. ``folder`` is the history on disk, which may know more of a picture of its own.

    Raises NoRequest for a file that carries none, or one that cannot be read.
    """
    try:
        if path.stat().st_size > MOST:
            raise NoRequest(path.name, "it is too large")
        content = path.read_bytes()
        return _of_png(content, folder) if content.startswith(SIGNATURE) else _of_json(content)
    except OSError as error:
        raise NoRequest(path.name, str(error.strerror)) from error
    except ContractError as error:
        raise NoRequest(path.name, str(error)) from error


def saved(png: bytes, entry: Entry) -> bytes:
    """A picture's file that carries its whole entry beside its request, to be opened where no history knows it.

    One that is signed stays as it is: whatever is added breaks the signature.
    """
    signed = any(kind == CREDENTIALS for kind, _, _ in chunks(png))
    return png if signed else with_text(png, ENTRY, history.text(entry))


def _of_png(content: bytes, folder: Path) -> Opened:
    carried = texts(content)
    if ENTRY in carried:
        return _of_entry(history.parse(carried[ENTRY]))
    try:
        return _of_entry(history.find(folder, sha256(content).hexdigest()))
    except (OSError, ContractError):  # not a picture of this machine, or not for this version
        if BLOCKOUT not in carried:
            raise ContractError("", "is a picture without a request") from None
        return Opened(loads(Blockout, carried[BLOCKOUT]))


def _of_json(content: bytes) -> Opened:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ContractError("", f"is not JSON: {error}") from error
    entry = isinstance(document, dict) and "request" in document
    return _of_entry(history.parse(content)) if entry else Opened(loads(Blockout, content))


def _of_entry(entry: Entry) -> Opened:
    return Opened(entry.request, entry.settings)
