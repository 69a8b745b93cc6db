# SPDX-License-Identifier: MIT
"""A request as a model reads it that knows few words, and what of it a model would not read."""

import re
import textwrap
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TypeVar

from addon.protocol.blockout import Blockout, CollagePart, Likeness, ReferencePicture
from sg_core.tokens import Phrase, occurrences

from .translate import wording

WORD = re.compile(r"\w+")
QUOTED = 40  # characters
STOP = re.compile(r"[,;.:!?]")
WEIGHT = re.compile(r":\s*\d+(?:\.\d+)?\s*(?=\))")  # of a word, as other programs' prompts have it: (castle:1.3)
SIGNS = re.compile(r"[^\w\s,;.:!?'’\-]")  # neither of words, nor what parts them

Captioned = TypeVar("Captioned", ReferencePicture, CollagePart, Likeness)


def readable(blockout: Blockout, words: Collection[str]) -> Blockout:
    """The request as a model reads it that knows only these ``words``; as it is for one that knows any (none given).

    Every other word would fall apart into letters, which it never learned and has no room for. The regions' phrases
    stay, for they have to be found.
    """
    if not words:
        return blockout
    phrases = [Phrase(region.phrase) for region in blockout.regions]
    spans = [span for phrase in phrases for span in occurrences(blockout.prompt, phrase)]
    prompt, negative = readable_text(blockout.prompt, words, spans), readable_text(blockout.negative, words)
    described = (replace(r, description=readable_text(r.description, words)) for r in blockout.regions)
    read = replace(blockout, prompt=prompt, negative=negative, regions=tuple(described))
    return replace(
        read,
        reference=blockout.reference and _captioned(blockout.reference, words, phrases),
        collage=tuple(_captioned(part, words, [Phrase(part.phrase)]) for part in blockout.collage),
        likenesses=tuple(_captioned(part, words, [Phrase(part.phrase)]) for part in blockout.likenesses),
    )


def _captioned(picture: Captioned, words: Collection[str], phrases: Sequence[Phrase]) -> Captioned:
    """What is said of another picture, as the model reads it."""
    spans = [span for phrase in phrases for span in occurrences(picture.caption, phrase)]
    return replace(picture, caption=readable_text(picture.caption, words, spans))


def readable_text(text: str, words: Collection[str], protected: Collection[tuple[int, int]] = ()) -> str:
    """The text without the words that are not among ``words``, in any case, or in ``protected`` spans (start, end).

    What stood around them closes up, to a comma where there was a stop between. Signs that are no part of words, and
    no stops, go too: emoji alone would fill what a small model reads.
    """
    weights = [weight.span() for weight in WEIGHT.finditer(text)]
    spans = [word.span() for word in WORD.finditer(text) if word[0].lower() in words]
    spans = [(start, end) for start, end in spans if not any(begin < end and start < stop for begin, stop in weights)]
    result, at = "", 0
    for start, end in sorted({*spans, *protected}):
        if end > at:  # protected spans may overlap
            gap = _closed(text[at:start], ", " if result else "", " " if result else "")
            result += gap + text[max(at, start) : end]
            at = end
    return result + _closed(text[at:], "", "")


def _closed(gap: str, stopped: str, plain: str) -> str:
    """What becomes of the text between two words that stay: itself, without signs, unless there were words in it."""
    bare = SIGNS.sub("", WEIGHT.sub("", gap))
    if WORD.search(bare):
        return stopped if STOP.search(bare) else plain
    return gap if bare == gap else re.sub(r"\s+", " ", bare if plain else bare.strip()) or plain


def title_of(text: str, blockout: Blockout) -> str:
    """What a text of a request is, at the beginning of a sentence."""
    captions = [part.caption for part in (blockout.reference, *blockout.parts) if part is not None]
    if text in (blockout.prompt, wording(blockout).prompt):
        return "The prompt"
    return "The caption of another picture" if text in captions else "What to avoid"


def end(lost: str) -> str:
    """The end of a prompt in quotes, QUOTED characters of it and whole words."""
    return f"“… {textwrap.shorten(lost, QUOTED, placeholder=' …')}”"
