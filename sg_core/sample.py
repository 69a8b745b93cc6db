# SPDX-License-Identifier: MIT
"""The sampling loop: classifier-free guidance plus the gradient of an energy (Epstein et al. 2023, equation 3)."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Protocol

import torch
from torch import Tensor

from sg_core.attention.coverage import on_grid
from sg_core.attention.masks import masking
from sg_core.attention.tape import Grid, Tape, forgetting_after, listening
from sg_core.conditioning import Conditioning
from sg_core.edits.passes import heard_references, shared, sources
from sg_core.energy import Energy, Reading
from sg_core.errors import EnergyError, NotFinite, RequestError
from sg_core.guidance import Guidance, Memory, nothing_yet
from sg_core.inspection.insight import Insight, Sizes, insight_into, size_of
from sg_core.layout import Layout
from sg_core.memory import gradient_of, is_narrow, refuse_untested
from sg_core.models.companions.controlnet import controlled
from sg_core.models.model import Model, Step, Trajectory
from sg_core.terms.noise_shaping import shaped
from sg_core.tokens import Phrase, Words


@dataclass(frozen=True)
class Moment:
    """One finished step, as a Watch sees it.

    Attributes:
        step: steps finished, 1 to ``steps``.
        progress: ``step / steps``.
        energies: each term's error by name, mean over the batch; empty where the energy was not looked at.
        latent: the noisy latent after the step, (batch, channel, y, x).
        clean: the latent of what the model now thinks the clean picture is.
        preview: decodes that: (batch, 3, y, x), 0 to 1. Costs one decoding.
        insight: what the step looked at and what pulled it, where the run is inspected.
    """

    step: int
    steps: int
    progress: float
    energies: Mapping[str, float]
    latent: Tensor
    clean: Callable[[], Tensor]
    preview: Callable[[], Tensor]
    insight: Insight | None = None


class Watch(Protocol):
    """Called after every step, for progress and previews; raise ``Cancelled`` in it to stop."""

    def __call__(self, moment: Moment) -> None: ...


@dataclass(frozen=True)
class Texts:
    """What is asked for and what to move away from, both as ``Model.encode`` returns them, and where the words are.

    ``plain`` is None where there is no second pass: at a scale of 1, or because the model was distilled to need none.
    """

    conditional: Conditioning
    plain: Conditioning | None
    words: Words


@dataclass(frozen=True)
class Pass:
    """What came of a conditional pass: ``output`` and ``gradient`` shaped like the latent, (batch, channel, y, x), what
    the energy read, and the tape that it was read off. What was not asked for is None."""

    output: Tensor
    reading: Reading | None = None
    gradient: Tensor | None = None
    tape: Tape | None = None


def unwatched(moment: Moment) -> None:
    """The Watch of a run that nobody follows: it does nothing."""


def sample(
    model: Model,
    latent: Tensor,
    texts: Texts,
    trajectory: Trajectory,
    *,
    scale: float,
    noise: Sequence[torch.Generator],
    layout: Layout,
    guidance: Guidance,
    watch: Watch = unwatched,
    inspected: bool = False,
) -> Tensor:
    """Walk a latent from noise (batch, channel, y, x) to its clean end.

    Each step is ``output = plain + scale * (conditional - plain) + guidance.push(gradient)``; the gradient is taken of
    the same conditional forward pass, and of nothing after the last layer that the energy hears. Without a plain pass
    the output is the conditional one, and the push is measured against it, times the Card's ``reference``.

    Args:
        noise: one generator a row, for schedulers that add noise.
        layout: ``Layout()`` samples without guidance and without masks, bit for bit as anybody would.
        inspected: whether every step is listened to, for each Moment's ``insight``. The picture is the same.

    Raises RequestError inside ``torch.inference_mode()``, EnergyError when the energy has no gradient, NotFinite when
    the model gives numbers that are none.
    """
    _check(model, layout)
    attention, kept = model.attention(latent) if layout.masks.terms else {}, layout.keeping
    latent = kept.begun(latent / trajectory.spread) * trajectory.spread if kept.terms else latent
    latent = _shaped(model, latent, texts, trajectory, layout, attention, scale)
    memory, known = nothing_yet(latent), sources(model, kept, latent, scale)
    references = heard_references(model, layout.energy, latent, scale)
    masked = partial(masking, model.network, attention, texts.words, layout.masks, cached={})
    beside = partial(controlled, model.network, layout.controls)
    for step in trajectory.steps:
        noisy = latent if step.shrink == 1.0 else latent * step.shrink
        active = layout.energy.at(step.progress) if guidance.acts(step) else Energy()
        follow = not bool(guidance.rests(memory).all())
        others = references.tapes(layout.energy.at(step.progress) if inspected else active, step)
        with shared(known, kept, step), masked(step.progress), beside(step.progress):
            passed = conditional_pass(model, noisy, step, texts, active, others, follow=follow, listen=inspected)
        with torch.no_grad(), beside(step.progress):
            plain, correction = guided_output(model, noisy, step, texts, scale, passed.output)
            memory = memory.after(passed.reading) if passed.reading else memory
            guided, memory = _guided(model, step, (plain, correction), passed, layout, guidance, memory)
            output = kept.corrected(model, guided, noisy, step)
            following = finite(trajectory.advance(step, latent, output, noise), model, f"step {step.index + 1}")
        insight = _insight(passed, layout.energy, step, (plain, guided, output), correction) if inspected else None
        watch(_moment(model, step, passed.reading, following, (noisy, output), insight))
        latent = following
    return latent


def _check(model: Model, layout: Layout) -> None:
    if torch.is_inference_mode_enabled():
        raise RequestError("torch.inference_mode() forbids the gradients that guide: leave it, none is needed here")
    if layout.energy.terms:
        refuse_untested(model.network, *(control.network for control in layout.controls))


def finite(values: Tensor, model: Model, part: str) -> Tensor:
    """The values, when all are numbers. Raises NotFinite, which names the model and the part that gave them."""
    if not bool(values.isfinite().all()):
        raise NotFinite(model.card.name, part)
    return values


def guided_output(
    model: Model, latent: Tensor, step: Step, texts: Texts, scale: float, conditional: Tensor
) -> tuple[Tensor, Tensor]:
    """The output without the layout's pull, and what that pull is measured against."""
    if texts.plain is None:
        return conditional, model.card.reference * conditional
    plain = model.predict(latent, step, texts.plain)
    return model.combine(conditional, plain, scale)


