# SPDX-License-Identifier: GPL-3.0-or-later
"""The folders of models and what lies in them, as the preferences show it."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import bpy

from ..messages.model_words import file_words, library_words
from ..protocol.model_files import Library, ModelFile

ROWS = 100  # files; the command line lists more
NAME = 0.35  # of the width
LETTER = 6.2  # pixels


def draw_models(layout: bpy.types.UILayout, folders: Sequence[Path], library: Library, width: float) -> None:
    """A row for each folder, and each file with what is known of it, or why it cannot be painted with."""
    box = layout.box()
    box.label(text="Folders of Models", icon="FILE_FOLDER")
    state = {folder.path: folder for folder in library.folders}
    for folder in folders:
        row = box.row()
        read = state.get(str(folder))
        kind = f"   ({read.kind})" if read is not None and read.kind not in ("", "folder") else ""
        row.label(text=f"{folder}{kind}", icon="ERROR" if read is not None and read.trouble else "BLANK1")
        row.operator("maquette.remove_model_folder", text="", icon="X", emboss=False).path = str(folder)
        if read is not None and read.trouble:
            _lines(box, read.trouble, width)
    box.operator("maquette.add_model_folder", icon="ADD")
    for fault in library.card_faults:
        _lines(box, fault, width)
    if not library.files and not library.scanning:
        return
    box.label(text=library_words(library))
    for file in library.files[:ROWS]:
        _file(box, file, library, width * (1 - NAME))
    hidden = len(library.files) - ROWS + library.left_out
    if hidden > 0:
        box.label(text=f"{hidden} more: maquette models lists them", icon="BLANK1")


def _file(layout: bpy.types.UILayout, file: ModelFile, library: Library, width: float) -> None:
    row = layout.split(factor=NAME)
    poor = file.trouble or file.fits == "too large"
    row.label(text=file.name, icon="ERROR" if poor else "CHECKMARK")
    _lines(row.column(align=True), file.trouble or file_words(file, library), width)


def _lines(layout: bpy.types.UILayout, words: str, width: float) -> None:
    scale = bpy.context.preferences.system.ui_scale
    for line in textwrap.wrap(words, max(30, int(width / (LETTER * scale)) - 4)):
        layout.label(text=line)
