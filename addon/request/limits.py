# SPDX-License-Identifier: GPL-3.0-or-later
"""What is too much for a picture, said before anything is captured or sent: counts, letters, numbers. No bpy."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args, get_type_hints

from ..messages.errors import LimitExceeded
from ..protocol.blockout import Blockout, Region
from ..protocol.strict_json import ContractError, Length, dump, load
from .phrases import Mark
from .settings import DEFAULTS, Settings

__all__ = ["LimitExceeded", "check_request", "check_settings"]


def _most(record: type, name: str) -> int:
    """How many letters or items a field of a record holds."""
    markers = get_args(get_type_hints(record, include_extras=True)[name])
    return next(marker.high for marker in markers if isinstance(marker, Length))


REGIONS, LETTERS, PHRASE_LETTERS = _most(Blockout, "regions"), _most(Blockout, "prompt"), _most(Region, "phrase")
SHORTER = "Make it shorter."


def check_request(settings: Settings, marks: Sequence[Mark]) -> None:
    """Raise LimitExceeded for what no request can hold."""
    if len(marks) > REGIONS:
        raise LimitExceeded(
            f"{len(marks)} regions; at most {REGIONS} fit a picture.",
            "Switch some off, give several the same words, or mark their collection instead.",
        )
    for mark in marks:
        _check_letters(f"The name of “{mark.name[:20]}…”", mark.name, PHRASE_LETTERS, mark.phrase)
        _check_letters(f"The phrase of {mark.name}", mark.phrase, PHRASE_LETTERS, mark.phrase)
    styled = ", with the words of its style," if settings.style else ""
    _check_letters(f"The prompt{styled}", settings.prompt, LETTERS)
    _check_letters("What to avoid", settings.negative, LETTERS)
    check_settings({name: value for name, value in vars(settings).items() if value is not None})


def check_settings(values: Mapping[str, Any]) -> None:
    """Raise LimitExceeded for a setting, by name, that lies outside its bounds or is of another kind."""
    _check_letters("The prompt", str(values.get("prompt", "")), LETTERS)
    try:
        load(Settings, dump(replace(DEFAULTS, **values)))
    except ContractError as error:
        name = error.path.partition(".")[0].replace("_", " ")
        raise LimitExceeded(f"The {name} {error.problem}.", "Choose another.") from error


def _check_letters(subject: str, text: str, most: int, phrase: str = "") -> None:
    if len(text) > most:
        raise LimitExceeded(f"{subject} has {len(text):,} letters; at most {most:,} are read.", SHORTER, phrase)
