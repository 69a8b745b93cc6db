# SPDX-License-Identifier: MIT
"""Which text tokens say a phrase: the tokenizer's own character offsets, never a guess by counting words."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sg_core.errors import TokenError, TooLong

TokenSpans = Sequence[tuple[int, int]]
"""For each token of one prompt the characters (start, end) that it says; an empty span for none."""

Columns = tuple[tuple[int, ...], ...]
"""For each row of a batch, the token positions that say something."""


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
    columns = {p: tuple(_touched(offsets, occurrences(prompt, p)) for prompt, offsets in pairs) for p in subjects}
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
    """Character spans (start, end) of a phrase in a prompt: whole words, any case, any white space between them."""
    pattern = r"\s+".join(map(re.escape, subject.words.split()))
    spans = [match.span() for match in re.finditer(rf"(?<!\w){pattern}(?!\w)", prompt, re.IGNORECASE) if pattern]
    return spans if subject.nth is None else spans[subject.nth - 1 : subject.nth] if subject.nth > 0 else []


def appended(prompt: str, texts: Sequence[str]) -> tuple[str, list[Phrase]]:
    """A prompt that says these words too, at its end, and those very words as phrases.

    So can a region be guided whose words the prompt does not say, or have words of its own: masked, they are heard in
    the region alone.
    """
    phrases = []
    for text in texts:
        start = len(prompt) + 2
        prompt = f"{prompt}, {text}"
        nth = next(i for i, (begin, _) in enumerate(occurrences(prompt, Phrase(text)), 1) if begin >= start)
        phrases.append(Phrase(text, nth))
    return prompt, phrases


def _touched(offsets: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    return tuple(i for i, (a, b) in enumerate(offsets) if b > a and any(a < end and start < b for start, end in spans))
