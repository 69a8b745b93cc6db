# SPDX-License-Identifier: GPL-3.0-or-later
"""What tells pictures of one prompt apart, in as few words as do. No bpy."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..protocol.blockout import Blockout
from ..request.adapters import summary
from .history import Entry

DAYS = ("%d %b", "%d %b, %H:%M", "%d %b, %H:%M:%S", "%d %b %Y, %H:%M:%S")  # of pictures of several days
TIMES = ("%H:%M", "%H:%M:%S")  # of those of one


@dataclass(frozen=True, kw_only=True)
class PictureFacts:
    """What may differ between two pictures: ``size`` in pixels, ``created`` in Unix seconds."""

    prompt: str
    seed: int
    variation: float
    variation_seed: int
    size: tuple[int, int]
    model: str
    style: str
    on_top: str
    steps: int
    refinement: float
    strength: float
    created: float


ASPECTS: tuple[Callable[[PictureFacts], str], ...] = (  # what is looked at after the seed, one after the other
    lambda facts: f"{facts.size[0]} × {facts.size[1]}",
    lambda facts: facts.model,
    lambda facts: facts.on_top or "no LoRA",
    lambda facts: facts.style or "no style",
    lambda facts: f"{facts.steps} steps",
    lambda facts: f"{facts.refinement:.0%} refined",
    lambda facts: f"strength {facts.strength:.2f}",
)


def facts_of(request: Blockout, prompt: str, style: str, created: float) -> PictureFacts:
    """Those of a request's picture; ``prompt`` is the artist's own, without the words of the ``style``."""
    return PictureFacts(
        prompt=prompt,
        seed=request.seed,
        variation=request.variation,
        variation_seed=request.variation_seed,
        size=(request.frame.width, request.frame.height),
        model=request.model,
        style=style,
        on_top=summary(request),
        steps=request.steps,
        refinement=request.refinement,
        strength=request.strength,
        created=created,
    )


def entry_facts(entry: Entry) -> PictureFacts:
    """Those of a picture in the history."""
    return facts_of(entry.request, entry.settings.prompt, entry.settings.style, entry.created)


def labels(pictures: Sequence[PictureFacts]) -> tuple[str, ...]:
    """For each of the pictures its seed, and of what differs among those of its prompt as much as tells them apart."""
    words = [[_seed(picture)] for picture in pictures]
    for aspect in ASPECTS:
        for group in _alike(pictures, words):
            values = [aspect(pictures[index]) for index in group]
            if len(set(values)) > 1:
                _add(words, group, values)
    for group in _alike(pictures, words):
        _add(words, group, moments([pictures[index].created for index in group]))
    return tuple(" · ".join(parts) for parts in words)


def moments(times: Sequence[float]) -> list[str]:
    """When that was, as exactly as is needed; numbered, where even the second is the same."""
    dates = [datetime.fromtimestamp(time) for time in times]
    patterns = TIMES if len({date.date() for date in dates}) == 1 else DAYS
    for pattern in patterns:
        values = [date.strftime(pattern) for date in dates]
        if len(set(values)) == len(values):
            return values
    return [f"{value}, no. {number}" for number, value in enumerate(values, 1)]


def _seed(picture: PictureFacts) -> str:
    turned = f" · {picture.variation:.0%} to {picture.variation_seed}" if picture.variation else ""
    return f"{picture.seed}{turned}"


def _alike(pictures: Sequence[PictureFacts], words: Sequence[Sequence[str]]) -> Iterable[list[int]]:
    """The indices of pictures of one prompt that have the same words so far; none of a picture that has its own."""
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, (picture, parts) in enumerate(zip(pictures, words, strict=True)):
        groups[picture.prompt, *parts].append(index)
    return [group for group in groups.values() if len(group) > 1]


def _add(words: Sequence[list[str]], group: Iterable[int], values: Iterable[str]) -> None:
    for index, value in zip(group, values, strict=True):
        words[index].append(value)
