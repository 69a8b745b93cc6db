# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist calls objects, and what the prompt says of them. No bpy."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ..messages.errors import NothingMarked, PhraseMissing
from ..protocol.blockout import Property, Region
from .spelling import folded, meets, occurrences_in, shared_out, words_of
from .wording import forms

SPELT_OUT = 4  # words that a sentence spells out
WEIGHT = re.compile(r":\s*\d+(?:\.\d+)?\s*(?=\))")  # of a word, as other programs' prompts have it: (castle:1.3)


@dataclass(frozen=True)
class Mark:
    """What the artist said of an object: its name, the words of the prompt that mean it, and what to enforce.

    One that is not ``on`` only hides what is behind it, for as long as it is switched off. ``hidden`` says where it is,
    should it have no surface: "in the view", "from renders", or "", and ``kind`` what it is then. ``strength``,
    ``start``, ``until``, ``description`` and ``colour`` are its own, as a Region's; what it looks like in
    the latest picture is to ``keep``. The prompt need not say the phrase of one that may be ``unnamed``.
    """

    name: str
    phrase: str
    enforce: tuple[Property, ...] = ("shape",)
    on: bool = True
    hidden: str = ""
    kind: str = ""
    strength: float = 1.0
    start: float = 0.0
    until: float = 1.0
    description: str = ""
    colour: tuple[float, float, float] | None = None
    keep: bool = False
    unnamed: bool = False


OWN = ("enforce", "strength", "start", "until", "description", "colour")
"""What a mark and a Region have under the same name, and an artist sets."""


def asks_alike(mark: Mark, region: Region) -> bool:
    """Whether a region of a request was asked for as the mark is now, wherever it stands."""
    return all(getattr(mark, name) == getattr(region, name) for name in OWN)


def default_phrase(name: str) -> str:
    """What an object is called when the artist did not say: its name without Blender's ``.001``."""
    return re.sub(r"\.\d{3,}$", "", name)


def occurrence(phrase: str, prompt: str) -> str | None:
    """``phrase`` as the prompt spells it, whole words in any case; None when the prompt does not say it."""
    spans = occurrences_in(folded(prompt), phrase)
    return prompt[slice(*spans[0])] if spans else None


def said(phrase: str, prompt: str) -> str | None:
    """``phrase`` as the prompt says it, be it of one or of several: “balloon” in “two balloons”, and the other way
    round; None when the prompt says neither."""
    return spellings([phrase], prompt)[0]


def same(phrase: str, spelt: str) -> bool:
    """Whether ``spelt`` is ``phrase`` as a prompt may have said it: in another case, number or spelling."""
    return any(words_of(form) == words_of(spelt) for form in (phrase, *forms(phrase)))


def spellings(phrases: Sequence[str], prompt: str) -> list[str | None]:
    """Each phrase as the prompt says it, None where it does not. Each word of the prompt is of one phrase, the longest
    that it says; what is left may say a phrase in the singular or plural, or its number otherwise."""
    text = folded(prompt)
    shares = shared_out(text, phrases)
    claimed = [span for spans in shares for span in spans]
    for index in sorted(range(len(phrases)), key=lambda index: -len(phrases[index])):
        for form in forms(phrases[index]) if not shares[index] else ():
            free = [span for span in occurrences_in(text, form) if not meets(span, claimed)]
            if free:
                shares[index], claimed = free, claimed + free
                break
    return [prompt[slice(*spans[0])] if spans else None for spans in shares]


def strange(prompt: str, words: Collection[str]) -> tuple[str, ...]:
    """The words of a prompt that are not among ``words``, the only ones a model knows; none where it knows any."""
    spelt = dict.fromkeys(re.findall(r"\w+", WEIGHT.sub("", prompt.lower()))) if words else {}
    return tuple(word for word in spelt if word not in words)


def names_any(phrase: str, nouns: Collection[str]) -> bool:
    """Whether a phrase says one of the ``nouns``, which may be of several words."""
    padded = f" {' '.join(phrase.casefold().split())} "
    return any(f" {noun} " in padded for noun in nouns)


def apart(phrase: str, count: int) -> tuple[str, ...]:
    """As many phrases for objects of one phrase, from left to right."""
    sides = {2: ("left", "right"), 3: ("left", "middle", "right")}.get(count)
    return tuple(f"{word} {phrase}" for word in sides or (f"number {number}" for number in range(1, count + 1)))


def split_phrase(prompt: str, phrase: str, phrases: Sequence[str]) -> str:
    """The prompt with ``phrases`` wherever it says ``phrase``; all of them in the first, where there are too few."""
    spans = occurrences_in(folded(prompt), phrase)
    if len(spans) >= len(phrases):
        pairs = [(span, [new]) for span, new in zip(spans, phrases, strict=False)]
    else:
        pairs = [(span, list(phrases)) for span in spans[:1]]
    for (start, end), news in reversed(pairs):
        before = re.search(r"\b(an?|the)\s+$", prompt[:start], re.IGNORECASE)
        article = "the" if before is not None and before[1].casefold() == "the" else "a"
        start = start if before is None else before.start()
        prompt = prompt[:start] + " and ".join(f"{article} {new}" for new in news) + prompt[end:]
    return prompt


def swapped(prompt: str, phrase: str, new: str) -> str:
    """The prompt with ``new`` wherever it says ``phrase``, the articles left as they are."""
    for start, end in reversed(occurrences_in(folded(prompt), phrase)):
        prompt = prompt[:start] + new + prompt[end:]
    return prompt


def listed(words: Sequence[str]) -> str:
    """Words in a sentence, each in quotes, and how many more there are than fit one."""
    first = words if len(words) <= SPELT_OUT else words[: SPELT_OUT - 1]
    more = f" and {len(words) - len(first)} more" if len(words) > len(first) else ""
    return ", ".join(f"“{word}”" for word in first) + more


def named_in(prompt: str, marks: Sequence[Mark]) -> list[Mark]:
    """The marks with their phrases spelt as in ``prompt``; ``unnamed`` stay those that it does not say and may be so.
    Raises NothingMarked, PhraseMissing."""
    if not marks:
        raise NothingMarked(
            "Nothing is marked as a region, or every region is switched off.",
            "Select objects and press Add Selected, or open the eye of a region.",
        )
    spelt = list(zip(marks, spellings([mark.phrase for mark in marks], prompt), strict=True))
    missing = [mark for mark, phrase in spelt if phrase is None and not mark.unnamed]
    if missing:
        phrases = listed([mark.phrase for mark in missing])
        names = " and ".join(mark.name for mark in missing) if len(missing) <= SPELT_OUT else "the regions"
        fix = f"Write {'it' if len(missing) == 1 else 'them'} there, or give {names} other words."
        raise PhraseMissing(f"The prompt does not say {phrases}.", fix, "\n".join(mark.phrase for mark in missing))
    return [mark if phrase is None else replace(mark, phrase=phrase, unnamed=False) for mark, phrase in spelt]
