# SPDX-License-Identifier: MIT
"""Our own method, and what becomes of it with a part left out or put wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from addon.request.settings import FEW_NOISE
from benchmarks.placement.cases import Case
from sg_core import generate
from sg_core.edits.recipes import place
from sg_core.energy import Energy, keep_out, presence, shape
from sg_core.generate import Passes, PictureRun
from sg_core.guidance import Guidance, Memory, Paper, Relative, rms
from sg_core.layout import Layout, as_layout, masks, shaped_noise
from sg_core.models.model import Model, Step, of_size
from sg_core.noise import initial_noise, variation_towards
from sg_core.parametrisation import Parametrisation
from sg_core.sample import Texts, unwatched
from sg_core.second_passes.last_steps import last_steps
from sg_core.second_passes.refinement import refining_steps
from sg_core.terms.leakage import apart


@dataclass(frozen=True)
class GuidedSettings:
    """What of the method is used. ``strength`` is a share of the Card's; ``apart`` and ``present`` are weights of
    ``edits.place``, ``decay`` and ``until`` constants of ``guidance.Relative``; ``layers`` listens to other blocks than
    the Card's, () to all. ``masks`` is the progress up to which they hold with this ``emphasis``, and ``noise``
    how often the initial noise is shaped, 0 for not at all; ``leakage`` is the weight of ``terms.leakage.apart``;
    the part ``refinement`` of the steps is walked again."""

    energy: str = "place"
    guidance: str = "relative"
    strength: float = 1.0
    apart: float = 0.25
    present: float = 0.25
    decay: float = 0.25
    until: float = 0.7
    layers: tuple[str, ...] | None = None
    masks: float = 0.0
    softness: float = 0.0
    noise: int = 0
    emphasis: float = 0.0
    leakage: float = 0.0
    refinement: float = 0.0


def unguided(model: Model, case: Case, seed: int, steps: int, settings: None = None) -> Tensor:
    """The picture (3, y, x) of the same seed without any layout."""
    side = case.targets[0].mask.shape[0]
    scale = model.card.scale
    return generate(model, case.prompt, seeds=[seed], width=side, height=side, steps=steps, scale=scale)[0]


def guided(model: Model, case: Case, seed: int, steps: int, settings: GuidedSettings) -> Tensor:
    """The picture as the settings say."""
    if settings.layers is not None:
        model = replace(model, card=replace(model.card, layers=settings.layers))  # type: ignore[type-var]
    guidance = GUIDANCES[settings.guidance](model, settings, seed)
    return painted(model, case, seed, steps, layout_of(case, settings), guidance, settings.refinement)


def shipped(model: Model, case: Case, seed: int, steps: int, settings: GuidedSettings) -> Tensor:
    """The picture as an artist gets it, before it is refined: with few steps, noise is shaped instead of emphasising
    anything, and the pull is in proportion."""
    if steps < model.card.few:
        share = settings.strength * steps / model.card.few
        settings = replace(settings, emphasis=0.0, noise=FEW_NOISE, strength=share)
    return guided(model, case, seed, steps, settings)


def layout_of(case: Case, settings: GuidedSettings) -> Layout:
    """Energies, masks and whatever else the settings say, as one layout."""
    layout = as_layout(ENERGIES[settings.energy](case, settings) + settings.leakage * apart(case.masks))
    if settings.masks:
        nearest_first = dict(reversed(case.masks.items()))
        layout = layout + masks(
            nearest_first, until=settings.masks, softness=settings.softness, emphasis=settings.emphasis
        )
    return layout + shaped_noise(settings.noise) if settings.noise else layout


def painted(
    model: Model, case: Case, seed: int, steps: int, layout: Layout, guidance: Guidance, refinement: float = 0.0
) -> Tensor:
    """``generate`` with any guidance, one picture."""
    noise, side = [torch.Generator("cpu").manual_seed(seed)], case.targets[0].mask.shape[0]
    latent = initial_noise(noise, model.latent_shape(side, side))
    texts = Texts(model.encode([case.prompt]), model.encode([""]), model.words([case.prompt], layout.phrases))
    run = PictureRun(model, texts, model.card.scale, noise, guidance, variation_towards(0, 0.0))
    count = refining_steps(steps, refinement)
    refining = last_steps(model.steps(steps, "ddim"), count) if count else None
    passes = Passes(model.steps(steps, "ddim"), refining, None)
    clean = run.walk_all(latent, passes, layout, (side, side), unwatched)
    return of_size(model.decode(clean), side, side)[0]


@dataclass(frozen=True)
class Astray:
    """Guidance whose gradient is replaced by noise of the same size: what pushing as such does to a picture."""

    inner: Guidance
    noise: torch.Generator

    def acts(self, step: Step) -> bool:
        """As the guidance does."""
        return self.inner.acts(step)

    def repeats(self, step: Step) -> bool:
        """As the guidance does."""
        return self.inner.repeats(step)

    def rests(self, memory: Memory) -> Tensor:
        """As the guidance does."""
        return self.inner.rests(memory)

    def push(self, gradient: Tensor, correction: Tensor, step: Step, kind: Parametrisation, memory: Memory) -> Tensor:
        """Somewhere, as far as the guidance would."""
        noise = torch.randn(gradient.shape, generator=self.noise)
        size = (rms(gradient) / rms(noise)).view(-1, *[1] * (gradient.ndim - 1))
        return self.inner.push(size * noise, correction, step, kind, memory)


def relative(model: Model, settings: GuidedSettings, seed: int) -> Guidance:
    """As shipped."""
    return Relative(settings.strength * model.card.strength, until=settings.until, decay=settings.decay)


def astray(model: Model, settings: GuidedSettings, seed: int) -> Guidance:
    """In a random direction, another in every step."""
    return Astray(relative(model, settings, seed), torch.Generator("cpu").manual_seed(seed + 1))


def paper(model: Model, settings: GuidedSettings, seed: int) -> Guidance:
    """As published; ``strength`` is its weight v."""
    return Paper(settings.strength)


def placing(case: Case, settings: GuidedSettings) -> Energy:
    """The terms that ship."""
    return place(case.masks, apart=settings.apart, present=settings.present)


def shuffled(case: Case, settings: GuidedSettings) -> Energy:
    """Each mask with the next noun's words; one thing alone gives its mask to the last word of the prompt."""
    nouns = list(case.masks)
    others = [*nouns[1:], nouns[0]] if len(nouns) > 1 else [case.prompt.split()[-1]]
    masks = dict(zip(others, case.masks.values(), strict=True))
    return place(masks, apart=settings.apart, present=settings.present)


