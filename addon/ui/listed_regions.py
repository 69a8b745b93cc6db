# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene's regions as its panel lists them: their numbers, why one is red, and whether the numbers still hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import bpy

from ..capture.scene_settings import read
from ..messages import region_sentences
from ..messages.notice import Notice
from ..protocol.blockout import Blockout
from ..regions import marks
from ..regions.listing import Row
from ..regions.measures import BlockMeasure, RegionMeasure
from ..request import phrases, settings
from ..request.phrases import names_any, spellings
from ..request.settings import PROMPT, STYLE
from ..request.styles import applied, styled
from ..runtime.app import app
from .context import Context
from .image_editor import current
from .properties import chosen


@dataclass(frozen=True)
class ListedRegion:
    """A region as it is drawn: why it is red, its numbers, and what a render shows otherwise."""

    row: Row
    region: marks.Marked
    measure: RegionMeasure | None
    faults: tuple[Notice, ...]
    differences: tuple[str, ...]


def listed_regions(context: Context) -> Iterator[ListedRegion]:
    """The list; of one that is left out there are neither numbers nor faults."""
    regions, uid = app().regions, context.scene.session_uid
    measures, request = regions.measures.get(uid, {}), _request_repeated(context.scene)
    unsaid = _unsaid(context.scene, regions.rows.get(uid, ()))
    for row in regions.rows.get(uid, ()):
        region = row.find(bpy.data)
        if region is not None:
            measure = None if region.maquette_off else measures.get(row.phrase.casefold())
            measure = _dated(measure, region, request)
            is_unsaid = row.phrase.casefold() in unsaid
            faults = () if region.maquette_off else tuple(_faults(context, row, measure, is_unsaid))
            yield ListedRegion(row, region, measure, faults, regions.differences.get(row.uid, ()))


def _request_repeated(scene: bpy.types.Scene) -> Blockout | None:
    """What the scene's picture was asked for, while the scene's settings would ask for the same but for the seed."""
    picture, style = current(scene), app().style_library.find(scene.get(STYLE, ""))
    request = app().regions.request(picture) if picture is not None else None
    if request is None or not settings.asks_alike(applied(read(scene), style), chosen(scene), request):
        return None
    return request


def _dated(measure: RegionMeasure | None, region: marks.Marked, request: Blockout | None) -> RegionMeasure | None:
    """The measure, outdated where the region is not asked for as it was in the ``request``."""
    if measure is None or measure.picture is None or measure.picture.outdated:
        return measure
    mark = marks.read(region)
    regions = request.regions if request is not None else ()
    if mark is not None and any(phrases.same(mark.phrase, i.phrase) and phrases.asks_alike(mark, i) for i in regions):
        return measure
    return replace(measure, picture=replace(measure.picture, outdated=True))


def _unsaid(scene: bpy.types.Scene, rows: Sequence[Row]) -> set[str]:
    """The phrases that the prompt does not say and should, casefolded; each word of it is of one region, so all are
    asked for."""
    on = [(row, item) for row in rows if (item := row.find(bpy.data)) is not None and not item.maquette_off]
    wanted = list(dict.fromkeys(row.phrase.casefold() for row, _ in on))
    free = {row.phrase.casefold() for row, item in on if item.maquette_unnamed}
    prompt = styled(scene.get(PROMPT, ""), app().style_library.find(scene.get(STYLE, "")))
    return {phrase for phrase, spelt in zip(wanted, spellings(wanted, prompt), strict=True) if spelt is None} - free


def _faults(context: Context, row: Row, measure: RegionMeasure | None, unsaid: bool) -> Iterator[Notice]:
    """Why Generate would not ask for this region, or the model not paint it."""
    phrase, model = row.phrase, chosen(context.scene)
    if model.nouns and not names_any(phrase, model.nouns):
        yield region_sentences.unknown_phrase(model.name, phrase)
    if unsaid:
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
