# SPDX-License-Identifier: MIT
"""Whether a folder in diffusers' format is set up as loading needs it, by its JSON files and its parts' names alone."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from weight_files.checkpoint_shapes import configured_numbers
from weight_files.foreign import foreign_key
from weight_files.prediction import is_of_edm
from weight_files.safetensors_header import Unreadable, read_header
from weight_files.vocabulary import has_vocabulary

from .folder_parts import read_object, weights_of

PIECES = "spiece.model"  # of a tokenizer, which needs two packages where nothing else is there
TOKENS = "tokenizer.json"
NUMBERS = ("num_train_timesteps", "beta_start", "beta_end")
PACKAGES = ("sentencepiece", "google.protobuf")


def refuse_unreadable(folder: Path, parts: Mapping[str, Sequence[str]]) -> None:
    """Raise Unreadable where a part is of a class that its pipeline is not painted with, asks for code, kernels or
    quantised weights, or lacks its settings; and where the scheduler does.

    Args:
        parts: of the pipeline, each with the classes that it may be of.
    """
    index = read_object(folder / "model_index.json")
    for part, kinds in parts.items():
        entry = index.get(part)
        name = entry[1] if isinstance(entry, list) and len(entry) == 2 else None
        if name not in kinds:
            has = f"is a {name}" if isinstance(name, str) else "is missing"
            raise Unreadable(f"its {part} {has}, and a {' or '.join(kinds)} is needed")
        if not (folder / part).is_dir():
            raise Unreadable(f"its {part} is missing; get the whole folder")
        _refuse_part(folder / part)
    _refuse_noise(read_object(folder / "scheduler" / "scheduler_config.json"))


def _refuse_noise(scheduler: Mapping[str, Any]) -> None:
    if is_of_edm(scheduler):
        raise Unreadable("its scheduler is of EDM's kind, whose noise Maquette does not walk")
    for key in NUMBERS:
        value = 1 if scheduler.get(key) is None else scheduler[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise Unreadable(f"its scheduler's {key} is {value!r:.40}, and must be a number above 0")


def _refuse_part(part: Path) -> None:
    for file in sorted(part.iterdir()):
        if file.name.startswith("adapter_") or not (file.is_file() or file.is_dir()):
            raise Unreadable(f"in it, {part.name}/{file.name} is not ours to open: take it out of the folder")
    if part.name.startswith("tokenizer"):
        _refuse_words(part)
        return
    config = _settings(part / "config.json")
    needed, present = configured_numbers(config), sum(read_header(file).numbers for file in weights_of(part))
    if present < needed:
        words = f"its {part.name} holds {present:,} numbers, and its configuration says {needed:,}"
        raise Unreadable(f"{words}: they do not belong together, or it is not whole; get the folder again")


def _refuse_words(part: Path) -> None:
    if (part / "tokenizer_config.json").exists():
        _settings(part / "tokenizer_config.json")
    if (tokens := part / TOKENS).is_file():
        with tokens.open("rb") as opened:
            if not opened.read(64).lstrip().startswith(b"{"):
                raise Unreadable(f"in it, {part.name}/{TOKENS} is damaged; get the folder again")
    elif not has_vocabulary(part):
        raise Unreadable(f"its {part.name} holds no words; get the folder again")
    elif (part / PIECES).is_file() and not _has_packages():
        raise Unreadable(f"its {part.name} needs two packages: pip install sentencepiece protobuf")


def _settings(file: Path) -> dict[str, Any]:
    """What a part's JSON file says. Raises Unreadable where that is code, kernels or quantised weights."""
    try:
        settings = read_object(file)
        key = foreign_key(settings)
    except RecursionError as error:
        raise Unreadable(f"its {file.name} is damaged; get the folder again") from error
    if not key:
        return settings
    asks = f"in it, {file.parent.name}/{file.name} asks for {key}"
    if "quant" in key:
        raise Unreadable(f"{asks}: its weights are quantised in a way that is not read; get it in half precision")
    raise Unreadable(f"{asks}: code and kernels of a model are never run")


def _has_packages() -> bool:
    try:
        return all(find_spec(package) is not None for package in PACKAGES)
    except ModuleNotFoundError:  # of "google", in which protobuf lies
        return False
