# SPDX-License-Identifier: GPL-3.0-or-later
"""The regions of the scene: a line each, what is set of the selected one, and what is drawn of them over the view."""

from collections.abc import Iterator, Mapping

import bpy

from ...messages import fixes, region_sentences
from ...messages.notice import Notice
from ...overlay.gpu_drawing import OVERLAY, PARTS, enabled_parts, is_enabled
from ...protocol.answers import ModelInfo
from ...regions import marks
from ...regions.listing import Row
from ...regions.measures import BlockMeasure, PictureMeasure, RegionMeasure
from ...request.phrases import default_phrase, names_any, said
from ...request.settings import PROMPT, STYLE
from ...request.styles import styled
from ...runtime.app import app
from ..context import Context, Icon, MaquetteWindowManager
from ..properties import chosen
from ..region_properties import ENFORCED, HOLDS, hold_of
from .messages import section_notice
from .widgets import Tab, paragraph

HOLD_ICONS: Mapping[str, Icon] = {"loose": "SHADING_BBOX", "silhouette": "MESH_MONKEY", "custom": "OPTIONS"}
FIX_ICONS: Mapping[str, Icon] = {  # of fixes that the row has no button for
    "maquette.insert_phrase": "ADD",
    "maquette.show_region": "HIDE_OFF",
    "maquette.fit_camera": "VIEW_CAMERA",
}
SHARE, ACHIEVED = 1.75, 2.7  # widths of the row's numbers, in heights of a button
BUTTONS, MARGIN = 4.0, 2.8  # of its buttons, and of what is left and right of it
LEAST = 2.5  # of a phrase
UNIT = 20  # pixels


class MAQUETTE_PT_regions(Tab, bpy.types.Panel):
    """The regions of the scene."""

    bl_label = "Regions"
    bl_parent_id = "MAQUETTE_PT_main"

    def draw(self, context: Context) -> None:
        """A row for each marked object or collection, the buttons that add more, and what is set of the selected."""
        column = self.layout.column(align=True)
        scene, regions = context.scene, app().regions
        measures, selected = regions.measures.get(scene.session_uid, {}), _selected(context)
        for listed in regions.rows.get(scene.session_uid, ()):
            region = listed.find(bpy.data)
            if region is not None:
                measure = measures.get(listed.phrase.casefold())
                faults = list(_faults(context, listed, measure)) if not region.maquette_off else []
                lit = not selected.isdisjoint(listed.members)
                self._row(column.row(align=True), listed, region, lit, faults, measure, context)
                for fault in faults:
                    self._fault(column.row(align=True), fault, context)
                differences = regions.differences.get(listed.uid)
                if differences and not scene.maquette_exact:
                    words = f"A render shows it otherwise: {', '.join(differences)}"
                    paragraph(column, words, context, "RESTRICT_RENDER_OFF", "BLANK1")
        row = self.layout.row(align=True)
        row.operator("maquette.add_selected", icon="ADD")
        row.operator("maquette.add_collection", text="", icon="COLLECTION_NEW")
        self._overlay(context.window_manager)
        section_notice(self, "regions", context)  # below the buttons, which stay where they are
        self._details(context, measures)

    def _row(
        self,
        row: bpy.types.UILayout,
        listed: Row,
        region: marks.Marked,
        selected: bool,
        faults: list[Notice],
        measure: RegionMeasure | None,
        context: Context,
    ) -> None:
        """The region's colour in the overlay, its phrase, its numbers, how firmly it is held, and its eye."""
        request = row.row(align=True)  # what is asked of the region: grey while it is left out
        request.active = not region.maquette_off
        icon = app().swatches.icon(listed.colour)
        select = request.operator("maquette.select_region", text="", icon_value=icon, depress=selected)
        select.uid = str(listed.uid)
        numbers = measure if not region.maquette_off else None
        field = request.row(align=True)
        field.ui_units_x = _phrase_width(context, numbers)
        field.alert = any(fault.code in ("strange-words", "phrase-missing") for fault in faults)
        field.prop(region, marks.PHRASE, text="", placeholder=default_phrase(region.name))
        if numbers is not None:
            red = any(fault.code.startswith("region-") for fault in faults)
            _share(request.row(align=True), listed, numbers.block, red)
            if numbers.picture is not None:
                _achieved(request.row(align=True), listed, numbers.picture)
        hold = hold_of(region.maquette_enforce)
        other = request.operator("maquette.enforce", text="", icon=HOLD_ICONS[hold])
        other.uid, other.what = str(listed.uid), "loose" if hold == "silhouette" else "silhouette"
        eye_icon: Icon = "HIDE_ON" if region.maquette_off else "HIDE_OFF"
        row.prop(region, marks.OFF, text="", icon=eye_icon, invert_checkbox=True)
        row.operator("maquette.remove_region", text="", icon="X").uid = str(listed.uid)

    def _fault(self, row: bpy.types.UILayout, fault: Notice, context: Context) -> None:
        """Why the row above is red, and a button where one puts that right."""
        offered = [button for button in fixes.of(fault) if button.operator in FIX_ICONS]
        paragraph(row.column(align=True), fault.message, context, "ERROR", "BLANK1", 2 * len(offered))
        for button in offered:
            fix = row.operator(button.operator, text="", icon=FIX_ICONS[button.operator])
            if button.subject_property:
                setattr(fix, button.subject_property, fault.subject)

    def _overlay(self, manager: MaquetteWindowManager) -> None:
        row = self.layout.row(align=True)
        row.prop(manager, OVERLAY, text="", icon="OVERLAY")
        parts = row.row(align=True)
        parts.active = is_enabled(manager)
        for part, label, _, _ in PARTS:
            enabled = part in enabled_parts(manager)
            parts.operator("maquette.switch_part", text=label, depress=enabled).part = part

    def _details(self, context: Context, measures: Mapping[str, RegionMeasure]) -> None:
        """What is set of the selected region, and its numbers in words."""
        active, scene = context.view_layer.objects.active, context.scene
        uid = active.session_uid if active is not None and active.select_get() else 0
        rows = app().regions.rows.get(scene.session_uid, ())
        listed = next((row for row in rows if uid in row.members), None)
        region = listed.find(bpy.data) if listed is not None else None
        if listed is None or region is None:
            return
        box = self.layout.box()
        box.label(text=listed.phrase, icon_value=app().swatches.icon(listed.colour))
        _hold(box.row(align=True), listed, region)
        _own(box.column(), listed, region, chosen(scene))
        measure, column = measures.get(listed.phrase.casefold()), box.column(align=True)
        if measure is None:
            return
        paragraph(column, _visible_words(measure.block), context)
        if measure.picture is not None:
            words = column.column(align=True)
            words.active = not measure.picture.outdated
            paragraph(words, _achieved_words(listed, measure.picture), context)


