# SPDX-License-Identifier: MIT
"""The models a server offers: Toybox, and diffusers folders its owner names. Read from their JSON, without torch."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from addon.protocol.default_model import TOYBOX
from addon.protocol.records import ModelInfo

from .errors import CommandError

TOYBOX_FOLDER = Path(__file__).resolve().parent.parent / "sg_core" / "toybox" / "weights"


class NotAModel(CommandError):
    """A folder that holds no diffusers model of a family we know."""

    def __init__(self, folder: Path, problem: str) -> None:
        super().__init__(f"{folder} holds no model Maquette can use: {problem}")


def offered(folders: Sequence[Path]) -> tuple[ModelInfo, ...]:
    """The named folders, first, and Toybox. Raises NotAModel."""
    return (*(described(folder) for folder in folders), replace(TOYBOX, words=_words(TOYBOX_FOLDER)))


def described(folder: Path) -> ModelInfo:
    """A diffusers folder as an offer: its native area is what its network was made for. Raises NotAModel."""
    unet, vae = _json(folder, "unet"), _json(folder, "vae")
    levels = vae["block_out_channels"] if "block_out_channels" in vae else vae["decoder_block_out_channels"]
    pixels = 2 ** (len(levels) - 1)
    coarsest = 2 ** (len(unet["block_out_channels"]) - 1)
    side = unet["sample_size"] * pixels
    return replace(
        TOYBOX,
        name=folder.resolve().name,
        source=str(folder.resolve()),
        revision="local",
        licence="unknown",
        area=side * side,
        multiple=pixels * coarsest,
        nouns=(),
        words=_words(folder),
    )


def _words(folder: Path) -> tuple[str, ...]:
    """The only words that a model knows, where its tokenizer was made for those alone, as Toybox's is."""
    listed = (folder / "tokenizer" / "words.json").is_file()
    return tuple(_json(folder, "tokenizer", "words.json")) if listed else ()


def _json(folder: Path, part: str, name: str = "config.json") -> Any:
    path = folder / part / name
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise NotAModel(folder, f"{path.name} of its {part} cannot be read: {error}") from error