def _guided(
    model: Model,
    step: Step,
    outputs: tuple[Tensor, Tensor],
    passed: Pass,
    layout: Layout,
    guidance: Guidance,
    memory: Memory,
) -> tuple[Tensor, Memory]:
    """The output without a pull, and the correction, to the output with one, and what is remembered of it."""
    plain, correction = outputs
    gradient = _confined(passed.gradient, layout.confined)
    if gradient is None and guidance.repeats(step) and layout.energy.at(step.progress).terms:
        gradient = memory.gradient
    if gradient is None:
        return plain, memory
    memory = memory.along(gradient)
    return plain + guidance.push(gradient, correction, step, model.parametrisation, memory), memory


def conditional_pass(
    model: Model,
    latent: Tensor,
    step: Step,
    texts: Texts,
    energy: Energy,
    others: Mapping[int, Tape] = MappingProxyType({}),
    *,
    follow: bool,
    listen: bool = False,
) -> Pass:
    """The conditional output, what the energy read in that pass, and its gradient by the latent where followed.

    Without terms nothing is read. ``listen`` has the tape handed back, with terms or without; ``others`` are the tapes
    of the references that the terms read.

    Raises AttentionError when a layer was not heard, EnergyError when the energy has no gradient.
    """
    if not energy.terms and not listen:
        with torch.no_grad():
            return Pass(model.predict(latent, step, texts.conditional))
    layers, follow = model.layers(latent), follow and bool(energy.terms)
    with torch.set_grad_enabled(follow):
        leaf = latent.detach().requires_grad_(follow)
        quiet = nullcontext() if energy.of_picture else forgetting_after(model.network, layers)
        with listening(model.network, layers, texts.words, featured=bool(others)) as tape, quiet:
            output = model.predict(leaf, step, texts.conditional)
        tape = replace(tape, references=others) if others else tape
        if energy.of_picture:
            clean = model.parametrisation.to_clean(output, leaf, step.alpha, step.sigma)
            tape = replace(tape, picture=model.decode(clean))
        reading = energy(tape, step.progress) if energy.terms else None
        gradient = _gradient(model, reading, leaf) if follow and reading else None
    return Pass(output.detach(), reading, gradient, tape if listen else None)


