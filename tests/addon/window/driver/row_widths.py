# SPDX-License-Identifier: MIT
"""Which words of the panels are cut off: each panel is drawn once more, into a layout that shares its width out as
Blender's own does, and measured with Blender's font.
"""

import sys
from collections.abc import Iterator
from types import MethodType, SimpleNamespace

import blf
import bpy

from tests.addon.window.driver.user_input import operator_context, sidebar
from tests.addon.window.scenarios.interruptions import ADDON

UNIT = 20.0  # pixels: a button's height, and an icon's width
BESIDE = 54.0  # left and right of what a panel has, with the tabs
PADDING = 1.5 * UNIT  # that a button wants around its words
EDGE = 6.0  # and does without at most


class Item:
    """A button, label or field: its words, and the width that it wants."""

    def __init__(self, words: str, icon: bool, units: float = 0.0, edge: float = EDGE) -> None:
        self.words, self.icon, self.edge = words, UNIT if icon else 0.0, edge
        self.fixed = bool(units) or not words
        self.wanted = units * UNIT or (blf.dimensions(0, words)[0] + PADDING if words else 0.0) + self.icon or UNIT

    def cut(self, width: float) -> Iterator[str]:
        """The words, where they need more."""
        if self.words and blf.dimensions(0, self.words)[0] + self.icon + self.edge > width:
            yield f"{self.words} ({width:.0f})"


class Layout:
    """Takes what a panel draws, as a layout of Blender's does; unknown calls draw nothing that has words."""

    def __init__(self, beside: bool = False, split: bool = False) -> None:
        self.beside, self.use_property_split, self.items = beside, split, []
        self.ui_units_x, self.alignment = 0.0, "EXPAND"

    def __getattr__(self, name: str):
        return lambda *_, **__: SimpleNamespace()

    @property
    def fixed(self) -> bool:
        return bool(self.ui_units_x) or (self.beside and all(item.fixed for item in self.items))

    @property
    def wanted(self) -> float:
        widths = [item.wanted for item in self.items] or [0.0]
        return self.ui_units_x * UNIT or (sum(widths) if self.beside else max(widths))

    def row(self, **_) -> "Layout":
        return self._add(Layout(True, self.use_property_split))

    def column(self, **_) -> "Layout":
        return self._add(Layout(False, self.use_property_split))

    box = column

    def grid_flow(self, **_) -> "Layout":
        """Of thumbnails, whose words are as long as prompts: not counted."""
        return Layout()

    split = grid_flow  # whose menus say what they are by their names beside them

    def panel(self, *_, **__) -> tuple["Layout", "Layout"]:
        return self.row(), self.column()

    def label(self, *, text: str = "", icon: str = "NONE", icon_value: int = 0) -> None:
        self._add(Item(text, icon != "NONE" or icon_value > 0))

    def progress(self, *, text: str = "", **_) -> None:
        self._add(Item(text, False))

    def operator(
        self,
        name: str,
        *,
        text: str | None = None,
        icon: str = "NONE",
        icon_value: int = 0,
        emboss: bool = True,
        **_,
    ) -> SimpleNamespace:
        room, _, operator = name.partition(".")
        label = getattr(getattr(bpy.ops, room), operator).get_rna_type().name
        edge = EDGE if emboss else 0.0
        self._add(Item(label if text is None else text, icon != "NONE" or icon_value > 0, edge=edge))
        return SimpleNamespace()

    def prop(self, data, name: str, *, text: str | None = None, icon: str = "NONE", expand: bool = False, **_) -> None:
        rna = data.bl_rna.properties.get(name)
        if expand:
            for item in rna.enum_items:
                self._add(Item(item.name, False))
        elif rna is not None and rna.type == "BOOLEAN" and not self.use_property_split:
            self._add(Item(rna.name if text is None else text, icon != "NONE"))
        else:
            self._add(Item("", icon != "NONE", 0.0 if icon != "NONE" else 3.0))

    def cut(self, width: float) -> Iterator[str]:
        """Words that are cut off when there is so much width: icons keep theirs, the others share what is left in
        proportion to what they want."""
        width = min(width, self.ui_units_x * UNIT) if self.ui_units_x else width
        kept = sum(item.wanted for item in self.items if item.fixed)
        shared = sum(item.wanted for item in self.items if not item.fixed)
        factor = max(0.0, width - kept) / shared if shared else 0.0
        factor = min(1.0, factor) if self.alignment != "EXPAND" else factor
        for item in self.items:
            own = item.wanted if item.fixed else factor * item.wanted
            yield from item.cut(own if self.beside else width)

    def _add(self, item):
        self.items.append(item)
        return item


class Drawn:
    """Stands for a panel while its draw is called."""

    def __init__(self, kind: type, layout: Layout) -> None:
        self.kind, self.layout = kind, layout

    def __getattr__(self, name: str):
        return MethodType(getattr(self.kind, name), self)


def cut_words() -> list[str]:
    """The words that the sidebar's panels cut off as it is, each with its panel and the width that it has; not those
    of the artist's prompt, which may be long."""
    prompt = bpy.context.scene.maquette_prompt or "…"
    scale = bpy.context.preferences.system.ui_scale
    blf.size(0, bpy.context.preferences.ui_styles[0].widget.points)
    cut = []
    with operator_context():
        for kind in sys.modules[f"{ADDON}.ui.panels"].PANELS:
            if kind.poll(bpy.context) if hasattr(kind, "poll") else True:
                layout = Layout()
                kind.draw(Drawn(kind, layout), bpy.context)
                blf.size(0, bpy.context.preferences.ui_styles[0].widget.points)
                cut += [f"{kind.bl_label}: {words}" for words in layout.cut(sidebar().width / scale - BESIDE)]
    return [words for words in cut if prompt not in words]
