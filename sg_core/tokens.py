# SPDX-License-Identifier: MIT
"""Which text tokens say a phrase: the tokenizer's own character offsets, never a guess by counting words.

A text says a phrase as a person reads it; ``addon/request/spelling.py`` has the same functions, for neither knows
of the other, and a test holds them to be the same.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sg_core.errors import TokenError, TooLong

TokenSpans = Sequence[tuple[int, int]]
"""For each token of one prompt the characters (start, end) that it says; an empty span for none."""

Columns = tuple[tuple[int, ...], ...]
"""For each row of a batch, the token positions that say something."""


# between the words of a phrase, and around them: blanks, hyphens, quotes, and what prompts emphasise with
GAP = r"[\s_*\"`“”„«»‹›()\[\]{}\-‐‑]+"
ENDS = " '.,;:!?…、。，؛،"  # signs that a phrase may be written with, and a prompt without
SPACELESS = re.compile(  # of scripts that put no spaces between words: Thai to Myanmar, Khmer, kana, Han
    "[\u0e00-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u1b00-\u1b7f\u3005-\u3007\u3040-\u312f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua980-\ua9df\uaa60-\uaadf\uf900-\ufaff\U00020000-\U0003ffff]"
)
PARTICLES = re.compile(  # which Korean puts behind a noun without a space
    "들?(?:(?:에서|에게|한테|께|에|으로|로|까지|부터|하고|와|과)(?:는|도|만|의)|에서|에게|한테|이랑|하고|으로|까지|부터|처럼|보다"
    "|마다|이다|입니다|이고|이며|이|가|은|는|을|를|의|에|께|도|만|와|과|랑|로)?"
)
PREFIXES = re.compile(  # which Arabic and Hebrew put before one: and, so; in, like, for, from, that; the
    "[\u0648\u0641]?(?:[\u0628\u0643]?(?:\u0627\u0644)?|\u0644\u0644?)|[\u05d5\u05e9]?[\u05d4\u05d1\u05db\u05dc\u05de]?"
)
VOWELS = re.compile(
    "[\u0307\u0591-\u05c7\u0640\u064b-\u0652\u0670\ufe0e\ufe0f]"
)  # points that may be left out; ways to draw
JOINER = "\u200d"  # makes one sign of several: people a family


@dataclass(frozen=True)
class Phrase:
    """Words of a prompt. ``nth`` picks one occurrence, counted from 1; None means every occurrence."""

    words: str
    nth: int | None = None

    def __str__(self) -> str:
        return self.words if self.nth is None else f"{self.words} ({self.nth})"


@dataclass(frozen=True)
class Words:
    """Where a batch of prompts says what: each phrase's columns, and those of all content (no start, end, padding)."""

    phrases: Mapping[Phrase, Columns]
    content: Columns


def phrase(words: str | Phrase) -> Phrase:
    """Every occurrence of these words, unless a Phrase says which."""
    return words if isinstance(words, Phrase) else Phrase(words)


def locate(tokenizer: Any, prompts: Sequence[str], phrases: Iterable[Phrase]) -> Words:
    """The columns of every phrase in every prompt.

    Args:
        tokenizer: a ``transformers`` tokenizer that reports offsets (all that ``CLIPTokenizer`` now makes do).

    Raises TokenError with all the phrases that a prompt does not say, or when a prompt is too long.
    """
    return located(prompts, [_offsets(tokenizer, prompt) for prompt in prompts], phrases)


def located(prompts: Sequence[str], spans: Sequence[TokenSpans], phrases: Iterable[Phrase]) -> Words:
    """The columns of every phrase in every prompt, from what each of its tokens says.

    Raises TokenError with all the phrases that a prompt does not say.
    """
    subjects = tuple(phrases)
    pairs = list(zip(prompts, spans, strict=True))
    for prompt, _ in pairs:
        if missing := [str(p) for p in subjects if not occurrences(prompt, p)]:
            raise TokenError(f"the prompt {prompt!r} does not say {', '.join(map(repr, missing))}: add the words to it")
    shares = [claims(prompt, subjects) for prompt, _ in pairs]
    columns = {
        p: tuple(_touched(offsets, said[p]) for said, (_, offsets) in zip(shares, pairs, strict=True)) for p in subjects
    }
    content = tuple(tuple(i for i, (start, end) in enumerate(offsets) if end > start) for offsets in spans)
    return Words(columns, content)


def check_length(tokenizer: Any, prompt: str) -> None:
    """Raise TooLong when the text encoder would silently lose the end of a prompt."""
    room = tokenizer.model_max_length
    read = tokenizer(prompt, truncation=False, return_offsets_mapping=True, verbose=False)  # it is we who warn
    if (count := len(read.input_ids)) > room:
        first = read.offset_mapping[room - 1][0]  # the last position of all is the end mark's
        begin = next(word.start() for word in re.finditer(r"\w+|[^\w\s]+", prompt) if word.end() > first)
        raise TooLong(prompt, prompt[begin:].strip(), f"{count} tokens and the model reads {room}")


def _offsets(tokenizer: Any, prompt: str) -> list[tuple[int, int]]:
    check_length(tokenizer, prompt)
    return list(tokenizer(prompt, return_offsets_mapping=True)["offset_mapping"])