def _gradient(model: Model, reading: Reading, latent: Tensor) -> Tensor:
    """d(energy of a row) / d(latent of that row): rows do not touch each other, so one backward serves all."""
    gradient = gradient_of(reading.energy, latent, scaled=is_narrow(model.network))
    if gradient is None:
        raise EnergyError(
            f"the energy has no gradient by the latent, so it cannot guide ({', '.join(reading.errors)}): "
            "its terms must be computed from the tape, without detach() or no_grad()"
        )
    return gradient


def _shaped(
    model: Model,
    latent: Tensor,
    texts: Texts,
    trajectory: Trajectory,
    layout: Layout,
    attention: Mapping[str, Grid],
    scale: float,
) -> Tensor:
    """The initial latent, its noise shaped by the energies of the first step, under the masks that hold there."""
    first, noise = trajectory.steps[0], layout.noise
    energy = layout.energy.at(first.progress)
    if noise is None or not energy.terms:
        return latent
    others = heard_references(model, energy, latent, scale).tapes(energy, first)

    def gradient(unit: Tensor) -> Tensor:
        noisy = unit * (trajectory.spread * first.shrink)
        masked = masking(model.network, attention, texts.words, layout.masks, first.progress)
        with masked, controlled(model.network, layout.controls, first.progress):
            slope = conditional_pass(model, noisy, first, texts, energy, others, follow=True).gradient
        inside = _confined(slope, layout.confined if noise.inside is None else (*layout.confined, noise.inside))
        assert inside is not None, "it was followed"
        return inside

    return shaped(latent / trajectory.spread, noise, gradient) * trajectory.spread


def _confined(gradient: Tensor | None, masks: Sequence[Any]) -> Tensor | None:
    """The gradient inside the union of the masks that it is confined to, everywhere if there are none."""
    if gradient is None or not masks:
        return gradient
    size, subject = (gradient.shape[2], gradient.shape[3]), Phrase("the layout")
    inside = [on_grid(mask, size, len(gradient), subject, gradient) for mask in masks]
    return gradient * torch.stack([cover.expand(len(gradient), -1, -1) for cover in inside]).amax(0)[:, None]


def _insight(
    passed: Pass, energy: Energy, step: Step, outputs: tuple[Tensor, Tensor, Tensor], correction: Tensor
) -> Insight:
    """``outputs`` are without the pull, with it, and with what references keep."""
    plain, guided, output = outputs
    gradient = None if passed.gradient is None else size_of(passed.gradient)
    sizes = Sizes(gradient, size_of(guided - plain), size_of(correction), size_of(output - guided))
    assert passed.tape is not None, "it was listened to"
    return insight_into(passed.tape, energy, step.progress, sizes, guided=passed.gradient is not None)


def _moment(
    model: Model,
    step: Step,
    reading: Reading | None,
    latent: Tensor,
    before: tuple[Tensor, Tensor],
    insight: Insight | None = None,
) -> Moment:
    def clean() -> Tensor:
        noisy, output = before
        return model.parametrisation.to_clean(output, noisy, step.alpha, step.sigma)

    step_count = step.index + 1
    energies = reading.means() if reading else {}
    progress = step_count / step.total
    return Moment(step_count, step.total, progress, energies, latent, clean, lambda: model.decode(clean()), insight)
