# SPDX-License-Identifier: MIT
"""Layers, fused in their order, as LayerBind (arXiv 2603.05769) and Stitch (arXiv 2509.26644) do: no gradient.

Each thing is begun in a latent of its own, where its noun is heard only inside its mask and, if asked, neither side of
the mask looks at the other. Early on the latents are put over one another, far to near, each through its mask, and the
whole prompt paints on. Neither's own choice of layers and heads is copied, for they belong to their networks.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.baselines.attention import Scores, grid, listening, on_grid
from benchmarks.baselines.loop import Run, begin, paint
from benchmarks.placement.cases import Case
from sg_core.models.model import Model, Step, Trajectory

CLOSED = -1e4  # added to a score, in place of an infinity that could leave a row with nothing


@dataclass(frozen=True)
class LayerFusionSettings:
    """``until`` is the share of the steps before fusion; ``apart`` keeps the two sides of a mask from each other."""

    until: float = 0.3
    apart: bool = True


def layer_fusion(model: Model, case: Case, seed: int, steps: int, settings: LayerFusionSettings) -> Tensor:
    """The picture. Only the steps before fusion are walked once more for each thing."""
    fused, targets = round(settings.until * steps), range(len(case.targets))
    trajectory = model.steps(steps, "ddim")
    layers: list[Tensor] = []

    def before(run: Run, latent: Tensor, step: Step) -> Tensor:
        layers.extend([latent] * len(targets) if step.index == 0 else [])
        if step.index == fused:
            for mask, layer in zip(run.masks, layers, strict=True):
                latent = torch.where(on_grid(mask, *latent.shape[-2:]) > 0.5, layer, latent)
        for target in targets if step.index < fused else ():
            layers[target] = advance(
                run, trajectory, layers[target], step, bound(run, layers[target], target, settings)
            )
        return latent

    def around(run: Run, latent: Tensor, step: Step) -> AbstractContextManager[object]:
        return bound(run, latent, None, settings) if step.index < fused else listening(model.network)

    return paint(begin(model, case), case, seed, steps, before, around)


def advance(
    run: Run, trajectory: Trajectory, latent: Tensor, step: Step, around: AbstractContextManager[object]
) -> Tensor:
    """One more step of a layer."""
    with torch.no_grad():
        with around:
            conditional = run.model.predict(latent, step, run.text)
        plain = run.model.predict(latent, step, run.plain)
        return trajectory.advance(step, latent, plain + run.model.card.scale * (conditional - plain), [])


def bound(
    run: Run, latent: Tensor, target: int | None, settings: LayerFusionSettings
) -> AbstractContextManager[object]:
    """A pass in which one thing's words are heard inside its mask, and no other's anywhere; None is the background."""

    def bias(scores: Scores) -> Tensor | None:
        inside = torch.zeros(scores.values.shape[2], dtype=torch.bool)
        if target is not None:
            coverage = on_grid(run.masks[target], *grid(len(inside), latent)).flatten()
            inside = coverage >= min(0.5, float(coverage.max()))
        if not scores.words:
            return CLOSED * (inside[:, None] != inside) if settings.apart and target is not None else None
        added = torch.zeros(scores.values.shape[2:])
        for index, keys in enumerate(run.keys):
            added[:, list(keys)] = CLOSED * (~inside if index == target else torch.ones_like(inside)).float()[:, None]
        return added

    return listening(run.model.network, bias=bias)
