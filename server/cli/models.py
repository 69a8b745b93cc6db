# SPDX-License-Identifier: MIT
"""``maquette models``: what lies in the folders of models, what fits this machine, and what is wrong with the rest."""

import argparse
import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from addon.protocol.model_files import (
    FOLDERS_FILE,
    FoldersUnreadable,
    Library,
    ModelFile,
    listed_folders,
    write_folders,
)
from addon.protocol.paths import home
from addon.protocol.strict_json import dump
from weight_files.safetensors_header import amount

from ..catalogue import offered
from ..errors import CommandError
from ..models.card_files import CardFiles
from ..models.library import ModelLibrary
from ..models.memory_needs import MemoryNeeds
from ..models.weighing import weighed
from ..settings import ServerSettings
from .device import DeviceReport, device_report
from .files import writing
from .terminal import complain, say

WIDTH = 100
GIBIBYTE = 2**30


class WrongFolders(CommandError):
    """The list of folders cannot be changed so."""


def library_of(settings: ServerSettings, device: DeviceReport | None) -> Library:
    """What these settings lead to, with the memory that each model needs of a device: ten seconds a kind of model."""
    library = ModelLibrary(settings.folders, settings.listed_folders, settings.models)
    library.look()
    cards = CardFiles(settings.cards)
    if device is None:
        return replace(library.listing(), card_faults=cards.faults)
    needs, memory, on_gpu = MemoryNeeds(settings.needs), device.memory.total, bool(device.gpu)
    weighed(library, settings.models, needs, cards, memory, on_gpu=on_gpu)
    if needs.counting:
        complain("Counting how much memory the models need …")
    needs.settle()
    return replace(weighed(library, settings.models, needs, cards, memory, on_gpu=on_gpu), counting=False)


def lines_of(library: Library) -> Iterator[str]:
    """The list as people read it."""
    if not library.folders and not library.files:
        yield "No folder of models is named. Name one: maquette models --add FOLDER, or in the add-on's preferences."
        return
    for folder in library.folders:
        yield f"{folder.path}  ({folder.kind or 'not read'})" + (f": {folder.trouble}" if folder.trouble else "")
    good = [file for file in library.files if not file.trouble]
    yield f"\n{len(good)} to paint with:" if good else "\nNothing to paint with."
    width = max((len(file.name) for file in library.files), default=0)
    for file in good:
        yield f"  {file.name:{width}}  {', '.join(facts_of(file, library))}"
    if others := [file for file in library.files if file.trouble]:
        yield f"\n{len(others)} that cannot be painted with:"
    for file in others:
        indent = " " * (width + 4)
        yield textwrap.fill(
            file.trouble, WIDTH + width, initial_indent=f"  {file.name:{width}}  ", subsequent_indent=indent
        )
    yield from (f"\n{fault}" for fault in library.card_faults)
    if library.left_out:
        yield f"\n{library.left_out} more are not listed: name a folder that holds fewer."


def facts_of(file: ModelFile, library: Library) -> Iterator[str]:
    """What is known of a model: family, size, licence, memory."""
    yield file.family
    yield amount(file.bytes) if file.bytes else file.kind
    yield f"licence {file.licence or 'unknown'}"
    if file.needs:
        yield needs_words(file, library)


def needs_words(file: ModelFile, library: Library) -> str:
    """Needs 5.1 of 24.0 GiB: fits."""
    device = "this card" if library.on_gpu else "this machine"
    verdict = {"fits": ": fits", "too large": f": does not fit {device}", "": ""}[file.fits]
    total = f" of {library.memory / GIBIBYTE:.1f}" if library.memory else ""
    return f"needs {file.needs / GIBIBYTE:.1f}{total} GiB{verdict}"


def parser() -> argparse.ArgumentParser:
    """Its flags."""
    flags = argparse.ArgumentParser(prog="maquette models", description=__doc__)
    flags.add_argument("--models", type=Path, action="append", default=[], help="also look into this folder")
    flags.add_argument("--model", action="append", default=[], help="also this model, as maquette serve takes it")
    flags.add_argument(
        "--add", type=Path, action="append", default=[], help="name a folder, for every server from now on"
    )
    flags.add_argument("--remove", type=Path, action="append", default=[], help="name it no more")
    flags.add_argument("--home", type=Path, default=home(), help="folder in which the names are kept")
    flags.add_argument("--quick", action="store_true", help="without the memory that models need")
    flags.add_argument("--json", action="store_true", help="one line of JSON instead")
    return flags


def rename(listed: Path, added: Sequence[Path], removed: Sequence[Path]) -> None:
    """Name these folders in the list, and those no more. Raises WrongFolders, CannotWrite."""
    try:
        named = [*listed_folders(listed), *added]
    except FoldersUnreadable as error:
        raise WrongFolders(f"{listed} stays as it is: {error}") from error
    if strangers := [str(path) for path in removed if path not in named]:
        raise WrongFolders(f"{', '.join(strangers)}: no folder of {listed} is called so, and nothing was changed")
    with writing(listed, "name another home with --home"):
        write_folders(listed, [path for path in named if path not in removed])


def main(argv: Sequence[str]) -> int:
    """``maquette models``: 0, whatever is in the folders."""
    words = parser().parse_args(argv)
    listed = words.home / FOLDERS_FILE
    if words.add or words.remove:
        rename(listed, [path.absolute() for path in words.add], [path.absolute() for path in words.remove])
    folders = tuple(path.absolute() for path in words.models)
    settings = ServerSettings(home=words.home, models=offered(words.model), folders=folders)
    library = library_of(settings, None if words.quick else device_report())
    say(json.dumps(dump(library)) if words.json else "\n".join(lines_of(library)))
    return 0
