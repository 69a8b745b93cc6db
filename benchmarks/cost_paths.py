# SPDX-License-Identifier: MIT
"""What `bench cost` times: single steps and whole runs, ours, plain, without our code, and diffusers' own."""

import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, cast

import torch
from diffusers import StableDiffusionAttendAndExcitePipeline
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor

from sg_core import generate
from sg_core.conditioning import Conditioning
from sg_core.edits.recipes import place
from sg_core.energy import Energy
from sg_core.errors import RequestError
from sg_core.guidance import Relative
from sg_core.layout import Layout, as_layout
from sg_core.layout import masks as masks_of
from sg_core.models.model import Model, Step, Trajectory
from sg_core.models.stable_diffusion_1 import StableDiffusion1
from sg_core.noise import initial_noise
from sg_core.sample import Texts, sample

SIDE = 256
STEPS = 30
INDEX = 5  # a step well inside the guided part
ROOT = 4  # regions stand in a grid of ROOT x ROOT


@dataclass(frozen=True)
class OneStep:
    """A trajectory of one step of another: the sampling loop, exactly as it is, walks just that."""

    full_path: Trajectory
    index: int = INDEX

    @property
    def steps(self) -> Sequence[Step]:
        """That step."""
        return (self.full_path.steps[self.index],)

    @property
    def spread(self) -> float:
        """As the whole trajectory's."""
        return self.full_path.spread

    def advance(self, step: Step, latent: Tensor, output: Tensor, noise: Sequence[torch.Generator]) -> Tensor:
        """As the whole trajectory does."""
        return self.full_path.advance(step, latent, output, noise)


@dataclass(frozen=True)
class Setting:
    """One request, with all that is known before its first step."""

    model: StableDiffusion1
    prompt: str
    nouns: tuple[str, ...]
    energy: Energy
    layout: Layout
    texts: Texts
    plain: Conditioning
    latent: Tensor

    @property
    def trajectory(self) -> OneStep:
        """One guided step, afresh: schedulers remember."""
        return OneStep(self.model.steps(STEPS, "ddim"))


def setting_of(model: Model, regions: int) -> Setting:
    """A prompt of ROOT x ROOT nouns, so many of which are regions with a cell of the grid each.

    Raises RequestError for a model of another family than Stable Diffusion 1: diffusers' pipeline takes no other.
    """
    if not isinstance(model, StableDiffusion1):
        raise RequestError(f"{model.card.name} is {type(model).__name__}; the cost is measured on StableDiffusion1")
    nouns = (model.card.nouns or tuple(f"thing {k}" for k in range(ROOT**2)))[: ROOT**2]
    prompt = " ".join(nouns)
    masks = {}
    for index, noun in enumerate(nouns[:regions]):
        row, column, cell = index // ROOT, index % ROOT, SIDE // ROOT
        masks[noun] = torch.zeros(SIDE, SIDE)
        masks[noun][row * cell : (row + 1) * cell, column * cell : (column + 1) * cell] = 1.0
    energy = place(masks)
    layout = energy + masks_of(masks)
    plain = model.encode([""])
    texts = Texts(model.encode([prompt]), plain, model.words([prompt], layout.phrases))
    latent = initial_noise([torch.Generator().manual_seed(0)], model.latent_shape(SIDE, SIDE))
    return Setting(model, prompt, nouns[:regions], energy, layout, texts, plain, latent)


def plain_step(setting: Setting) -> Tensor:
    """Both passes and the scheduler, no energy."""
    return walk(setting, Energy())


def guided_step(setting: Setting) -> Tensor:
    """The same with the energy heard, its gradient taken and pushed."""
    return walk(setting, setting.energy)


def walk(setting: Setting, energy: Energy) -> Tensor:
    """One step of the sampling loop."""
    card = setting.model.card
    return sample(
        setting.model,
        setting.latent,
        setting.texts,
        setting.trajectory,
        scale=card.scale,
        noise=[torch.Generator()],
        layout=as_layout(energy),
        guidance=Relative(card.strength),
    )


def bare_step(setting: Setting) -> Tensor:
    """What a guided step cannot do without: both passes, and a gradient as deep as the layers that are heard."""
    model, texts, step = setting.model, setting.texts, setting.trajectory.steps[0]
    names = [f"{layer}.to_q" for layer in model.layers(setting.latent)]
    queries: list[Tensor] = []

    def keep(_: object, __: object, output: Tensor) -> None:
        queries.append(output)
        if len(queries) == len(names):
            torch.set_grad_enabled(False)

    with ExitStack() as hooks, torch.enable_grad():
        for name in names:
            hooks.enter_context(model.network.get_submodule(name).register_forward_hook(keep))
        leaf = setting.latent.detach().requires_grad_()
        conditional = model.predict(leaf, step, texts.conditional).detach()
    gradient = torch.autograd.grad(queries, leaf, [torch.ones_like(query) for query in queries])[0]
    with torch.no_grad():
        plain = model.predict(setting.latent, step, setting.plain)
        output = plain + model.card.scale * (conditional - plain) + gradient
        return setting.trajectory.advance(step, setting.latent, output, [])


def unguided_run(setting: Setting, steps: int) -> Tensor:
    """A picture as anybody gets it who gives no layout."""
    return run(setting, None, steps)


def guided_run(setting: Setting, steps: int) -> Tensor:
    """A picture with the defaults that ship."""
    return run(setting, setting.layout, steps)


def run(setting: Setting, layout: Layout | None, steps: int) -> Tensor:
    """From words to a picture."""
    card = setting.model.card
    return generate(
        setting.model,
        setting.prompt,
        layout,
        width=SIDE,
        height=SIDE,
        steps=steps,
        scale=card.scale,
        strength=card.strength,
    )


def attend_and_excite(setting: Setting, steps: int) -> Any:
    """diffusers' own Attend-and-Excite on the same network, half of the steps altered as published, no refinement."""
    model, network = setting.model, cast(Any, setting.model.network)
    pipeline = StableDiffusionAttendAndExcitePipeline(
        vae=model.autoencoder,
        text_encoder=model.text_encoder,
        tokenizer=model.tokenizer,
        unet=model.network,
        scheduler=DDIMScheduler.from_config(dict(model.noise)),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    own = dict(network.attn_processors)
    columns = [column for noun in setting.texts.words.phrases.values() for column in noun[0]]
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="torch.meshgrid")  # diffusers' own, in every step
            return pipeline(
                setting.prompt,
                columns,
                height=SIDE,
                width=SIDE,
                num_inference_steps=steps,
                guidance_scale=model.card.scale,
                max_iter_to_alter=steps // 2,
                thresholds={},
                attn_res=tuple(setting.latent.shape[-2:]),
                output_type="pt",
            ).images
    finally:
        network.set_attn_processor(own)
