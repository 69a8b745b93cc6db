# SPDX-License-Identifier: MIT
"""Whether a folder in diffusers' format is set up as loading needs it, by its JSON files and its parts' names alone."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from weight_files.foreign import foreign_key
from weight_files.prediction import is_of_edm
from weight_files.safetensors_header import Unreadable

from .folder_parts import read_object

PIECES = "spiece.model"  # of a tokenizer, which needs two packages where nothing else is there
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
    noise = read_object(folder / "scheduler" / "scheduler_config.json")
    if is_of_edm(noise):
        raise Unreadable("its scheduler is of EDM's kind, whose noise Maquette does not walk")


def _refuse_part(part: Path) -> None:
    words = part.name.startswith("tokenizer")
    settings = part / ("tokenizer_config.json" if words else "config.json")
    for file in sorted(part.iterdir()):
        if file.name.startswith("adapter_") or not (file.is_file() or file.is_dir()):
            raise Unreadable(f"in it, {part.name}/{file.name} is not ours to open: take it out of the folder")
    if settings.exists() or not words:
        try:
            key = foreign_key(read_object(settings))
        except RecursionError as error:
            raise Unreadable(f"its {settings.name} is damaged; get the folder again") from error
        if key:
            asks = f"in it, {part.name}/{settings.name} asks for {key}"
            if "quant" in key:
                raise Unreadable(
                    f"{asks}: its weights are quantised in a way that is not read; get it in half precision"
                )
            raise Unreadable(f"{asks}: code and kernels of a model are never run")
    if words and (part / PIECES).is_file() and not (part / "tokenizer.json").is_file() and not _has_packages():
        raise Unreadable(f"its {part.name} needs two packages: pip install sentencepiece protobuf")


def _has_packages() -> bool:
    try:
        return all(find_spec(package) is not None for package in PACKAGES)
    except ModuleNotFoundError:  # of "google", in which protobuf lies
        return False
