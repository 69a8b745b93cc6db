# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of models in folders: size, licence, and whether the memory of whatever paints is enough. No bpy."""

from ..protocol.model_files import Library, ModelFile

GIGABYTE, MEGABYTE = 2**30, 2**20


def memory_words(file: ModelFile, library: Library) -> str:
    """Needs 5.1 of 24.0 GB; and that this is too much. Empty where nobody has counted."""
    if not file.needs:
        return ""
    total = f" of {library.memory / GIGABYTE:.1f}" if library.memory else ""
    device = "this card" if library.on_gpu else "this machine"
    verdict = f": does not fit {device}" if file.fits == "too large" else ""
    return f"Needs {file.needs / GIGABYTE:.1f}{total} GB{verdict}"


def file_words(file: ModelFile, library: Library) -> str:
    """Its family, its size, its licence, and the memory that it needs."""
    size = f"{file.bytes / GIGABYTE:.1f} GB" if file.bytes >= GIGABYTE else f"{file.bytes / MEGABYTE:.0f} MB"
    parts = (
        file.family,
        size if file.bytes else "",
        f"licence {file.licence or 'unknown'}",
        memory_words(file, library),
    )
    return "  ·  ".join(part for part in parts if part)


def library_words(library: Library) -> str:
    """How many there are of each, and what goes on."""
    good = sum(not file.trouble for file in library.files)
    if library.scanning:
        return f"{good} models so far; the folders are being looked through…"
    counting = "; the memory that they need is being counted…" if library.counting else ""
    others = len(library.files) - good
    return f"{good} {'model' if good == 1 else 'models'} to paint with, {others} files that are none{counting}"
