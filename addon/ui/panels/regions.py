# SPDX-License-Identifier: GPL-3.0-or-later
"""The regions of the scene: a line each, what is set of the selected one, and what is drawn of them over the view."""

from collections.abc import Mapping

import bpy

from ...data_blocks import is_saved
from ...messages import fixes, region_sentences
from ...overlay.gpu_drawing import OVERLAY, PARTS, enabled_parts, is_enabled
from ...protocol.answers import ModelInfo
from ...regions import marks
from ...regions.measures import BlockMeasure, PictureMeasure, RegionMeasure
from ...request.phrases import default_phrase
from ...runtime.app import app
from ..context import Context, Icon, MaquetteWindowManager
from ..listed_regions import ListedRegion, listed_regions
from ..properties import chosen
from ..region_properties import ENFORCED, HOLDS, hold_of
from .messages import section_notice
from .widgets import Tab, letters, lines, paragraph

HOLD_ICONS: Mapping[str, Icon] = {"loose": "SHADING_BBOX", "silhouette": "MESH_MONKEY", "custom": "OPTIONS"}
FIX_ICONS: Mapping[str, Icon] = {  # of fixes that the row has no button for
    "maquette.insert_phrase": "ADD",
    "maquette.show_region": "HIDE_OFF",
    "maquette.fit_camera": "VIEW_CAMERA",
}
OWN_FIELDS = {  # of a blockout's region, by property
    marks.STRENGTH: "strength",
    marks.START: "start",
    marks.UNTIL: "until",
    marks.DESCRIPTION: "description",
}
SHARE, ACHIEVED = 1.75, 2.7  # widths of the row's numbers, in heights of a button
BUTTONS, MARGIN = 4.0, 2.8  # of its buttons, and of what is left and right of it
LEAST = 2.5  # of a phrase
UNIT = 20  # pixels
EXACT_SHARE = 0.24  # of a line, for the button that offers it


