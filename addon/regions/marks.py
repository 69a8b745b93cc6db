# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects and collections are regions: custom properties on them, so that a .blend is captured without an add-on.

``maquette_region`` true makes a region; ``maquette_phrase`` is what the prompt calls it, "" for its name;
``maquette_enforce`` lists properties, "shape centroid"; ``maquette_off`` true leaves it out of the request for now;
``maquette_together`` true says that all objects and collections of that phrase are meant to be one region. What a
region has of its own is ``maquette_strength``, ``maquette_start``, ``maquette_until``, ``maquette_description`` and
``maquette_colour``, where they are set; ``maquette_keep_look`` true has it look as in the latest picture, and
``maquette_taken_from`` as in the picture of that sha256; ``maquette_unnamed`` true needs no word of it in the prompt.
The scene's ``maquette_prompt`` is the prompt, ``maquette_blocking`` how far pictures begin as their blocks' colours.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias, get_args

import bpy

from ..messages.errors import PhraseShared
from ..protocol.blockout import Blockout, Property, Region
from ..request.phrases import Mark, default_phrase
from .palette import Rgb

REGION, PHRASE, ENFORCE, OFF = "maquette_region", "maquette_phrase", "maquette_enforce", "maquette_off"
TOGETHER = "maquette_together"
STRENGTH, START, UNTIL = "maquette_strength", "maquette_start", "maquette_until"
DESCRIPTION, COLOUR = "maquette_description", "maquette_colour"
KEEP_LOOK, TAKEN_FROM = "maquette_keep_look", "maquette_taken_from"
UNNAMED = "maquette_unnamed"
BLOCKING = "maquette_blocking"  # of a scene
KEYS = (
    REGION, PHRASE, ENFORCE, OFF, TOGETHER, STRENGTH, START, UNTIL, DESCRIPTION, COLOUR, KEEP_LOOK, TAKEN_FROM, UNNAMED,
)  # fmt: skip

Marked: TypeAlias = bpy.types.Object | bpy.types.Collection


def mark(item: Marked, phrase: str | None = None, enforce: Sequence[Property] = ("shape",)) -> None:
    """Make an object or collection a region; the phrase defaults to its name."""
    item[REGION] = True
    item[PHRASE] = phrase or ""
    write(item, ENFORCE, " ".join(enforce))


def unmark(item: Marked) -> None:
    """Make an object or collection an ordinary part of the scene again."""
    for key in KEYS:
        if item.get(key) is not None:
            del item[key]
    item.update_tag()


def write(item: Marked, key: str, value: object) -> None:
    """Change one of the keys above, None as what was never set. A custom property alone is no news to the depsgraph,
    nor to who shows regions."""
    if value is None:
        item.pop(key, None)
    else:
        item[key] = value
    item.update_tag()


def set_text(item: Marked, field: str, value: str) -> None:
    """Give a marked object or collection a field of its own, from text, as of a command line. Raises ValueError."""
    keys = {"phrase": PHRASE, "description": DESCRIPTION, "colour": COLOUR}
    numeric = {"strength": STRENGTH, "start": START, "until": UNTIL}
    numbers = [float(part) for part in value.split(",")] if field == "colour" else []
    write(item, (keys | numeric)[field], float(value) if field in numeric else numbers or value)


def recall(item: Marked, region: Region) -> None:
    """Give a marked object or collection what a region of a request had of its own, and no more than that."""
    write(item, ENFORCE, " ".join(region.enforce))
    write(item, STRENGTH, _unless(1.0, region.strength))
    write(item, START, _unless(0.0, region.start))
    write(item, UNTIL, _unless(1.0, region.until))
    write(item, DESCRIPTION, region.description or None)
    write(item, COLOUR, region.colour)
    write(item, UNNAMED, region.unnamed or None)


def recall_beginning(scene: bpy.types.Scene, request: Blockout) -> None:
    """Have the scene begin its pictures as a request does."""
    if request.blocking is None:
        scene.pop(BLOCKING, None)
    else:
        scene[BLOCKING] = request.blocking.amount
    pictures = {part.region: part.picture for part in request.collage}
    taken = {region.phrase.casefold(): pictures.get(region.name) for region in request.regions}
    for item, mark in marked(scene):
        if item.is_editable and mark.phrase.casefold() in taken:
            write(item, TAKEN_FROM, taken[mark.phrase.casefold()])


def parts_of(item: Marked) -> list[bpy.types.Object]:
    """The objects that a marked object or collection consists of."""
    return list(item.all_objects) if isinstance(item, bpy.types.Collection) else [item]


