# SPDX-License-Identifier: MIT
"""From words and a layout to pictures, in one call."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from sg_core.energy import Energy
from sg_core.errors import RequestError
from sg_core.guidance import Guidance, Paper, Relative
from sg_core.layout import Layout, as_layout
from sg_core.models.model import Model, of_size
from sg_core.noise import initial_noise, varied
from sg_core.sample import Moment, Texts, Watch, finite, sample, unwatched
from sg_core.tokens import Words


def generate(
    model: Model,
    prompts: str | Sequence[str],
    layout: Energy | Layout | None = None,
    *,
    seeds: Sequence[int] = (0,),
    width: int,
    height: int,
    steps: int = 30,
    scale: float = 4.0,
    strength: float = 0.7,
    mode: str = "relative",
    scheduler: str = "ddim",
    negative: str = "",
    variation: float = 0.0,
    variation_seed: int = 0,
    watch: Watch | None = None,
) -> Tensor:
    """Pictures (batch, 3, height, width), float32 in [0, 1], on the CPU.

    Args:
        prompts: one for all seeds, or one for each.
        layout: what should be where, energies, masks or both; None paints without guidance. Its phrases must be in
            every prompt.
        seeds: one picture each (or one for all prompts). A picture does not depend on the others in its batch.
        steps: with a single one energies have no later step to act on: only masks hold.
        scale: classifier-free guidance; at 1 there is none, and no second pass. Networks that were distilled to be
            told their guidance are told this number.
        strength: in ``relative`` mode 0 to 1, the size of the layout's pull against the classifier-free correction;
            in ``paper`` mode v of v * sigma * gradient (the paper's pictures used thousands).
        scheduler: ``ddim``, ``ddpm``, ``euler``, ``euler a``, ``dpm++ 2m``, ``dpm++ 2m karras``, ``unipc`` or ``lcm``.
        negative: what to move away from.
        variation: 0 to 1, how far the first noise is turned towards that of ``variation_seed``; 0 leaves it alone.
        watch: called after every step; raise ``Cancelled`` in it to stop.

    Raises RequestError, TokenError or EnergyError, each saying what does not fit, and NotFinite for a broken model.
    """
    rows, seeds = _rows(prompts, seeds)
    everything = as_layout(layout)
    guidance = _guidance(mode, strength)
    shape = model.latent_shape(width, height)
    trajectory = model.steps(steps, scheduler, shape[1:])
    noise = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
    latent = varied(initial_noise(noise, shape), variation_seed, variation) * trajectory.spread
    words = model.words(rows, everything.phrases)
    texts = _texts(model, rows, negative, scale, words)
    clean = sample(
        model,
        latent.to(texts.conditional.device),
        texts,
        trajectory,
        scale=scale,
        noise=noise,
        layout=everything,
        guidance=guidance,
        watch=_of_size(watch, width, height) if watch else unwatched,
    )
    pictures = of_size(finite(model.decode(clean), model, "its decoder"), width, height)
    return everything.keeping.composed(model, pictures).cpu()


def _of_size(watch: Watch, width: int, height: int) -> Watch:
    """The same, shown previews as large as the picture."""

    def sized(moment: Moment) -> None:
        watch(replace(moment, preview=lambda: of_size(moment.preview(), width, height)))

    return sized


def _texts(model: Model, rows: Sequence[str], negative: str, scale: float, words: Words) -> Texts:
    """The prompts, and what to move away from where there is a second pass for that."""
    conditional = model.encode(rows)
    if model.card.guided_by == "input":
        conditional = conditional.guided(scale)
    twice = model.card.guided_by == "pass" and scale > 1.0
    return Texts(conditional, model.encode([negative], negative=True).repeated(len(rows)) if twice else None, words)


def _rows(prompts: str | Sequence[str], seeds: Sequence[int]) -> tuple[list[str], list[int]]:
    """As many prompts as seeds."""
    texts = [prompts] if isinstance(prompts, str) else list(prompts)
    count = max(len(texts), len(seeds))
    if not texts or not seeds or any(len(values) not in (1, count) for values in (texts, seeds)):
        raise RequestError(f"{len(texts)} prompts and {len(seeds)} seeds: give as many of each, or one of either")
    return texts * (count // len(texts)), list(seeds) * (count // len(seeds))


def _guidance(mode: str, strength: float) -> Guidance:
    if mode == "paper":
        return Paper(strength)
    if mode != "relative":
        raise RequestError(f"there is no mode {mode!r}: choose relative or paper")
    if not 0.0 <= strength <= 1.0:
        raise RequestError(f"a strength of {strength} was asked for: in relative mode it is 0 to 1")
    return Relative(strength)
