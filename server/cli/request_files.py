# SPDX-License-Identifier: MIT
"""Files that carry a request: a blockout as JSON, or a PNG of a picture of ours."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from addon.protocol.blockout import Blockout
from addon.protocol.png import BLOCKOUT_KEY, SIGNATURE, chunks
from addon.protocol.strict_json import ContractError, dump, loads
from addon.request.settings import SENT

from ..errors import CommandError

SUFFIX = ".blockout.json"  # of what a capture writes
SUFFIXES = (".json", ".png")


class NotARequest(CommandError):
    """A file that carries no request."""


class AlreadyCaptured(CommandError):
    """What only a capture could change is to be changed of a request."""


def is_request(path: Path) -> bool:
    """Whether a file is named as one that carries a request, and not as a scene."""
    return path.suffix.lower() in SUFFIXES


def read_request(path: Path) -> Blockout:
    """The blockout in a JSON file, or the one that a PNG of a picture of ours carries. Raises NotARequest."""
    try:
        content = path.read_bytes()
        if content.startswith(SIGNATURE):
            texts = [text.partition(b"\0") for kind, text, _ in chunks(content) if kind == b"tEXt"]
            carried = {keyword.decode("latin-1"): text for keyword, _, text in texts}
            if BLOCKOUT_KEY not in carried:
                raise NotARequest(f"{path} is a picture without a request: name one that Maquette painted")
            return loads(Blockout, carried[BLOCKOUT_KEY])
        return loads(Blockout, content)
    except (OSError, ContractError) as error:
        raise NotARequest(f"{path} is no blockout: {error}") from error


def stem_of(path: Path) -> str:
    """What a file with a request, or a scene, is called: ``shot.001`` of ``shot.001.blockout.json``."""
    return path.name.removesuffix(SUFFIX) if path.name.endswith(SUFFIX) else path.stem


def asks_for(path: Path, *blockouts: Blockout) -> bool:
    """Whether a file is there and asks for one of these, in whatever way it is written."""
    try:
        return read_request(path) in blockouts
    except NotARequest:
        return False


def check_captured(names: Iterable[str]) -> None:
    """Raises AlreadyCaptured for what a request cannot have changed, by the names of flags and settings."""
    if fixed := [name for name in names if name not in SENT]:
        raise AlreadyCaptured(f"{', '.join(fixed)} cannot be set once a scene is captured: capture it anew")


def changes_of(request: Blockout, settings: Mapping[str, Any], model: str | None) -> dict[str, Any]:
    """The fields of a request that these settings and this model change, as JSON values. A ControlNet that is set looks
    at the depth that was captured."""
    changes = {name: dump(value) for name, value in settings.items()} | of_model(request, model)
    if control := settings.get("control"):
        changes["control"] = dump(replace(control, depth=request.control and request.control.depth))
    return changes


def of_model(request: Blockout, name: str | None) -> dict[str, Any]:
    """The fields that change where a command line has a request painted by the model of this name, None for its own:
    another one has files of its own, and computes as it does where nobody asks for a precision."""
    return {} if name in (None, request.model) else {"model": name, "fingerprint": "", "precision": ""}
