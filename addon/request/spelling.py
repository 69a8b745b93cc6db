# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a text says a phrase, as a person reads it: in any case, however accents are stored, in scripts with spaces and
without. No bpy.

``sg_core/tokens.py`` has the same functions, for the method knows nothing of the add-on; a test holds
them to be the same.
"""

import re
import unicodedata
from collections.abc import Sequence

# between the words of a phrase, and around them: blanks, hyphens, quotes, and what prompts emphasise with
GAP = r"[\s_*\"“”„«»()\[\]{}\-‐‑]+"
SPACELESS = re.compile(  # of scripts that put no spaces between words: Thai to Myanmar, Khmer, kana, Han
    "[\u0e00-\u109f\u1780-\u17ff\u1980-\u19df\u1a20-\u1aaf\u3005-\u3007\u3040-\u312f\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\ua980-\ua9df\uf900-\ufaff\U00020000-\U0003ffff]"
)
PARTICLES = re.compile(  # which Korean puts behind a noun without a space
    "들?(?:에서|에게|이랑|하고|으로|까지|부터|처럼|보다|마다|이|가|은|는|을|를|의|에|께|도|만|와|과|랑|로)?"
)


def folded(plain: str) -> tuple[str, list[tuple[int, int]]]:
    """A text without the differences that nobody sees, or means: case, composed and decomposed accents, curly
    apostrophes; and the characters (start, end) of ``plain`` that each letter stands for."""
    letters: list[str] = []
    ranges: list[tuple[int, int]] = []
    start = 0
    for end in range(1, len(plain) + 1):
        if end < len(plain) and _goes_on(plain[end]):
            continue
        same = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", plain[start:end]).casefold())
        visible = [letter for letter in same.replace("’", "'") if unicodedata.category(letter) != "Cf"]
        plain_letters = [letter for letter in visible if letter not in "\ufe0e\ufe0f"]
        letters += plain_letters
        ranges += [(start, end)] * len(plain_letters)
        start = end
    return "".join(letters), ranges


def occurrences_in(prompt: tuple[str, list[tuple[int, int]]], phrase: str) -> list[tuple[int, int]]:
    """The spans of characters at which a text, ``folded``, says a phrase, as whole words."""
    letters, ranges = prompt
    words = [re.escape(word) for word in re.split(GAP, folded(phrase)[0]) if word]
    spans: list[tuple[int, int]] = []
    last = 0
    for match in re.finditer(f"(?=({GAP.join(words)}))", letters) if words else ():
        begin, end = match.span(1)
        if begin >= last and _is_apart(letters, begin) and _ends(letters, end):
            spans.append((ranges[begin][0], ranges[end - 1][1]))
            last = end
    return spans


def shared_out(prompt: tuple[str, list[tuple[int, int]]], phrases: Sequence[str]) -> list[list[tuple[int, int]]]:
    """The spans of each phrase in a text, ``folded``, so that each word belongs to one: the longest that says it."""
    claimed: list[tuple[int, int]] = []
    shares: list[list[tuple[int, int]]] = [[] for _ in phrases]
    for index in sorted(range(len(phrases)), key=lambda index: -len(folded(phrases[index])[0])):
        free = [span for span in occurrences_in(prompt, phrases[index]) if not meets(span, claimed)]
        shares[index], claimed = free, claimed + free
    return shares


def meets(span: tuple[int, int], others: list[tuple[int, int]]) -> bool:
    """Whether a span has characters of one of the others."""
    return any(span[0] < end and start < span[1] for start, end in others)


def _goes_on(letter: str) -> bool:
    """Whether it belongs to the letter before: a mark, or a part of a syllable of Hangul."""
    return unicodedata.category(letter).startswith("M") or "\u1160" <= letter <= "\u11ff"


def _in_word(letter: str) -> bool:
    return letter.isalnum() or unicodedata.category(letter).startswith("M")


def _is_apart(letters: str, at: int) -> bool:
    """Whether a word can end, or begin, between a letter and the one before it."""
    if at in (0, len(letters)):
        return True
    before, behind = letters[at - 1], letters[at]
    if unicodedata.category(behind).startswith("M"):
        return False
    within = _in_word(before) and _in_word(behind)
    return not within or any(SPACELESS.match(letter) is not None for letter in (before, behind))


def _ends(letters: str, at: int) -> bool:
    """Whether a phrase can end there, be it before a particle."""
    if _is_apart(letters, at):
        return True
    particles = PARTICLES.match(letters, at) if "\uac00" <= letters[at - 1] <= "\ud7a3" else None
    return particles is not None and particles.end() > at and _is_apart(letters, particles.end())
