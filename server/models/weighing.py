# SPDX-License-Identifier: MIT
"""The list of models that people read, with what each takes of the device's memory."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from addon.protocol.answers import ModelInfo
from addon.protocol.model_files import FILES, FOLDERS, Library, ModelFile

from ..catalogue import DEFAULT
from .card_files import CardFiles
from .library import ModelLibrary
from .memory_needs import MemoryNeeds


def weighed(
    library: ModelLibrary,
    named: Sequence[ModelInfo],
    needs: MemoryNeeds,
    cards: CardFiles,
    memory: int,
    *,
    on_gpu: bool,
) -> Library:
    """The library, with the models that were named in front, on a device of so many bytes of memory; 0 is unknown."""
    listing, models = library.listing(), {model.name: model for model in (*named, *library.offers)}
    listed = {file.path for file in listing.files}
    others = [model for model in named if model.name != DEFAULT and model.source not in listed]
    files = (*map(_entry, others), *listing.files)[:FILES]
    entries = tuple(_weighed(file, models.get(file.name), needs, cards, memory, on_gpu) for file in files)
    faults = tuple(fault[:2000] for fault in cards.faults[:FOLDERS])
    return replace(listing, files=entries, counting=needs.counting, memory=memory, on_gpu=on_gpu, card_faults=faults)


def _weighed(
    file: ModelFile, model: ModelInfo | None, needs: MemoryNeeds, cards: CardFiles, memory: int, on_gpu: bool
) -> ModelFile:
    if file.trouble or model is None:
        return file
    count = needs.of(model, on_gpu, cards.values(model))
    if not count or not memory:
        return replace(file, needs=count)
    return replace(file, needs=count, fits="fits" if count <= memory else "too large")


def _entry(model: ModelInfo) -> ModelFile:
    source = Path(model.source)
    kind, size = ("checkpoint", source.stat().st_size) if source.is_file() else ("model", 0)
    family, licence = model.family, model.licence
    return ModelFile(name=model.name, path=model.source, kind=kind, family=family, licence=licence, bytes=size)
