# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist calls things, and what the prompt says of them. No bpy."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ..messages.errors import NothingMarked, PhraseMissing
from ..protocol.records import Property


@dataclass(frozen=True)
class Mark:
    """What the artist said of a thing: its name, the words of the prompt that mean it, and what to enforce.

    One that is not ``on`` only hides what is behind it, for as long as it is switched off. ``hidden`` says where it is,
    should it have no surface: "in the view", "from renders", or "".
    """

    name: str
    phrase: str
    enforce: tuple[Property, ...] = ("shape",)
    on: bool = True
    hidden: str = ""


def default_phrase(name: str) -> str:
    """What a thing is called when the artist did not say: its name without Blender's ``.001``."""
    return re.sub(r"\.\d{3,}$", "", name)


def occurrence(phrase: str, prompt: str) -> str | None:
    """``phrase`` as the prompt spells it, whole words in any case; None when the prompt does not say it."""
    words = r"\s+".join(re.escape(word) for word in phrase.split())
    found = re.search(rf"(?<!\w){words}(?!\w)", prompt, re.IGNORECASE) if words else None
    return found.group() if found else None


def strange(prompt: str, words: Collection[str]) -> tuple[str, ...]:
    """The words of a prompt that are not among ``words``, the only ones a model knows; none where it knows any."""
    said = dict.fromkeys(re.findall(r"\w+", prompt.lower())) if words else {}
    return tuple(word for word in said if word not in words)


def names_any(phrase: str, nouns: Collection[str]) -> bool:
    """Whether a phrase says one of the ``nouns``, which may be of several words."""
    said = f" {' '.join(phrase.casefold().split())} "
    return any(f" {noun} " in said for noun in nouns)


def inserted(prompt: str, phrase: str) -> str:
    """The prompt, saying ``phrase`` too; with an article by its first letter, unless it brings its own."""
    article = "an" if phrase[:1].casefold() in "aeiou" else "a"
    told = phrase if re.match(r"(an?|the)\s", phrase, re.IGNORECASE) else f"{article} {phrase}"
    return f"{prompt} and {told}" if prompt else told


def apart(phrase: str, count: int) -> tuple[str, ...]:
    """As many phrases for things of one phrase, from left to right."""
    sides = {2: ("left", "right"), 3: ("left", "middle", "right")}.get(count)
    return tuple(f"{word} {phrase}" for word in sides or (f"number {place + 1}" for place in range(count)))


def split_phrase(prompt: str, phrase: str, phrases: Sequence[str]) -> str:
    """The prompt with ``phrases`` in the places of ``phrase``; all of them in the first, where there are too few."""
    words = r"\s+".join(re.escape(word) for word in phrase.split())
    found = list(re.finditer(rf"(?<!\w)(?:(an?|the)\s+)?{words}(?!\w)", prompt, re.IGNORECASE))
    if len(found) >= len(phrases):
        pairs = [(place, [new]) for place, new in zip(found, phrases, strict=False)]
    else:
        pairs = [(place, list(phrases)) for place in found[:1]]
    for place, news in reversed(pairs):
        article = "the" if (place[1] or "").casefold() == "the" else "a"
        told = " and ".join(f"{article} {new}" for new in news)
        prompt = prompt[: place.start()] + told + prompt[place.end() :]
    return prompt


def named_in(prompt: str, marks: Sequence[Mark]) -> list[Mark]:
    """The marks with their phrases spelt as in ``prompt``. Raises NothingMarked, PhraseMissing."""
    if not marks:
        raise NothingMarked(
            "Nothing is marked as a region, or every region is switched off.",
            "Select objects and press Add Selected, or open the eye of a region.",
        )
    spelt = [(mark, occurrence(mark.phrase, prompt)) for mark in marks]
    missing = [mark for mark, found in spelt if found is None]
    if missing:
        told = ", ".join(f"“{mark.phrase}”" for mark in missing)
        things = " and ".join(mark.name for mark in missing)
        fix = f"Write {told} into the prompt, or give {things} words that are in it."
        raise PhraseMissing(f"The prompt does not say {told}.", fix, "\n".join(mark.phrase for mark in missing))
    return [replace(mark, phrase=found) for mark, found in spelt if found is not None]