def occurrences(prompt: str, subject: Phrase) -> list[tuple[int, int]]:
    """Character spans (start, end) of a phrase in a prompt: whole words as a person reads them."""
    spans = occurrences_in(folded(prompt), subject.words)
    return spans if subject.nth is None else spans[subject.nth - 1 : subject.nth] if subject.nth > 0 else []


def claims(prompt: str, subjects: Sequence[Phrase]) -> dict[Phrase, list[tuple[int, int]]]:
    """The spans of several phrases in one prompt. Each word belongs to one of them, the longest that says it, of two as
    long the one that says which occurrence it is; a phrase with no words of its own has those that it shares."""
    every = [subject for subject in dict.fromkeys(subjects) if subject.nth is None]
    picked = [span for subject in subjects if subject.nth is not None for span in occurrences(prompt, subject)]
    shares = shared_out(folded(prompt), [subject.words for subject in every])
    own = {
        subject: [(start, end) for start, end in share if not any(a <= start and end <= b for a, b in picked)]
        for subject, share in zip(every, shares, strict=True)
    }
    return {subject: own.get(subject) or occurrences(prompt, subject) for subject in subjects}


def appended(prompt: str, texts: Sequence[str]) -> tuple[str, list[Phrase]]:
    """A prompt that says these words too, at its end, and those very words as phrases.

    So can a region be guided whose words the prompt does not say, or have words of its own: masked, they are heard in
    the region alone.

    Raises TokenError for mere signs, which no prompt can be found to say.
    """
    phrases = []
    for text in texts:
        start = len(prompt) + 2
        prompt = f"{prompt}, {text}"
        spans = enumerate(occurrences(prompt, Phrase(text)), 1)
        nth = next((i for i, (begin, _) in spans if begin >= start), None)
        if nth is None:
            raise TokenError(f"{text!r} says no word: use words that a prompt can say")
        phrases.append(Phrase(text, nth))
    return prompt, phrases


def _touched(offsets: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    return tuple(i for i, (a, b) in enumerate(offsets) if b > a and any(a < end and start < b for start, end in spans))


def folded(plain: str) -> tuple[str, list[tuple[int, int]]]:
    """A text without the differences that nobody sees, or means: case, composed and decomposed accents, curly
    apostrophes, vowel points; and the characters (start, end) of ``plain`` that each letter stands for."""
    letters: list[str] = []
    ranges: list[tuple[int, int]] = []
    start = 0
    for end in range(1, len(plain) + 1):
        if end < len(plain) and _goes_on(plain[end]):
            continue
        same = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", plain[start:end]).casefold())
        plain_letters = [
            letter for letter in VOWELS.sub("", same.replace("’", "'").replace("ı", "i")) if _is_visible(letter)
        ]
        letters += plain_letters
        ranges += [(start, end)] * len(plain_letters)
        start = end
    return "".join(letters), ranges


def occurrences_in(prompt: tuple[str, list[tuple[int, int]]], phrase: str) -> list[tuple[int, int]]:
    """The spans of characters at which a text, ``folded``, says a phrase, as whole words."""
    letters, ranges = prompt
    words = words_of(phrase)
    spans: list[tuple[int, int]] = []
    last = 0
    for match in re.finditer(f"(?=({_pattern(words)}))", letters) if words else ():
        begin, end = match.span(1)
        if begin >= last and _begins(letters, begin) and _ends(letters, end):
            spans.append((ranges[begin][0], ranges[end - 1][1]))
            last = end
    return spans


def words_of(phrase: str) -> list[str]:
    """The words of a phrase, ``folded``, without the signs around it."""
    plain = folded(phrase)[0]
    return [word for word in re.split(GAP, plain.strip(ENDS) or plain) if word]


def _pattern(words: Sequence[str]) -> str:
    """Of words one after the other; a sign, as an emoji is, needs no gap beside it."""
    gaps = [GAP if _in_word(one[-1]) and _in_word(other[0]) else f"(?:{GAP})?" for one, other in pairwise(words)]
    return "".join(gap + re.escape(word) for gap, word in zip(["", *gaps], words, strict=True))


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


def _is_visible(letter: str) -> bool:
    """Whether it is no mere sign to whoever sets type, as a soft hyphen is."""
    return letter == JOINER or unicodedata.category(letter) != "Cf"


def _in_word(letter: str) -> bool:
    return letter.isalnum() or unicodedata.category(letter).startswith("M")


def _is_apart(letters: str, at: int) -> bool:
    """Whether a word can end, or begin, between a letter and the one before it."""
    if at in (0, len(letters)):
        return True
    before, behind = letters[at - 1], letters[at]
    if unicodedata.category(behind).startswith("M") or JOINER in (before, behind):
        return False
    within = _in_word(before) and _in_word(behind)
    return not within or any(SPACELESS.match(letter) is not None for letter in (before, behind))


def _begins(letters: str, at: int) -> bool:
    """Whether a phrase can begin there, be it behind a prefix."""
    if _is_apart(letters, at):
        return True
    start = next((index for index in range(at - 1, max(at - 5, -1), -1) if _is_apart(letters, index)), None)
    return start is not None and PREFIXES.fullmatch(letters, start, at) is not None


def _ends(letters: str, at: int) -> bool:
    """Whether a phrase can end there, be it before a particle."""
    if _is_apart(letters, at):
        return True
    particles = PARTICLES.match(letters, at) if "\uac00" <= letters[at - 1] <= "\ud7a3" else None
    return particles is not None and particles.end() > at and _is_apart(letters, particles.end())
