# SPDX-License-Identifier: MIT
"""``maquette verify``: what a picture says of where it comes from, in its file and in its pixels."""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from addon.protocol.blockout import Blockout
from addon.protocol.strict_json import ContractError, loads

from ...errors import CommandError
from ...safeguards.content_credentials import EXTRA, Credentials, credentials, installed
from ...safeguards.digital_source import digital_source, is_of_a_model
from ...safeguards.finishing import mark_content, request_text
from ...safeguards.pixel_mark import PixelMark, read
from ...unreadable import UNREADABLE
from ..files import in_words as hindrance
from ..terminal import say

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "AVIF")


class NotAPicture(CommandError):
    """A file that cannot be read as a picture."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} cannot be read as a picture ({reason}): name a file of {', '.join(FORMATS)}")


@dataclass(frozen=True)
class Provenance:
    """All that a picture says: its request as JSON, IPTC's word, its credentials and its mark; whether credentials
    could be read at all. Empty and None where it says nothing."""

    request: str
    source: str
    credentials: Credentials | None
    mark: PixelMark | None
    readable: bool

    @property
    def of_a_model(self) -> bool:
        """Whether something of it says that a model made the picture."""
        signed = self.credentials is not None and is_of_a_model(self.credentials.source)
        return bool(self.request) or is_of_a_model(self.source) or signed or self.mark is not None

    @property
    def broken(self) -> bool:
        """Whether its credentials do not hold."""
        return self.credentials is not None and self.credentials.state == "Invalid"

    @property
    def matches(self) -> bool | None:
        """Whether the mark is that of the request; None where one of them is not there."""
        if not self.request or self.mark is None or not self.mark.content:
            return None
        return self.mark.content == mark_content(self.request)


def provenance(path: Path, anchors: str = "") -> Provenance:
    """What the file says; its credentials held against trusted roots in PEM. Raises NotAPicture."""
    try:
        file = path.read_bytes()
        image = Image.open(BytesIO(file), formats=FORMATS)
        media_type, mark = Image.MIME[image.format or "PNG"], read(image)
    except OSError as error:
        raise NotAPicture(path, error.strerror or "it is none, or damaged") from error
    except UNREADABLE as error:
        raise NotAPicture(path, str(error)) from error
    signed = credentials(file, media_type, anchors) if installed() else None
    return Provenance(_request(file), digital_source(file), signed, mark, installed())


def lines_of(provenance: Provenance) -> Iterator[str]:
    """For people."""
    request = loads(Blockout, provenance.request) if provenance.request else None
    in_words = f"“{request.prompt}”, seed {request.seed}, {request.model}" if request else "none in the file"
    yield f"Request      {in_words}"
    yield f"IPTC         {provenance.source or 'no digital source type'}"
    yield f"Credentials  {_credential_words(provenance)}"
    mark = provenance.mark
    if mark is None:
        yield "Mark         none in the pixels"
        return
    owner = {True: ", that of the request", False: ", of ANOTHER request than the file's", None: ""}[provenance.matches]
    content = f"{mark.content.hex()}{owner}" if mark.content else "is there, and what it says cannot be read any more"
    yield f"Mark         {content} (score {mark.score:.1f})"


def document_of(provenance: Provenance) -> dict[str, Any]:
    """For programs."""
    signed, mark = provenance.credentials, provenance.mark
    return {
        "request": json.loads(provenance.request) if provenance.request else None,
        "digital_source": provenance.source,
        "credentials": vars(signed) if signed is not None else None,
        "mark": {"content": mark.content.hex(), "score": round(mark.score, 2)} if mark is not None else None,
        "mark_matches": provenance.matches,
        "of_a_model": provenance.of_a_model,
    }


def main(argv: Sequence[str]) -> int:
    """``maquette verify``: 0 where something says that a model made it and nothing is broken; else 1."""
    flags = argparse.ArgumentParser(prog="maquette verify", description=__doc__)
    flags.add_argument("picture", type=Path, help="a picture of any program")
    flags.add_argument("--trust", type=Path, help="PEM file of the roots whose signatures are trusted")
    flags.add_argument("--json", action="store_true", help="one line of JSON instead")
    words = flags.parse_args(argv)
    try:
        anchors = words.trust.read_text("ascii") if words.trust else ""
    except (OSError, UnicodeDecodeError) as error:
        reason = hindrance(error, words.trust) if isinstance(error, OSError) else f"{words.trust} is no PEM file"
        raise CommandError(reason) from error
    stated = provenance(words.picture, anchors)
    say(json.dumps(document_of(stated)) if words.json else "\n".join(lines_of(stated)))
    return int(stated.broken or not stated.of_a_model)


def _request(file: bytes) -> str:
    """The blockout as JSON; "" where there is none that this version reads."""
    text = request_text(file)
    try:
        return text if text and loads(Blockout, text) else ""
    except ContractError:
        return ""


def _credential_words(provenance: Provenance) -> str:
    signed = provenance.credentials
    if not provenance.readable:
        return f"not looked at: pip install '{EXTRA}'"
    if signed is None:
        return "none in the file"
    verdict = {"Trusted": "hold, and their root is trusted", "Valid": "hold; their root is not among the trusted"}
    faults = f" ({', '.join(signed.faults)})" if signed.state == "Invalid" else ""
    by = f", signed by {signed.issuer}" if signed.issuer else ""
    return f"{verdict.get(signed.state, 'BROKEN')}{faults}{by}{f', {signed.source}' if signed.source else ''}"
