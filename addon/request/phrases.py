# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist calls objects, and what the prompt says of them. No bpy."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ..messages.errors import NothingMarked, PhraseMissing
from ..protocol.blockout import Property

SIBILANT = r"(?:s|x|z|ch|sh)$"  # after which a plural is spelt es
SPELT_OUT = 4  # words that a sentence spells out
ADVERBIALS = re.compile(  # where a list of things ends: at a place or time, or at a comma with no further thing behind
    r",(?!\s*(?:and\s+)?(?:an?|the|two|three|four|five|\d+)\s)"
    r"|\b(?:in|on|at|by|under|over|above|near|beside|behind|before|with|against|inside|among)\s",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Mark:
    """What the artist said of an object: its name, the words of the prompt that mean it, and what to enforce.

    One that is not ``on`` only hides what is behind it, for as long as it is switched off. ``hidden`` says where it is,
    should it have no surface: "in the view", "from renders", or "". ``strength``, ``description`` and ``colour`` are
    its own, as a Region's; what it looks like in the latest picture is to ``keep``.
    """

    name: str
    phrase: str
    enforce: tuple[Property, ...] = ("shape",)
    on: bool = True
    hidden: str = ""
    strength: float = 1.0
    description: str = ""
    colour: tuple[float, float, float] | None = None
    keep: bool = False


def default_phrase(name: str) -> str:
    """What an object is called when the artist did not say: its name without Blender's ``.001``."""
    return re.sub(r"\.\d{3,}$", "", name)


def occurrence(phrase: str, prompt: str) -> str | None:
    """``phrase`` as the prompt spells it, whole words in any case; None when the prompt does not say it."""
    words = r"\s+".join(re.escape(word) for word in phrase.split())
    match = re.search(rf"(?<!\w){words}(?!\w)", prompt, re.IGNORECASE) if words else None
    return match.group() if match else None


def said(phrase: str, prompt: str) -> str | None:
    """``phrase`` as the prompt says it, be it of one or of several: “balloon” in “two balloons”, and the other way
    round; None when the prompt says neither."""
    first, _, noun = phrase.rpartition(" ")
    others = (f"{first} {other}".strip() for other in _numbers(noun))
    return next((spelt for other in (phrase, *others) if (spelt := occurrence(other, prompt))), None)


def _numbers(noun: str) -> tuple[str, ...]:
    """A noun's plurals and singulars, as English makes them by rule."""
    plural = f"{noun[:-1]}ies" if re.search(r"[^aeiou]y$", noun) else f"{noun}es" if re.search(SIBILANT, noun) else ""
    singulars = [noun[:-1]] if re.search(r"[^s]s$", noun) else []
    singulars += [noun[:-2]] if re.search(f"(?:{SIBILANT[:-1]})es$", noun) else []
    singulars += [f"{noun[:-3]}y"] if noun.endswith("ies") else []
    return (plural or f"{noun}s", *singulars) if noun else ()


def strange(prompt: str, words: Collection[str]) -> tuple[str, ...]:
    """The words of a prompt that are not among ``words``, the only ones a model knows; none where it knows any."""
    spelt = dict.fromkeys(re.findall(r"\w+", prompt.lower())) if words else {}
    return tuple(word for word in spelt if word not in words)


def names_any(phrase: str, nouns: Collection[str]) -> bool:
    """Whether a phrase says one of the ``nouns``, which may be of several words."""
    padded = f" {' '.join(phrase.casefold().split())} "
    return any(f" {noun} " in padded for noun in nouns)


def is_adverbial(words: str) -> bool:
    """Whether words say where or when something is, as “in the snow” does."""
    return ADVERBIALS.match(words) is not None


def inserted(prompt: str, phrase: str) -> str:
    """The prompt, saying ``phrase`` too, after its other things and before it says where they are; with an article by
    its first letter, unless it brings its own. A place or time comes last."""
    if is_adverbial(phrase):
        return f"{prompt.rstrip(' ,.;')} {phrase}".strip()
    article = "an" if phrase[:1].casefold() in "aeiou" else "a"
    noun = phrase if re.match(r"(an?|the)\s", phrase, re.IGNORECASE) else f"{article} {phrase}"
    adverbial = ADVERBIALS.search(prompt)
    subjects, rest = (prompt[: adverbial.start()].rstrip(), prompt[adverbial.start() :]) if adverbial else (prompt, "")
    if not subjects:
        return f"{noun}{', ' if prompt else ''}{prompt}"
    several = re.sub(r"\s+and\s+", ", ", subjects, flags=re.IGNORECASE)  # "a, b and c", as people count things up
    return f"{several} and {noun}{'' if rest[:1] in ('', ',') else ' '}{rest}"


def apart(phrase: str, count: int) -> tuple[str, ...]:
    """As many phrases for objects of one phrase, from left to right."""
    sides = {2: ("left", "right"), 3: ("left", "middle", "right")}.get(count)
    return tuple(f"{word} {phrase}" for word in sides or (f"number {number}" for number in range(1, count + 1)))


def split_phrase(prompt: str, phrase: str, phrases: Sequence[str]) -> str:
    """The prompt with ``phrases`` wherever it says ``phrase``; all of them in the first, where there are too few."""
    words = r"\s+".join(re.escape(word) for word in phrase.split())
    matches = list(re.finditer(rf"(?<!\w)(?:(an?|the)\s+)?{words}(?!\w)", prompt, re.IGNORECASE))
    if len(matches) >= len(phrases):
        pairs = [(match, [new]) for match, new in zip(matches, phrases, strict=False)]
    else:
        pairs = [(match, list(phrases)) for match in matches[:1]]
    for match, news in reversed(pairs):
        article = "the" if (match[1] or "").casefold() == "the" else "a"
        prompt = prompt[: match.start()] + " and ".join(f"{article} {new}" for new in news) + prompt[match.end() :]
    return prompt


def _spelt(phrase: str, prompt: str, exactly: Collection[str]) -> str | None:
    """``phrase`` as the prompt says it, but not in words that are another region's own."""
    own = occurrence(phrase, prompt)
    other = said(phrase, prompt) if own is None else None
    return own if other is None or other in exactly else other


def listed(words: Sequence[str]) -> str:
    """Words in a sentence, each in quotes, and how many more there are than fit one."""
    first = words if len(words) <= SPELT_OUT else words[: SPELT_OUT - 1]
    more = f" and {len(words) - len(first)} more" if len(words) > len(first) else ""
    return ", ".join(f"“{word}”" for word in first) + more


def named_in(prompt: str, marks: Sequence[Mark]) -> list[Mark]:
    """The marks with their phrases spelt as in ``prompt``. Raises NothingMarked, PhraseMissing."""
    if not marks:
        raise NothingMarked(
            "Nothing is marked as a region, or every region is switched off.",
            "Select objects and press Add Selected, or open the eye of a region.",
        )
    exactly = {phrase for mark in marks if (phrase := occurrence(mark.phrase, prompt)) is not None}
    spelt = [(mark, _spelt(mark.phrase, prompt, exactly)) for mark in marks]
    missing = [mark for mark, phrase in spelt if phrase is None]
    if missing:
        phrases = listed([mark.phrase for mark in missing])
        names = " and ".join(mark.name for mark in missing) if len(missing) <= SPELT_OUT else "the regions"
        fix = f"Write {'it' if len(missing) == 1 else 'them'} there, or give {names} other words."
        raise PhraseMissing(f"The prompt does not say {phrases}.", fix, "\n".join(mark.phrase for mark in missing))
    return [replace(mark, phrase=phrase) for mark, phrase in spelt if phrase is not None]
