# SPDX-License-Identifier: MIT
"""From words and a layout to pictures, in one call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from sg_core.energy import Energy
from sg_core.errors import RequestError
from sg_core.guidance import Guidance, Paper, Relative
from sg_core.layout import Layout, as_layout
from sg_core.models.model import Model, Step, Trajectory, of_size
from sg_core.noise import Variation, initial_noise, variation_towards
from sg_core.sample import Texts, Watch, finite, sample, unwatched
from sg_core.second_passes.enlargement import DENOISING, enlarged, first_size, settled, step_count
from sg_core.second_passes.last_steps import LastSteps, begun_anew, counted, last_steps
from sg_core.second_passes.refinement import refined, refining_steps
from sg_core.tokens import Phrase, Words, phrase


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
    refinement: float = 0.0,
    enlargement: float = 1.0,
    denoising: float = DENOISING,
    watch: Watch | None = None,
    inspected: Sequence[str | Phrase] | None = None,
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
        refinement: 0 to 1, the last part of the steps, painted again at the same size, with noise of its own and words
            that are not emphasised; a Card says what suits a model. What is kept of others is kept.
        enlargement: 1 to 4, above 1 the picture is first painted with sides so much smaller, and then in a second pass
            enlarged and painted over. Pictures that the layout keeps something of are of the first pass's size.
        denoising: 0 to 1, the part of the steps that the second pass walks again: how much it may change.
        watch: called after every step; raise ``Cancelled`` in it to stop.
        inspected: phrases to look at besides the layout's, where the watch wants an insight into every step; None
            wants none. The picture is the same.

    Raises RequestError, TokenError or EnergyError, each saying what does not fit, and NotFinite for a broken model.
    """
    rows, seeds = _rows(prompts, seeds)
    everything, guidance = as_layout(layout), _guidance(mode, strength)
    size = (width, height) if enlargement == 1.0 else first_size(model.card, width, height, enlargement)
    shape, large = model.latent_shape(*size), model.latent_shape(width, height)
    again = step_count(steps, denoising) if enlargement != 1.0 else 0
    passes = _passes(partial(model.steps, steps, scheduler), shape, large, (refining_steps(steps, refinement), again))
    noise = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
    turning = variation_towards(variation_seed, variation)
    latent = turning.turned(initial_noise(noise, shape)) * passes.first.spread
    words = model.words(rows, tuple(dict.fromkeys((*everything.phrases, *map(phrase, inspected or ())))))
    texts = _texts(model, rows, negative, scale, words)
    run = PictureRun(model, texts, scale, noise, guidance, turning, inspected is not None)
    latent = latent.to(texts.conditional.device)
    clean = run.walk_all(latent, passes, everything, (width, height), watch or unwatched)
    pictures = of_size(finite(model.decode(clean), model, "its decoder"), width, height)
    return (pictures if again else everything.keeping.composed(model, pictures)).cpu()


@dataclass(frozen=True)
class Passes:
    """The walks of a picture, one after the other: that from noise, that which refines it, that which enlarges it."""

    first: Trajectory
    refining: LastSteps | None
    enlarging: LastSteps | None

    @property
    def steps(self) -> int:
        """Of all walks."""
        return sum(len(walk.steps) for walk in (self.first, self.refining, self.enlarging) if walk is not None)


@dataclass(frozen=True)
class PictureRun:
    """What all passes of one picture have in common."""

    model: Model
    texts: Texts
    scale: float
    noise: Sequence[torch.Generator]
    guidance: Guidance
    variation: Variation
    inspected: bool = False

    def walk(self, latent: Tensor, trajectory: Trajectory, layout: Layout, watch: Watch) -> Tensor:
        """One pass, to its clean end; all (batch, channel, y, x)."""
        return sample(
            self.model,
            latent,
            self.texts,
            trajectory,
            scale=self.scale,
            noise=self.noise,
            layout=layout,
            guidance=self.guidance,
            watch=watch,
            inspected=self.inspected,
        )

    def begun_anew(self, clean: Tensor, step: Step) -> Tensor:
        """A clean latent (batch, channel, y, x) with the next noise of each seed, turned as the first one was."""
        fresh = initial_noise(self.noise, (clean.shape[1], clean.shape[2], clean.shape[3]))
        return begun_anew(clean, step, self.variation.turned(fresh))

    def walk_all(self, latent: Tensor, passes: Passes, layout: Layout, size: tuple[int, int], watch: Watch) -> Tensor:
        """Every walk, each over what the one before it left: the last enlarges that to ``size``, in pixels."""
        total, before = passes.steps, len(passes.first.steps)
        clean = self.walk(latent, passes.first, layout, counted(watch, 0, total))
        if passes.refining is not None:
            latent = self.begun_anew(clean, passes.refining.steps[0])
            holding = refined(layout, passes.refining.start)
            clean = self.walk(latent, passes.refining, holding, counted(watch, before, total))
            before += len(passes.refining.steps)
        if passes.enlarging is None:
            return clean
        latent = self.begun_anew(enlarged(self.model, clean, *size), passes.enlarging.steps[0])
        holding = settled(layout, passes.enlarging.start)
        return self.walk(latent, passes.enlarging, holding, counted(watch, before, total))


def _passes(
    walk: Callable[[tuple[int, ...]], Trajectory],
    shape: tuple[int, ...],
    large: tuple[int, ...],
    counts: tuple[int, int],
) -> Passes:
    """Walks of latents (channel, y, x) of this shape and, where there is an enlarging one, of the large one."""
    refining, enlarging = counts
    return Passes(
        walk(shape[1:]),
        last_steps(walk(shape[1:]), refining) if refining else None,
        last_steps(walk(large[1:]), enlarging) if enlarging else None,
    )


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
