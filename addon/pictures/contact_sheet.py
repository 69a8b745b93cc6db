# SPDX-License-Identifier: GPL-3.0-or-later
"""A contact sheet: pictures of one request side by side in an Image Editor, as a frozen value. No bpy.

It is made of names: the pictures are in the history's folder, and what is drawn of them on the graphics card. So no
data-block belongs to it, a file never holds it, and no undo step touches it.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from ..protocol.blockout import Blockout
from ..protocol.strict_json import loads
from ..session.state import Session, find_task
from ..session.task import Task
from .history import Entry
from .labels import PictureFacts, entry_facts, facts_of, labels

CELLS_MAX = 16
DIFFERENT = ("seed", "variation", "variation_seed")  # what pictures of one sheet may differ in
STATES = {"queued": "Waiting", "failed": "Failed", "cancelled": "Cancelled", "done": "Arriving…"}


@dataclass(frozen=True, kw_only=True)
class SheetCell:
    """A picture on the sheet: its ``name`` in the history, "" before it is there; ``job`` is what paints it, where that
    is known. ``words`` stand in a cell without a picture, ``label`` below it."""

    facts: PictureFacts
    name: str = ""
    job: str = ""
    label: str = ""
    words: str = ""
    favourite: bool = False


@dataclass(frozen=True, kw_only=True)
class ContactSheet:
    """The sheet in the Image Editor whose space has that address, and the indices of what is ``selected`` on it and of
    the ``second`` cell, to compare with. ``request`` is what its pictures have in common. Once one is ``taken``, others
    that arrive on it do not become the scene's picture."""

    space: int
    request: str
    cells: tuple[SheetCell, ...]
    selected: int = 0
    second: int | None = None
    taken: bool = False

    @property
    def cell(self) -> SheetCell:
        """The selected one."""
        return self.cells[self.selected]

    def keeps(self, job: str) -> bool:
        """Whether the picture of this job is for the sheet alone, for the artist has chosen another."""
        return self.taken and any(cell.job == job for cell in self.cells)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the pictures that are there."""
        return tuple(cell.name for cell in self.cells if cell.name)


def common(request: str) -> str:
    """What pictures of one request have in common: a Blockout as JSON, without what they may differ in."""
    return _without_difference(json.loads(request))


def common_of_entry(document: str) -> str:
    """The same of an entry's JSON text, "" of one that is none. A tenth of what it takes to read the entry whole."""
    try:
        return _without_difference(json.loads(document)["request"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def _without_difference(request: dict[str, Any]) -> str:
    return json.dumps({key: value for key, value in request.items() if key not in DIFFERENT}, sort_keys=True)


def cell_of_entry(entry: Entry) -> SheetCell:
    """The cell of a picture that is there."""
    return SheetCell(facts=entry_facts(entry), name=entry.name)


def cell_of_task(task: Task) -> SheetCell:
    """The cell of a picture that was asked for."""
    request = loads(Blockout, task.request)
    facts = facts_of(request, task.settings.prompt, task.settings.style, task.job.created)
    return SheetCell(facts=facts, job=task.job.id, words=_words(task))


def contact_sheet(space: int, request: str, cells: Iterable[SheetCell]) -> ContactSheet:
    """A sheet of the last CELLS_MAX of these cells, each with a label that tells it from the others."""
    return ContactSheet(space=space, request=request, cells=_labelled(list(cells)[-CELLS_MAX:]))


def extended(sheet: ContactSheet, cells: Iterable[SheetCell]) -> ContactSheet:
    """The sheet with more pictures; the first ones leave where they are too many."""
    more = (*sheet.cells, *cells)
    left = max(0, len(more) - CELLS_MAX)
    return replace(
        sheet,
        cells=_labelled(more[left:]),
        selected=max(0, sheet.selected - left),
        second=None if sheet.second is None or sheet.second < left else sheet.second - left,
    )


def without(sheet: ContactSheet, name: str) -> ContactSheet | None:
    """The sheet when that picture is deleted; None where it was the last one."""
    cells = [cell for cell in sheet.cells if cell.name != name]
    if not cells:
        return None
    selected = cells.index(sheet.cell) if sheet.cell in cells else 0
    return replace(sheet, cells=_labelled(cells), selected=selected, second=None)


def chosen(sheet: ContactSheet, index: int, second: bool) -> ContactSheet:
    """A cell is pressed: it is selected, or becomes the one to compare with."""
    if not second:
        return replace(sheet, selected=index, second=None)
    return replace(sheet, second=None if index in (sheet.selected, sheet.second) else index)


def followed(sheet: ContactSheet, session: Session, is_favourite: Callable[[str], bool]) -> ContactSheet:
    """The sheet as things stand now: pictures that have arrived, what the others wait for, and the stars."""
    return replace(sheet, cells=tuple(_followed(cell, session, is_favourite) for cell in sheet.cells))


def _followed(cell: SheetCell, session: Session, is_favourite: Callable[[str], bool]) -> SheetCell:
    if cell.name:
        return replace(cell, favourite=is_favourite(cell.name))
    task = find_task(session, cell.job)
    if task is None:
        return replace(cell, words="Gone")
    if task.received and task.picture is not None:
        return replace(cell, name=task.picture.stem, words="", favourite=is_favourite(task.picture.stem))
    return replace(cell, words=_words(task))


def _words(task: Task) -> str:
    """What an empty cell says."""
    if task.job.state in STATES:
        return STATES[task.job.state]
    return f"Step {task.job.step} of {task.job.steps}" if task.job.step else "Begun"


def _labelled(cells: Iterable[SheetCell]) -> tuple[SheetCell, ...]:
    cells = tuple(cells)
    words = labels([cell.facts for cell in cells])
    return tuple(replace(cell, label=f"Seed {label}") for cell, label in zip(cells, words, strict=True))