def read(item: Marked) -> Mark | None:
    """The mark an object or collection carries, if any."""
    if not item.get(REGION, False):
        return None
    phrase = _composed(" ".join(str(item.get(PHRASE, "")).split()) or default_phrase(item.name))
    names = str(item.get(ENFORCE, "shape")).split()
    enforce = tuple(name for name in get_args(Property) if name in names)
    return Mark(
        name=item.name,
        phrase=phrase,
        enforce=enforce,
        on=not item.get(OFF, False),
        strength=float(item.get(STRENGTH, 1.0)),
        start=float(item.get(START, 0.0)),
        until=float(item.get(UNTIL, 1.0)),
        description=" ".join(str(item.get(DESCRIPTION, "")).split()),
        colour=_colour(item),
        keep=bool(item.get(KEEP_LOOK, False)),
        unnamed=bool(item.get(UNNAMED, False)),
    )


def _composed(phrase: str) -> str:
    """Accents and letters in one: macOS names files, and so objects, otherwise than people type."""
    return unicodedata.normalize("NFC", phrase)


def _unless(default: float, value: float) -> float | None:
    return None if value == default else value


def _colour(item: Marked) -> Rgb | None:
    """Red, green and blue in 0..1, sRGB, as its picture shows them."""
    to_list: Callable[[], Any] | None = getattr(item.get(COLOUR), "to_list", None)  # as Blender's arrays have it
    channels = [] if to_list is None else [float(channel) for channel in to_list()]
    return (channels[0], channels[1], channels[2]) if len(channels) == 3 else None


def own_name(item: Marked) -> str:
    """A name that no other object or collection of the file has, linked or not."""
    return f"{item.name_full} (collection)" if isinstance(item, bpy.types.Collection) else item.name_full


def marked(scene: bpy.types.Scene) -> Iterator[tuple[Marked, Mark]]:
    """The marked objects and collections that the scene holds or instances, objects first. Where several have one name,
    be it a collection's or of another library, each mark has its own."""
    holders = collections(scene)
    objects = {item.name_full: item for collection in holders for item in collection.objects}
    items: list[Marked] = [*objects.values(), *holders]
    pairs = [(item, mark) for item in items if (mark := read(item)) is not None]
    names = Counter(mark.name for _, mark in pairs)
    for item, mark in pairs:
        yield item, mark if names[mark.name] == 1 else replace(mark, name=own_name(item))


def of_phrase(scene: bpy.types.Scene, phrase: str) -> list[Marked]:
    """What is a region of that phrase, in any case of its letters; not what is switched off."""
    return [item for item, mark in marked(scene) if mark.on and mark.phrase.casefold() == phrase.casefold()]


def marks(scene: bpy.types.Scene) -> list[Mark]:
    """The scene's regions: one mark a phrase, in a stable order; the first object with a phrase gives the name.

    What is switched off is none.
    """
    by_phrase: dict[str, Mark] = {}
    for _, mark in marked(scene):
        if mark.on:
            by_phrase.setdefault(mark.phrase.casefold(), mark)
    return list(by_phrase.values())


def check_apart(scene: bpy.types.Scene) -> None:
    """Raises PhraseShared where several have one phrase, and the artist has not said that they are one region.

    A script that gives two objects one phrase means one region; an artist may only have copied an object.
    """
    by_phrase: dict[str, list[Marked]] = {}
    for item, mark in marked(scene):
        if mark.on:
            by_phrase.setdefault(mark.phrase.casefold(), []).append(item)
    for phrase, items in by_phrase.items():
        if len(items) > 1 and not all(item.get(TOGETHER, False) for item in items):
            names = ", ".join(item.name for item in items)
            raise PhraseShared(
                f"{names} have the same phrase, “{phrase}”.", "Tell them apart, or make them one region.", phrase
            )


def collections(scene: bpy.types.Scene) -> list[bpy.types.Collection]:
    """Every collection that the scene holds or instances."""
    assert scene.collection is not None
    return nested(scene.collection)


def nested(collection: bpy.types.Collection) -> list[bpy.types.Collection]:
    """A collection, and every one that it holds or instances, each once."""
    return list(_nested(collection, set()))


def _nested(collection: bpy.types.Collection, visited: set[str]) -> Iterator[bpy.types.Collection]:
    if collection.name_full in visited:
        return
    visited.add(collection.name_full)
    yield collection
    for child in collection.children:
        yield from _nested(child, visited)
    for item in collection.objects:
        if item.instance_type == "COLLECTION" and item.instance_collection is not None:
            yield from _nested(item.instance_collection, visited)