def shapeless(case: Case, settings: GuidedSettings) -> Energy:
    """Presence in its mask and absence in the others', with no outline."""
    presences = [settings.present * presence(noun, mask) for noun, mask in case.masks.items()]
    pairs = [(noun, mask) for noun in case.masks for other, mask in case.masks.items() if other != noun]
    away = [settings.apart / max(1, len(case.masks) - 1) * keep_out(noun, mask) for noun, mask in pairs]
    return sum([*presences, *away], Energy())


def outlines_alone(case: Case, settings: GuidedSettings) -> Energy:
    """Shapes and nothing else."""
    return sum((shape(noun, mask) for noun, mask in case.masks.items()), Energy())


def none(case: Case, settings: GuidedSettings) -> Energy:
    """Nothing pulls."""
    return Energy()


def unheard(model: Model, settings: GuidedSettings, seed: int) -> Guidance:
    """Energies shape the initial noise, and never act afterwards."""
    return Relative(0.0, until=0.0)


ENERGIES: Mapping[str, Callable[[Case, GuidedSettings], Energy]] = {
    "place": placing,
    "none": none,
    "shuffled": shuffled,
    "shapeless": shapeless,
    "outlines": outlines_alone,
}
GUIDANCES: Mapping[str, Callable[[Model, GuidedSettings, int], Guidance]] = {
    "relative": relative,
    "random": astray,
    "paper": paper,
    "unheard": unheard,
}
