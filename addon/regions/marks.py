# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects and collections are regions: custom properties on them, so that a .blend is captured without an add-on.

``maquette_region`` true makes a region; ``maquette_phrase`` is what the prompt calls it, "" for its name;
``maquette_enforce`` lists properties, "shape centroid"; ``maquette_off`` true leaves it out of the request for now;
``maquette_together`` true says that all things of that phrase are meant to be one region. The scene's
``maquette_prompt`` is the prompt.
"""

from collections.abc import Iterator, Sequence
from typing import Any, get_args

from ..messages.errors import PhraseShared
from ..protocol.records import Property
from ..request.phrases import Mark, default_phrase

REGION, PHRASE, ENFORCE, OFF = "maquette_region", "maquette_phrase", "maquette_enforce", "maquette_off"
TOGETHER, PROMPT = "maquette_together", "maquette_prompt"

Marked = Any  # bpy.types.Object | bpy.types.Collection: whatever carries custom properties and a name


def mark(thing: Marked, phrase: str | None = None, enforce: Sequence[Property] = ("shape",)) -> None:
    """Make an object or collection a region; the phrase defaults to its name."""
    thing[REGION] = True
    thing[PHRASE] = phrase or ""
    write(thing, ENFORCE, " ".join(enforce))


def unmark(thing: Marked) -> None:
    """Make an object or collection an ordinary part of the scene again."""
    for key in (REGION, PHRASE, ENFORCE, OFF, TOGETHER):
        if key in thing:
            del thing[key]
    thing.update_tag()


def write(thing: Marked, key: str, value: object) -> None:
    """Change one of the keys above. A custom property alone is no news to the depsgraph, nor to who shows regions."""
    thing[key] = value
    thing.update_tag()


def parts_of(thing: Marked) -> list[Any]:
    """The objects that a marked object or collection consists of."""
    return list(thing.all_objects) if hasattr(thing, "all_objects") else [thing]


def read(thing: Marked) -> Mark | None:
    """The mark an object or collection carries, if any."""
    if not thing.get(REGION, False):
        return None
    phrase = " ".join(str(thing.get(PHRASE, "")).split())
    wanted = str(thing.get(ENFORCE, "shape")).split()
    enforce = tuple(item for item in get_args(Property) if item in wanted)
    return Mark(thing.name, phrase or default_phrase(thing.name), enforce, not thing.get(OFF, False))


def marked(scene: Any) -> Iterator[tuple[Marked, Mark]]:
    """The marked objects and collections that the scene holds or instances, objects first."""
    held = collections(scene)
    objects = {thing.name_full: thing for collection in held for thing in collection.objects}
    for thing in (*objects.values(), *held):
        found = read(thing)
        if found is not None:
            yield thing, found


def of_phrase(scene: Any, phrase: str) -> list[Marked]:
    """The things that are a region of that phrase, in any case of its letters; not those that are switched off."""
    return [thing for thing, found in marked(scene) if found.on and found.phrase.casefold() == phrase.casefold()]


def marks(scene: Any) -> list[Mark]:
    """The scene's regions: one mark a phrase, in a stable order; the first thing with a phrase gives the name.

    Things that are switched off are none.
    """
    by_phrase: dict[str, Mark] = {}
    for _, found in marked(scene):
        if found.on:
            by_phrase.setdefault(found.phrase.casefold(), found)
    return list(by_phrase.values())


def check_apart(scene: Any) -> None:
    """Raises PhraseShared where things have one phrase, and the artist has not said that they are one region.

    A script that gives two things one phrase means one region; an artist may only have copied an object.
    """
    by_phrase: dict[str, list[Marked]] = {}
    for thing, found in marked(scene):
        if found.on:
            by_phrase.setdefault(found.phrase.casefold(), []).append(thing)
    for phrase, things in by_phrase.items():
        if len(things) > 1 and not all(thing.get(TOGETHER, False) for thing in things):
            names = ", ".join(thing.name for thing in things)
            raise PhraseShared(
                f"{names} have the same phrase, “{phrase}”.", "Tell them apart, or make them one region.", phrase
            )


def collections(scene: Any) -> list[Any]:
    """Every collection that the scene holds or instances."""
    return held(scene.collection)


def held(collection: Any) -> list[Any]:
    """A collection, and every one that it holds or instances."""
    return list(_collections(collection, set()))


def _collections(collection: Any, seen: set[str]) -> Iterator[Any]:
    """A collection, its children, and what its objects instance, each once."""
    if collection.name_full in seen:
        return
    seen.add(collection.name_full)
    yield collection
    for child in collection.children:
        yield from _collections(child, seen)
    for thing in collection.objects:
        if thing.instance_type == "COLLECTION" and thing.instance_collection is not None:
            yield from _collections(thing.instance_collection, seen)