class MAQUETTE_PT_regions(Tab, bpy.types.Panel):
    """The regions of the scene."""

    bl_label = "Regions"
    bl_parent_id = "MAQUETTE_PT_main"

    def draw(self, context: Context) -> None:
        """A row for each marked object or collection, and the buttons that add more; below them, for these keep their
        height, why rows are red, and what is set of the selected region."""
        column, scene = self.layout.column(align=True), context.scene
        entries = list(listed_regions(context))
        selected = {item.session_uid for item in context.selected_objects}
        for entry in entries:
            self._row(column.row(align=True), entry, not selected.isdisjoint(entry.row.members), context)
        row = self.layout.row(align=True)
        row.operator("maquette.add_selected", icon="ADD")
        row.operator("maquette.add_collection", text="", icon="COLLECTION_NEW")
        self._overlay(context.window_manager)
        reasons = self.layout.column(align=True)
        for entry in entries:
            self._reasons(reasons, entry, context)
        if in_sets := app().regions.in_sets.get(scene.session_uid):
            paragraph(reasons, region_sentences.in_sets(in_sets), context, "SCENE_DATA", "BLANK1")
        if any(entry.measure is not None and entry.measure.picture is not None for entry in entries):
            legend = self.layout.column(align=True)
            legend.active = False
            paragraph(legend, region_sentences.legend(), context)
        section_notice(self, "regions", context)
        active = context.view_layer.objects.active
        uid = active.session_uid if active is not None and active.select_get() else 0
        detailed = next((entry for entry in entries if uid in entry.row.members), None)
        if detailed is not None:
            self._details(detailed, chosen(scene), context)

    def _row(self, row: bpy.types.UILayout, entry: ListedRegion, selected: bool, context: Context) -> None:
        """The region's colour in the overlay, its phrase, its numbers, how firmly it is held, and its eye."""
        region, measure, uid = entry.region, entry.measure, str(entry.row.uid)
        request = row.row(align=True)  # what is asked of the region: grey while it is left out
        request.active = not region.maquette_off
        icon = app().swatches.icon(entry.row.colour)
        select = request.operator("maquette.select_region", text="", icon_value=icon, depress=selected)
        select.uid, select.words = uid, "\n".join(f"{fault.message}." for fault in entry.faults)
        saved = is_saved(region)
        field = request.row(align=True)
        field.enabled = saved
        field.ui_units_x = _phrase_width(context, measure)
        field.alert = any(fault.code in ("strange-words", "phrase-missing") for fault in entry.faults)
        field.prop(region, marks.PHRASE, text="", placeholder=default_phrase(region.name))
        if measure is not None:
            _share(request.row(align=True), entry, measure.block)
            if measure.picture is not None:
                _achieved(request.row(align=True), entry, measure.picture)
        hold, edits = hold_of(region.maquette_enforce), request.row(align=True)
        edits.enabled = saved
        other = edits.operator("maquette.enforce", text="", icon=HOLD_ICONS[hold])
        other.uid, other.what = uid, "loose" if hold == "silhouette" else "silhouette"
        icon_of_off: Icon = "HIDE_ON" if region.maquette_off else "HIDE_OFF"
        side = row.row(align=True)
        side.enabled = saved
        side.prop(region, marks.OFF, text="", icon=icon_of_off, invert_checkbox=True)
        side.operator("maquette.remove_region", text="", icon="X").uid = uid

    def _reasons(self, column: bpy.types.UILayout, entry: ListedRegion, context: Context) -> None:
        """Why the row of this colour is red, with a button where one puts that right, and what only a render shows."""
        icon = app().swatches.icon(entry.row.colour)
        for fault in entry.faults:
            offered = [button for button in fixes.of(fault) if button.operator in FIX_ICONS]
            row = column.row(align=True)
            sentence = row.column(align=True)
            first, *others = lines(fault.message, context, 2 * len(offered))
            sentence.label(text=first, icon_value=icon)
            for line in others:
                sentence.label(text=line, icon="BLANK1")
            for button in offered:
                fix = row.operator(button.operator, text="", icon=FIX_ICONS[button.operator])
                if button.subject_property:
                    setattr(fix, button.subject_property, fault.subject)
        if entry.differences and not context.scene.maquette_exact:
            row = column.split(factor=1.0 - EXACT_SHARE)
            words, beside = (
                region_sentences.approximate(entry.row.phrase, entry.differences),
                EXACT_SHARE * letters(context),
            )
            paragraph(row.column(align=True), words, context, "RESTRICT_RENDER_OFF", "BLANK1", round(beside))
            row.prop(context.scene, "maquette_exact", text="Exact", toggle=True)

    def _overlay(self, manager: MaquetteWindowManager) -> None:
        row = self.layout.row(align=True)
        row.prop(manager, OVERLAY, text="", icon="OVERLAY")
        parts = row.row(align=True)
        parts.active = is_enabled(manager)
        for part, label, _, _ in PARTS:
            enabled = part in enabled_parts(manager)
            parts.operator("maquette.switch_part", text=label, depress=enabled).part = part

    def _details(self, entry: ListedRegion, model: ModelInfo, context: Context) -> None:
        """What is set of a region, and its numbers in words."""
        header, body = self.layout.panel("MAQUETTE_region", default_closed=False)
        header.label(text=entry.row.phrase, icon_value=app().swatches.icon(entry.row.colour))
        if body is None:
            return
        if not is_saved(entry.region):
            paragraph(body, region_sentences.elsewhere(), context, "LINKED", "BLANK1")
        _hold(body.row(align=True), entry)
        _own(body.column(), entry, model)
        measure, column = entry.measure, body.column(align=True)
        if measure is None:
            return
        paragraph(column, _visible_words(measure.block), context)
        if measure.picture is not None:
            words = column.column(align=True)
            words.active = not measure.picture.outdated
            paragraph(words, _achieved_words(entry, measure.picture), context)


def _phrase_width(context: Context, measure: RegionMeasure | None) -> float:
    """What the row's buttons and numbers leave to the phrase, in heights of a button."""
    whole = context.region.width / (UNIT * context.preferences.system.ui_scale) - MARGIN
    numbers = 0.0 if measure is None else SHARE + (ACHIEVED if measure.picture is not None else 0.0)
    return max(LEAST, whole - BUTTONS - numbers)