def _phrase_width(context: Context, measure: RegionMeasure | None) -> float:
    """What the row's buttons and numbers leave to the phrase, in heights of a button."""
    whole = context.region.width / (UNIT * context.preferences.system.ui_scale) - MARGIN
    numbers = 0.0 if measure is None else SHARE + (ACHIEVED if measure.picture is not None else 0.0)
    return max(LEAST, whole - BUTTONS - numbers)


def _selected(context: Context) -> set[int]:
    return {item.session_uid for item in context.selected_objects}


def _faults(context: Context, listed: Row, measure: RegionMeasure | None) -> Iterator[Notice]:
    """Why Generate would not ask for this region, or the model not paint it."""
    scene, phrase = context.scene, listed.phrase
    model, style = chosen(scene), app().style_library.find(scene.get(STYLE, ""))
    if model.nouns and not names_any(phrase, model.nouns):
        yield region_sentences.unknown_phrase(model.name, phrase)
    if said(phrase, styled(scene.get(PROMPT, ""), style)) is None:
        yield region_sentences.unsaid_phrase(phrase)
    if measure is not None and (unseen := _unseen(measure.block, phrase)) is not None:
        yield unseen


def _unseen(block: BlockMeasure, phrase: str) -> Notice | None:
    """Why nothing, or too little, of it is seen."""
    match block.unseen:
        case "in the view" | "from renders":
            return region_sentences.hidden(block.unseen, phrase)
        case "bare":
            return region_sentences.bare(phrase)
        case "outside":
            return region_sentences.outside(phrase)
        case "behind":
            return region_sentences.behind(block.hider, phrase)
        case "small":
            return region_sentences.too_small(block.size, phrase)
    return None


def _visible_words(block: BlockMeasure) -> str:
    return region_sentences.visible_words(block.size, block.visible, block.hider)


def _achieved_words(listed: Row, picture: PictureMeasure) -> str:
    return region_sentences.achieved_words(listed.phrase, picture.by, picture.offset, picture.overlap, picture.outdated)


def _share(row: bpy.types.UILayout, listed: Row, block: BlockMeasure, red: bool) -> None:
    """How much of it is visible; in words under the pointer."""
    row.ui_units_x, row.alert = SHARE, red
    share = row.operator("maquette.select_region", text=f"{block.visible:.0%}", emboss=False)
    share.uid, share.words = str(listed.uid), _visible_words(block)


def _achieved(row: bpy.types.UILayout, listed: Row, picture: PictureMeasure) -> None:
    """What the picture shows of it; grey once that is of an earlier scene."""
    row.ui_units_x, row.active = ACHIEVED, not picture.outdated
    words = region_sentences.achieved_short(picture.offset, picture.overlap)
    achieved = row.operator("maquette.select_region", text=words, emboss=False)
    achieved.uid, achieved.words = str(listed.uid), _achieved_words(listed, picture)


def _hold(row: bpy.types.UILayout, listed: Row, region: marks.Marked) -> None:
    """Loose or Silhouette, and each property by itself, for what is neither."""
    hold, uid = hold_of(region.maquette_enforce), str(listed.uid)
    for key, label, _, _ in HOLDS:
        choice = row.operator("maquette.enforce", text=label, depress=key == hold)
        choice.uid, choice.what = uid, key
    for key, _, _, icon in ENFORCED:
        enforce = row.operator("maquette.enforce", text="", icon=icon, depress=key in region.maquette_enforce)
        enforce.uid, enforce.what = uid, key


def _own(column: bpy.types.UILayout, listed: Row, region: marks.Marked, model: ModelInfo) -> None:
    """What it has of its own: what the model takes, and what is set though it does not."""
    column.use_property_split = True
    column.use_property_decorate = False
    for key, field in ((marks.STRENGTH, "strength"), (marks.DESCRIPTION, "description")):
        if field in model.region_fields or region.get(key) is not None:
            column.prop(region, key)
    coloured = region.get(marks.COLOUR) is not None
    if "colour" in model.region_fields or coloured:
        row = column.row(align=True)
        if coloured:
            row.prop(region, marks.COLOUR)
        icon: Icon = "X" if coloured else "ADD"
        text = "" if coloured else "Colour"
        row.operator("maquette.colour_region", text=text, icon=icon).uid = str(listed.uid)
