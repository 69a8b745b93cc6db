# SPDX-License-Identifier: MIT
"""The layers that a check chose, as a Card among those that the user writes: all that it does not say stays the
family's."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from addon.protocol.answers import ModelInfo
from server.catalogue import NotAModel, described
from server.cli.files import write, writing
from server.models.card_files import CardFiles

WORD = re.compile(r"[^\w.-]+")


def card_file(folder: Path, name: str) -> Path:
    """Where the Card of a model of this name is written."""
    return folder / f"{WORD.sub('-', name).strip('.-') or 'model'}.toml"


def card_text(name: str, layers: Sequence[str], remarks: Sequence[str]) -> str:
    """The file: remarks as comments, then the one table."""
    pattern = name.replace("[", "[[]").replace("*", "[*]").replace("?", "[?]")
    comments = [f"# {line}" for line in (f"Written by maquette check on {date.today().isoformat()}.", *remarks)]
    listed = ", ".join(json.dumps(layer) for layer in layers)
    return "\n".join([*comments, f"[model.{json.dumps(pattern)}]", f"layers = [{listed}]", ""])


def write_card(file: Path, text: str, *, overwrite: bool) -> str:
    """Writes it, unless there is one of that name; says in a sentence what was done. Raises CannotWrite."""
    if file.exists() and not overwrite:
        return f"{file} is there already and stays as it is. With --overwrite it would say:\n\n{text}"
    with writing(file, "name another folder with --cards"):
        file.parent.mkdir(parents=True, exist_ok=True)
        write(file, text.encode())
    return f"The Card is written: {file}"


def users_values(source: str, folder: Path, parts: Path | None = None) -> Mapping[str, Any]:
    """What the user's cards say of a model already; nothing of one that the server would not offer."""
    try:
        model: ModelInfo = described(source, parts=parts)
    except NotAModel:
        return {}
    return dict(CardFiles(folder).values(model))
