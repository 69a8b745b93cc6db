# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps what lies over an Image Editor, contact sheet and comparison, in step with pictures, stars and windows."""

from collections.abc import Iterator

import bpy

from ..pictures.contact_sheet import followed, without
from ..pictures.gallery import entries
from .app import App
from .windows import window_manager


def renew(application: App) -> bool:
    """Take both a little further, one picture at a time; whether there is something new to draw."""
    if application.sheet is None and application.comparison is None:
        application.sheet_textures.tick(())
        application.comparison_textures.tick(())
        return False
    before = application.sheet, application.comparison
    editors = set(open_editors())
    if application.sheet is not None:
        sheet = followed(application.sheet, application.session, lambda name: is_favourite(application, name))
        application.sheet = sheet if sheet.space in editors else None
    if application.comparison is not None and application.comparison.space not in editors:
        application.comparison = None
    sheet_names = application.sheet.names if application.sheet is not None else ()
    compared = application.comparison.names if application.comparison is not None else ()
    read = application.comparison_textures.tick(compared) or application.sheet_textures.tick(sheet_names)
    return read or before != (application.sheet, application.comparison)


def close_views(application: App) -> None:
    """The file they were of is closed."""
    application.sheet = application.comparison = None


def leave_views(application: App, name: str) -> None:
    """A picture is deleted."""
    sheet, compared = application.sheet, application.comparison
    if sheet is not None and name in sheet.names:
        application.sheet = without(sheet, name)
    if compared is not None and name in compared.names:
        application.comparison = None


def open_editors() -> Iterator[int]:
    """The spaces of all Image Editors, by their addresses: these stay theirs also while an area is maximised, and those
    of other workspaces are there too."""
    for area in (area for screen in bpy.data.screens for area in screen.areas):
        if isinstance(area.spaces.active, bpy.types.SpaceImageEditor):
            yield area.spaces.active.as_pointer()


def is_favourite(application: App, name: str) -> bool:
    """Whether a picture has a star: in the history of a scene that is shown, else on disk."""
    items = (entries(window.scene).get(name) for window in window_manager().windows)
    item = next((item for item in items if item is not None), None)
    return item.favourite if item is not None else application.gallery.is_starred(name)