def _visible_words(block: BlockMeasure) -> str:
    return region_sentences.visible_words(block.size, block.visible, block.hider)


def _achieved_words(entry: ListedRegion, picture: PictureMeasure) -> str:
    return region_sentences.achieved_words(
        entry.row.phrase, picture.by, picture.offset, picture.overlap, picture.outdated, picture.size
    )


def _share(row: bpy.types.UILayout, entry: ListedRegion, block: BlockMeasure) -> None:
    """How much of it is visible; in words under the pointer."""
    row.ui_units_x, row.alert = SHARE, bool(block.unseen)
    share = row.operator("maquette.select_region", text=f"{block.visible:.0%}", emboss=False)
    share.uid, share.words = str(entry.row.uid), _visible_words(block)


def _achieved(row: bpy.types.UILayout, entry: ListedRegion, picture: PictureMeasure) -> None:
    """What the picture shows of it; grey once that is of an earlier scene."""
    row.ui_units_x, row.active = ACHIEVED, not picture.outdated
    words = region_sentences.achieved_short(picture.offset, picture.overlap, picture.size)
    achieved = row.operator("maquette.select_region", text=words, emboss=False)
    achieved.uid, achieved.words = str(entry.row.uid), _achieved_words(entry, picture)


def _hold(row: bpy.types.UILayout, entry: ListedRegion) -> None:
    """Loose or Silhouette, and each property by itself, for what is neither."""
    region, uid = entry.region, str(entry.row.uid)
    hold, row.enabled = hold_of(region.maquette_enforce), is_saved(region)
    for key, label, _, _ in HOLDS:
        choice = row.operator("maquette.enforce", text=label, depress=key == hold)
        choice.uid, choice.what = uid, key
    for key, _, _, icon in ENFORCED:
        enforce = row.operator("maquette.enforce", text="", icon=icon, depress=key in region.maquette_enforce)
        enforce.uid, enforce.what = uid, key


def _own(column: bpy.types.UILayout, entry: ListedRegion, model: ModelInfo) -> None:
    """What it has of its own: what the model takes, and what is set though it does not."""
    region = entry.region
    column.use_property_split = True
    column.use_property_decorate = False
    fields, saved = column.column(), is_saved(region)
    fields.enabled = saved
    for keys in ((marks.STRENGTH,), (marks.START, marks.UNTIL), (marks.DESCRIPTION,)):
        if any(OWN_FIELDS[key] in model.region_fields or region.get(key) is not None for key in keys):
            together = fields.column(align=True)
            for key in keys:
                together.prop(region, key)
    if region.get(marks.UNNAMED) or any(fault.code == "phrase-missing" for fault in entry.faults):
        fields.prop(region, marks.UNNAMED)
    _look(column.row(align=True), entry)
    _taken(column.row(align=True), entry)
    coloured = region.get(marks.COLOUR) is not None
    if "colour" in model.region_fields or coloured:
        row = column.row(align=True)
        row.enabled = saved
        if coloured:
            row.prop(region, marks.COLOUR)
        icon: Icon = "X" if coloured else "ADD"
        text = "" if coloured else "Colour"
        row.operator("maquette.colour_region", text=text, icon=icon).uid = str(entry.row.uid)


def _look(row: bpy.types.UILayout, entry: ListedRegion) -> None:
    """Whether it looks as in the latest picture; or it alone anew in that picture."""
    keep = row.row(align=True)
    keep.enabled = is_saved(entry.region)
    keep.prop(entry.region, marks.KEEP_LOOK)
    row.operator("maquette.repaint_region", text="", icon="BRUSH_DATA").uid = str(entry.row.uid)


def _taken(row: bpy.types.UILayout, entry: ListedRegion) -> None:
    """Out of which picture of the history it is taken."""
    name, row.enabled = str(entry.region.get(marks.TAKEN_FROM, "")), is_saved(entry.region)
    if name:
        icon = app().gallery.icon(name)
        button = row.operator("maquette.take_region", text="Taken from This", icon_value=icon, depress=True)
    else:
        button = row.operator("maquette.take_region", icon="EYEDROPPER")
    button.uid = str(entry.row.uid)
