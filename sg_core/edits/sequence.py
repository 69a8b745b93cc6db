# SPDX-License-Identifier: MIT
"""The frames of a sequence, with one look: each follows a key frame, by default the first.

Whatever follows the first of them is one edit away from it, so that no error adds up. Following the previous one lets
things change over the sequence, and with them their looks. Where something comes into the picture that the key frame
does not have, the frame that shows it first is the next key frame.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Literal

from torch import Tensor

from sg_core.edits.look import keep_look, same_look
from sg_core.edits.movement import stands
from sg_core.edits.recipes import place
from sg_core.edits.reference import Reference, RegionMasks, painted
from sg_core.generate import generate
from sg_core.grounding import groundings
from sg_core.judge import Judge
from sg_core.layout import Layout, masks
from sg_core.models.model import Model
from sg_core.sample import Moment, Watch, unwatched
from sg_core.tokens import Phrase, phrase

KeyFrameChoice = Literal["first", "previous"]


def sequence(
    model: Model,
    prompt: str,
    frames: Iterable[RegionMasks],
    *,
    after: KeyFrameChoice = "first",
    other_views: bool = False,
    reference: Reference | None = None,
    judge: Judge | None = None,
    layout: Callable[[dict[str | Phrase, Any]], Layout] | None = None,
    seed: int = 0,
    variation: float = 0.0,
    variation_seed: int = 0,
    watch: Watch | None = None,
    **options: Any,
) -> Iterator[Tensor]:
    """Pictures (3, height, width) in 0..1, one for each frame, as they are painted.

    Args:
        frames: of each frame phrase to mask (y, x); masks of one size throughout, what is out of sight left out.
        after: whose look a frame keeps: that of the first, or of the previous one.
        other_views: whether the camera moves, so that looks are kept and nothing else of the picture.
        reference: a key frame to begin with, such as an accepted picture; painted of the first frame by default.
        judge: what says where a picture shows its regions; the model's attention by default.
        layout: what has regions where they are to be; ``place`` and ``masks`` by default.
        seed: of every frame. It, ``variation``, ``variation_seed``, ``watch`` and ``options`` are as for ``generate``;
            width and height are needed. Frames that are enlarged follow the key frame's first pass.

    Raises what ``generate`` raises, and RequestError for a model that cannot encode pictures.
    """
    key, latents = reference, deque[Tensor](maxlen=1)
    noise: dict[str, Any] = {"variation": variation, "variation_seed": variation_seed}

    def watched(moment: Moment) -> None:
        if not latents or moment.latent.shape == latents[0].shape:  # in the pass that enlarges they are larger
            latents.append(moment.latent)
        (watch or unwatched)(moment)

    for frame in frames:
        regions = dict(frame.items())
        total = place(regions) + masks(regions, emphasis=model.card.emphasis) if layout is None else layout(regions)
        if key is not None:
            total += _kept(model, key, regions, other_views)
        pictures = generate(model, prompt, total, seeds=[seed], watch=watched, **noise, **options)
        yield pictures[0]
        if key is None or after == "previous" or any(phrase(words) not in key.regions for words in regions):
            key = painted(latents[0], prompt, regions, seed=seed, **noise)
            if options.get("enlargement", 1.0) == 1.0:
                # its own pixels: what it took over from its key frame was never decoded from this latent
                key = replace(key, picture=pictures)
            key = replace(key, outlines=_outlines(model, judge, key))


def _kept(model: Model, key: Reference, regions: RegionMasks, other_views: bool) -> Layout:
    """What a frame keeps of its key frame."""
    earlier = {phrase(words): mask for words, mask in regions.items() if phrase(words) in key.regions}
    if other_views:
        return same_look(model, key, earlier) if earlier else Layout()
    unmoved = {words: mask for words, mask in earlier.items() if stands(key.region(words), mask)}
    moving = {phrase(words): mask for words, mask in regions.items() if phrase(words) not in unmoved}
    arrivals = [words for words in moving if words not in earlier]
    departures = {words: mask for words, mask in key.regions.items() if words not in earlier}
    return keep_look(model, key, moving, others=unmoved, repainted=arrivals, gone=departures)


def _outlines(model: Model, judge: Judge | None, frame: Reference) -> dict[Phrase, Tensor]:
    """What a frame shows of each of its regions."""
    names, picture = {str(words): words for words in frame.regions}, frame.decoded(model).float().cpu()
    visible = groundings(model, judge, frame.caption, list(names), frame.latent, picture)
    return {names[name]: one.mask.cpu() for name, one in visible.items() if one.mask is not None}
